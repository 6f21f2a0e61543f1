import CKernels
import Tensors

/// A mixture of experts: each token goes to a few of many small MLPs, and to one that all share.
///
/// Tokens are grouped by expert, so that each expert's weights are read once per step. A token's result depends neither
/// on the number of threads nor on the tokens that come with it.
/// - Source: arXiv 2405.04434, section 2.2; routing as in transformers `models/deepseek_v2/modeling_deepseek_v2.py`.
public struct MixtureOfExperts: FeedForwardLayer {
    /// What is the same for all layers.
    public struct Shape: Sendable {
        let hiddenSize: Int
        /// Experts that tokens are routed to.
        let count: Int
        /// Experts of a token.
        let chosen: Int
        /// FFN width of an expert.
        let ffnSize: Int
        /// FFN width of what all tokens share; 0 for nothing.
        let sharedFfnSize: Int
        /// Factor on the probabilities of a token's experts.
        let scale: Float
        /// Groups of experts, and how many of them a token's experts may come from.
        let groups: Int
        let chosenGroups: Int
    }

    let shape: Shape
    /// [experts, hidden]
    let router: Linear
    let experts: [GatedMLP]
    let shared: GatedMLP?

    var byteCount: Int {
        router.byteCount + experts.reduce(0) { $0 + $1.byteCount } + (shared?.byteCount ?? 0)
    }

    var cost: LayerCost {
        var cost = LayerCost(router) + (shared?.cost ?? LayerCost())
        cost.add(experts[0].gateUp, times: shape.chosen)
        cost.add(experts[0].down, times: shape.chosen)
        return cost
    }

    func apply(_ step: Step) {
        let scratch = step.scratch.experts!
        let count = step.active.count
        let execution = step.execution
        router.apply(step.scratch.normed, runs: step.runs, into: scratch.scores, stride: shape.count, on: execution)
        execution.forEachChunk(of: count) { chunk in
            for row in chunk { scratch.choose(row, shape) }
        }
        scratch.group(step.runs, shape)
        gather(step)
        // From here on the form of the hidden state that products take is gone.
        if let shared {
            shared.apply(step)
        } else {
            step.scratch.delta.update(repeating: 0, count: count * shape.hiddenSize)
        }
        products(scratch.input(cols: shape.hiddenSize), into: scratch.gateUp, execution, scratch) { $0.gateUp }
        let gate = scratch.gate(width: shape.ffnSize)
        execution.workers.run(scratch.activeCount) { task, _ in
            let (expert, run) = scratch.work(task)
            for row in run.rows {
                let start = gate.values + row * gate.stride
                experts[expert].activation.apply(start, start + shape.ffnSize, shape.ffnSize, isa: execution.isa)
            }
            execution.quantize(gate, rows: run.rows, cols: shape.ffnSize, runs: [run])
        }
        products(gate, into: scratch.rows, execution, scratch) { $0.down }
        addUp(step)
    }

    /// Copies each token's row to the places where its experts find it.
    private func gather(_ step: Step) {
        let scratch = step.scratch.experts!
        let from = step.scratch.normed
        let to = scratch.input(cols: shape.hiddenSize)
        let width = shape.hiddenSize
        let groups = width / Linear.groupSize
        let quantized = step.execution.compute == .fast && width % Linear.groupSize == 0
        step.execution.forEachChunk(of: step.active.count) { chunk in
            for run in step.runs {
                for row in chunk.clamped(to: run.rows) {
                    for index in 0..<shape.chosen {
                        let slot = Int(scratch.slots[row * shape.chosen + index])
                        (to.values + slot * width).update(from: from.values + row * from.stride, count: width)
                        guard quantized else { continue }
                        if run.inTiles {
                            kl_bf16_rows_pack(
                                step.execution.isa, to.values + slot * width, slot, 1, width, width, to.packed)
                        } else {
                            (to.records + Activations.recordBytes(rows: slot, cols: width)).update(
                                from: from.records + Activations.recordBytes(rows: row, cols: width),
                                count: Activations.recordBytes(rows: 1, cols: width))
                            (to.scales + slot * groups).update(from: from.scales + row * groups, count: groups)
                            (to.sums + slot * groups).update(from: from.sums + row * groups, count: groups)
                        }
                    }
                }
            }
        }
    }

    /// out = W x of every expert for its rows, all experts in one region. All matrices are of one shape.
    private func products(
        _ input: Activations, into out: UnsafeMutablePointer<Float>, _ execution: Execution, _ scratch: ExpertScratch,
        _ matrix: (GatedMLP) -> Linear
    ) {
        let active = scratch.activeCount
        let panels = matrix(experts[0]).panelCount
        let rows = matrix(experts[0]).rows
        let parts = min(panels, max(1, execution.workers.threadCount * 4 / active))
        let share = (panels + parts - 1) / parts
        let part = share + share % 2  // tiles take two panels at a time
        execution.workers.run(active * parts) { task, _ in
            let (expert, run) = scratch.work(task / parts)
            let first = task % parts * part
            guard first < panels else { return }
            matrix(experts[expert]).apply(
                input, run: run, panels: first..<min(panels, first + part), endRow: rows, into: out, stride: rows,
                on: execution)
        }
    }

    /// delta += Σ weight · output of the token's experts, in the order of the experts.
    private func addUp(_ step: Step) {
        let scratch = step.scratch.experts!
        let width = shape.hiddenSize
        step.execution.forEachChunk(of: step.active.count) { chunk in
            for row in chunk {
                let delta = step.scratch.delta + row * width
                for index in row * shape.chosen..<(row + 1) * shape.chosen {
                    let weight = scratch.weights[index]
                    let source = scratch.rows + Int(scratch.slots[index]) * width
                    for column in 0..<width { delta[column] += weight * source[column] }
                }
            }
        }
    }
}

extension MixtureOfExperts.Shape {
    /// `topk_method` greedy takes the best of all experts, group_limited_greedy the best of the best groups. Chosen
    /// probabilities are multiplied with `routed_scaling_factor` and not normalised: transformers has a key
    /// `norm_topk_prob` and does not read it.
    init(_ file: ConfigurationFile, hiddenSize: Int) throws {
        self.hiddenSize = hiddenSize
        count = try file.int("n_routed_experts", default: 64)
        chosen = try file.int("num_experts_per_tok")
        guard chosen <= count else {
            throw file.bad("num_experts_per_tok", "(\(chosen)) is more than n_routed_experts (\(count))")
        }
        ffnSize = try file.int("moe_intermediate_size", default: 1407)
        sharedFfnSize = ffnSize * (file.isNull("n_shared_experts") ? 0 : try file.int("n_shared_experts", minimum: 0, default: 2))
        scale = Float(try file.double("routed_scaling_factor", default: 1))
        _ = try file.require("scoring_func", oneOf: ["softmax"], default: "softmax")
        let method = try file.require("topk_method", oneOf: ["greedy", "group_limited_greedy"], default: "greedy")
        guard method == "group_limited_greedy" else {
            (groups, chosenGroups) = (1, 1)
            return
        }
        groups = try file.int("n_group")
        chosenGroups = try file.int("topk_group")
        guard count % groups == 0 else {
            throw file.bad("n_group", "(\(groups)) must divide n_routed_experts (\(count))")
        }
        guard chosenGroups <= groups else {
            throw file.bad("topk_group", "(\(chosenGroups)) is more than n_group (\(groups))")
        }
    }
}

import CKernels

/// W_down(act(W_gate x) · W_up x).
struct GatedMLP: FeedForwardLayer {
    enum Activation: Sendable {
        case silu, geluTanh

        /// gate = act(gate) · up
        func apply(_ gate: UnsafeMutablePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int, isa: kl_isa) {
            switch self {
            case .silu: kl_swiglu(isa, gate, up, count)
            case .geluTanh: kl_geglu(isa, gate, up, count)
            }
        }
    }

    let activation: Activation
    /// Gate and up stacked.
    let gateUp: Linear
    let down: Linear

    var byteCount: Int { gateUp.byteCount + down.byteCount }

    var cost: LayerCost { LayerCost(gateUp, down) }

    func apply(_ step: Step) {
        let width = down.cols
        let count = step.active.count
        let scratch = step.scratch
        gateUp.apply(scratch.normed, runs: step.runs, into: scratch.feedForward, stride: 2 * width, on: step.execution)
        let gate = scratch.activations(scratch.feedForward, stride: 2 * width)
        let isa = step.execution.isa
        step.execution.forEachChunk(of: count) { chunk in
            for row in chunk {
                let start = gate.values + row * gate.stride
                activation.apply(start, start + width, width, isa: isa)
            }
            step.quantize(gate, rows: chunk, cols: width)
        }
        down.apply(gate, runs: step.runs, into: scratch.delta, stride: scratch.hiddenSize, on: step.execution)
    }
}

import Caches
import Engine
import Foundation
import Models
import Results
import Schemes
import Tensors

/// Agents per cache budget: computed from the layout, and measured by filling a block pool with agents until no other
/// fits. Every measured agent stores real encoded rows in every layer, head and token.
/// - Source: arXiv 2603.04428, tables 2 and 14, appendix D.
public final class CapacityExperiment: Experiment {
    public static let name = "capacity"
    public static let summary = "agents per cache budget, computed and measured by filling a block pool"

    public let cells: [Cell]
    private let laboratory: Laboratory
    private let plans: [String: Plan]
    private let seed: UInt64

    private struct Plan {
        let shape: String
        let scheme: String
        let context: Int
        let policy: WindowPolicy
        let form: MLAForm
        let budget: (label: String, bytes: Int)
        let measured: Bool
    }

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        let shapes = try settings.strings("shapes", oneOf: laboratory.shapeNames)
        let schemes = try settings.strings("schemes")
        let contexts = try settings.ints("contexts", in: 1...10_000_000)
        let policies = try settings.strings("window_policies", oneOf: WindowPolicy.allCases.map(\.rawValue))
        let forms = try settings.strings("mla_forms", oneOf: ["expanded", "latent"])
        let computed = try settings.byteCounts("budgets")
        let measured = try settings.byteCounts("measured_budgets")
        let filledContexts = try settings.ints("measured_contexts", in: 1...10_000_000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        try settings.finish()

        if let extra = filledContexts.first(where: { !contexts.contains($0) }) {
            throw settings.bad("measured_contexts", "holds \(extra), which is not in 'contexts'")
        }

        var plans: [String: Plan] = [:]
        var cells: [Cell] = []
        for shape in shapes {
            let configuration = try laboratory.configuration(shape: shape)
            if let long = contexts.first(where: { $0 > configuration.contextLimit }) {
                throw settings.bad(
                    "contexts", "holds \(long), more than the \(configuration.contextLimit) that \(shape) takes")
            }
            for (key, budget) in computed.map({ ("budgets", $0) }) + measured.map({ ("measured_budgets", $0) }) {
                var fits = false
                for (form, policy) in Self.variants(configuration, forms: forms, policies: policies) {
                    for context in contexts {
                        for scheme in schemes {
                            let plan = Plan(
                                shape: shape, scheme: scheme, context: context, policy: policy, form: form, budget: budget,
                                measured: measured.contains { $0.label == budget.label } && filledContexts.contains(context))
                            let layout = try Self.layout(plan, configuration)
                            fits = fits || layout.agentBytes(tokens: context) <= budget.bytes
                            let name =
                                "capacity/\(shape)/\(scheme)/\(context)/\(policy.rawValue)/\(form.rawValue)/\(budget.label)"
                            guard plans[name] == nil else { continue }
                            plans[name] = plan
                            cells.append(Cell(name: name, cost: plan.measured ? Double(budget.bytes) : 1e6))
                        }
                    }
                }
                guard fits else {
                    throw settings.bad(
                        key, "holds \(budget.label), which is too small for one agent of \(shape) at any of the contexts")
                }
            }
        }
        self.plans = plans
        self.cells = cells
    }

    /// Forms and policies that make a difference to a model.
    private static func variants(
        _ configuration: any ModelConfiguration, forms: [String], policies: [String]
    ) -> [(MLAForm, WindowPolicy)] {
        let expanded = configuration.cacheSpec(mlaForm: .expanded)
        let forms: [MLAForm] = expanded.mlaForm == .none ? [.none] : forms.map { MLAForm(rawValue: $0)! }
        let windowed = expanded.layers.contains { $0.window != nil }
        let policies: [WindowPolicy] = windowed ? policies.map { WindowPolicy(rawValue: $0)! } : [.full]
        return forms.flatMap { form in policies.map { (form, $0) } }
    }

    private static func layout(_ plan: Plan, _ configuration: any ModelConfiguration) throws -> CacheLayout {
        try CacheLayout(
            spec: configuration.cacheSpec(mlaForm: plan.form), scheme: CacheScheme(expression: plan.scheme),
            windowPolicy: plan.policy)
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let plan = plans[cell.name]!
        let layout = try Self.layout(plan, laboratory.configuration(shape: plan.shape))
        let perAgent = layout.agentBytes(tokens: plan.context)
        var row: Row = [
            "cell": .string(cell.name),
            "shape": .string(plan.shape),
            "paper_model": .string(try laboratory.paperModel(shape: plan.shape)),
            "scheme": .string(layout.scheme.description),
            "context_tokens": .int(Int64(plan.context)),
            "window_policy": .string(plan.policy.rawValue),
            "mla_form": .string(plan.form.rawValue),
            "budget_label": .string(plan.budget.label),
            "budget_bytes": .int(Int64(plan.budget.bytes)),
            "bytes_per_agent_computed": .int(Int64(perAgent)),
            "agents_computed": .int(Int64(layout.agents(inBudget: plan.budget.bytes, tokens: plan.context))),
            "agents_measured": .int(-1), "bytes_per_agent_measured": .int(-1), "pool_bytes_measured": .int(-1),
            "rss_growth_bytes": .int(-1), "fill_seconds": .double(.nan),
            "note": .string("computed only: this profile fills no pool of this size at this context"),
        ]
        if plan.measured {
            let filled = try FilledPool(
                budgetBytes: plan.budget.bytes, layout: layout, tokens: plan.context, seed: seed,
                execution: laboratory.execution)
            row["agents_measured"] = .int(Int64(filled.agents))
            row["bytes_per_agent_measured"] = .int(Int64(filled.agents == 0 ? -1 : filled.poolBytes / filled.agents))
            row["pool_bytes_measured"] = .int(Int64(filled.poolBytes))
            row["rss_growth_bytes"] = .int(Int64(filled.residentGrowth))
            row["fill_seconds"] = .double(filled.seconds)
            row["note"] = .string("")
        }
        return [(Self.schema, row)]
    }
}

extension CapacityExperiment {
    /// One row for each shape, scheme, context, policy, form and budget.
    public static let schema = TableSchema(
        name: "capacity", title: "Agents per cache budget",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("shape", .string, "Model shape"),
            .init("paper_model", .string, "Published model that the shape stands for"),
            .init("scheme", .string, "Cache scheme, read back from the layout"),
            .init("context_tokens", .int, units: "1", "Tokens of each agent"),
            .init("window_policy", .string, "What windowed layers keep: full (every token) or window"),
            .init("mla_form", .string, "Latent attention: expanded or latent; none for other models"),
            .init("budget_label", .string, "Budget as configured"),
            .init("budget_bytes", .int, units: "byte", "Budget"),
            .init("bytes_per_agent_computed", .int, units: "byte", "Whole blocks of one agent, from the layout"),
            .init("agents_computed", .int, units: "1", "Agents that the layout says fit"),
            .init("agents_measured", .int, units: "1", "Agents that did fit; -1 where not measured"),
            .init("bytes_per_agent_measured", .int, units: "byte", "Pool bytes per agent; -1 where not measured"),
            .init("pool_bytes_measured", .int, units: "byte", "Bytes in use by the full pool; -1 where not measured"),
            .init("rss_growth_bytes", .int, units: "byte", "Growth of resident memory while filling; -1 where not measured"),
            .init("fill_seconds", .double, units: "s", "Time to fill the pool"),
            .init("note", .string, "Why something was not measured"),
        ])
}

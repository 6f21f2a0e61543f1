import Yams

extension Claim {
    /// Reads one entry of the ledger.
    init(_ reader: ClaimReader) throws {
        id = try reader.text("id")
        paper = try reader.text("paper")
        place = try reader.text("where")
        statement = try reader.text("claim")
        published = try reader.text("published")
        remark = try reader.optionalText("remark")
        let rule = try reader.rule("rule")
        let reason = try reader.optionalText("not_runnable")
        let awaited = try reader.optionalText("awaits")
        try reader.finish()
        switch (rule, reason, awaited) {
        case (let rule?, nil, nil): decision = .rule(try ClaimRule(rule))
        case (nil, let reason?, nil): decision = .notRunnable(reason: reason)
        case (nil, nil, let experiment?): decision = .awaits(experiment: experiment)
        default: throw reader.bad(nil, "claim '\(id)' must have exactly one of 'rule', 'not_runnable' and 'awaits'")
        }
        guard ["P1", "P2"].contains(paper) else { throw reader.bad(nil, "claim '\(id)' is of paper '\(paper)', not P1 or P2") }
    }
}

extension ClaimRule {
    init(_ reader: ClaimReader) throws {
        experiment = try reader.text("experiment")
        let name = try reader.required("table")
        table = Column(name: try reader.text("table"), line: name.mark?.line ?? 1)
        let expression = try reader.required("value")
        do {
            value = try ClaimValue(try reader.text("value"), line: expression.mark?.line ?? 1)
        } catch let mistake as ClaimValue.Mistake {
            throw reader.bad(expression, "the value \(mistake.problem)")
        }
        rows = try reader.conditions("rows") ?? []
        of = try reader.conditions("of") ?? []
        over = try reader.conditions("over")
        each = try reader.columns("each") ?? []
        sample = try reader.columns("sample")
        explain = try reader.columns("explain") ?? []
        withoutRows = try reader.optionalText("without_rows")
        let sign = reader.optional("unit")
        guard let unit = ClaimUnit(rawValue: try reader.optionalText("unit") ?? "") else {
            let known = ClaimUnit.allCases.map(\.rawValue).filter { !$0.isEmpty }.joined(separator: ", ")
            throw reader.bad(sign, "'\(sign?.string ?? "")' is no unit of a rule; units are \(known)")
        }
        self.unit = unit
        bound = try ClaimBound(reader)
        try reader.finish()
    }
}

extension ClaimBound {
    static let keys = ["at_least", "at_most", "more_than", "less_than", "equals", "between"]

    init(_ reader: ClaimReader) throws {
        let found = Self.keys.compactMap { key in reader.optional(key).map { (key, $0) } }
        guard found.count == 1 else {
            throw reader.bad(nil, "a rule needs exactly one of \(Self.keys.joined(separator: ", ")), and has \(found.count)")
        }
        let (key, node) = found[0]
        if key == "between" {
            guard let ends = node.sequence, ends.count == 2 else {
                throw reader.bad(node, "'between' must be a list of two numbers")
            }
            let (low, high) = (try reader.number(ends[0], key), try reader.number(ends[1], key))
            guard low <= high else { throw reader.bad(node, "'between' must name the smaller number first") }
            self = .between(low, high)
            return
        }
        let number = try reader.number(node, key)
        self =
            switch key {
            case "at_least": .atLeast(number)
            case "at_most": .atMost(number)
            case "more_than": .moreThan(number)
            case "less_than": .lessThan(number)
            default: .equals(number)
            }
    }
}

/// Codes of agents, one a line, among sentences of no use; then questions.
///
/// ```
/// Code: Mara 4821.
/// Theo met Anna in Lisbon.
/// Code: Theo 1903.
///
/// Answer: Mara 4821.
/// ```
/// The answer is the four digits. A code stands right after its agent's name, so that a small model can learn to look it
/// up: one that must also find the name two words back learned nothing in two million tokens.
enum RecallTask {
    /// How many agents a question of ``writeSeveral(to:_:_:_:)`` asks for.
    static let several = 3

    struct Fact {
        var name: String
        var code: String
        /// Where the fact's code ends in the text.
        var end = 0

        /// What the fact is told apart by, between the splits.
        var key: String { "code \(name) \(code)" }
    }

    static func write(to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings) {
        let facts = writeFacts(to: &text, &random, split, settings)
        for fact in random.sample(random.draw(settings.questions), of: facts) {
            text.write("Answer: \(fact.name) ")
            text.writeAnswer(fact.code, factEnd: fact.end)
            text.write(".\n")
        }
    }

    static func writeSeveral(
        to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings
    ) {
        let facts = writeFacts(to: &text, &random, split, settings)
        for _ in 0..<random.draw(settings.questions) {
            let asked = random.sample(several, of: facts)
            text.write("Asked: \(asked.map(\.name).joined(separator: ", ")).\nAnswer:")
            for (k, fact) in asked.enumerated() {
                text.write(" \(fact.name) ")
                text.writeAnswer(fact.code, factEnd: fact.end)
                text.write(k + 1 < several ? "," : ".\n")
            }
        }
    }

    private static func writeFacts(
        to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings
    ) -> [Fact] {
        var facts: [Fact] = []
        for name in random.sample(random.draw(settings.facts), of: TaskWords.names) {
            var fact = split.draw(\.key) { Fact(name: name, code: code(&random)) }
            text.write("Code: \(name) \(fact.code)")
            fact.end = text.end
            text.write(".\n")
            facts.append(fact)
            for _ in 0..<random.draw(settings.distractors) { text.write(distractor(&random)) }
        }
        text.write("\n")
        return facts
    }

    /// Four digits, the first not zero.
    static func code(_ random: inout TaskRandom) -> String { String(random.draw(1000...9999)) }

    /// A sentence about agents that no question asks for.
    static func distractor(_ random: inout TaskRandom) -> String {
        let names = random.sample(2, of: TaskWords.names)
        let city = random.pick(TaskWords.cities)
        let goods = random.pick(TaskWords.goods)
        switch random.below(4) {
        case 0: return "\(names[0]) met \(names[1]) in \(city).\n"
        case 1: return "\(names[0]) gave \(names[1]) \(random.draw(2...99)) \(goods).\n"
        case 2: return "\(names[0]) goes to \(city) with \(names[1]) every year.\n"
        default: return "\(names[0]) has lost the \(goods) of \(names[1]).\n"
        }
    }
}

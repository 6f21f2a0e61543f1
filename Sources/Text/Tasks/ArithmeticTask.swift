/// A word problem of some steps, each step's sum written out, then "#### n".
///
/// ```
/// Question: Theo has 23 apples. Mara gives Theo 4 apples. Theo sells 9. How many apples does Theo have now?
/// Answer: 23 + 4 = 27.
/// 27 - 9 = 18.
/// #### 18
/// ```
/// The answer is all that comes after "Answer: ": a right number after a wrong step is luck.
/// - Source of the form: GSM8K (Cobbe et al., 2021), whose answers end with "#### n".
enum ArithmeticTask {
    /// No number of a problem is larger.
    static let largest = 99

    struct Step {
        let sentence: String
        let sum: String
        let result: Int
    }

    struct Problem {
        let question: String
        let steps: [Step]
        var result: Int { steps[steps.count - 1].result }
    }

    private enum Kind { case more, less, times }

    static func write(to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings) {
        let problem = split.draw(\.question) { make(&random, steps: random.draw(settings.steps), largestStep: settings.largestStep) }
        text.write("Question: \(problem.question)\nAnswer: ")
        text.writeAnswer(problem.steps.map { $0.sum + ".\n" }.joined() + "#### \(problem.result)")
        text.write("\n")
    }

    private static func make(_ random: inout TaskRandom, steps count: Int, largestStep: Int) -> Problem {
        let people = random.sample(2, of: TaskWords.names)
        let goods = random.pick(TaskWords.goods)
        let first = random.draw(5...40)
        var value = first
        var steps: [Step] = []
        for _ in 0..<count {
            let step = self.step(&random, value, largestStep, people[0], people[1], goods)
            steps.append(step)
            value = step.result
        }
        let told = steps.map(\.sentence).joined(separator: " ")
        return Problem(
            question: "\(people[0]) has \(first) \(goods). \(told) How many \(goods) does \(people[0]) have now?",
            steps: steps)
    }

    private static func step(
        _ random: inout TaskRandom, _ value: Int, _ largestStep: Int, _ owner: String, _ other: String, _ goods: String
    ) -> Step {
        var kinds: [Kind] = []
        if value + 2 <= largest { kinds += [.more, .more] }
        if value >= 2 { kinds += [.less, .less] }
        if value <= largest / 3 { kinds.append(.times) }
        switch random.pick(kinds) {
        case .more:
            let more = random.draw(2...min(largestStep, largest - value))
            let sentence = random.below(2) == 0 ? "\(other) gives \(owner) \(more) \(goods)." : "\(owner) buys \(more) more."
            return Step(sentence: sentence, sum: "\(value) + \(more) = \(value + more)", result: value + more)
        case .times:
            let times = random.draw(2...3)
            let word = ["twice", "three times"][times - 2]
            return Step(
                sentence: "Now \(owner) gets \(word) as many.", sum: "\(value) * \(times) = \(value * times)",
                result: value * times)
        case .less:
            let less = random.draw(1...min(largestStep, value - 1))
            let sentence = random.below(2) == 0 ? "\(owner) gives \(other) \(less) \(goods)." : "\(owner) sells \(less)."
            return Step(sentence: sentence, sum: "\(value) - \(less) = \(value - less)", result: value - less)
        }
    }
}

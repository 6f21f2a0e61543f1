import Foundation
import Testing
import Text

struct TaskGeneratorTests {
    /// The first document of a seed, letter by letter: what a checkpoint was trained on must stay what it was.
    @Test func isTheSameOnEveryMachine() throws {
        let settings = TaskSettings(facts: 3...3, questions: 1...1)
        let recall = try TaskGenerator(task: .recall, split: .test, seed: 5, settings: settings).document(0)
        #expect(recall.text == Self.recall)
        let problem = try TaskGenerator(task: .arithmetic, split: .test, seed: 5).document(0)
        #expect(problem.text == Self.problem)
        let large = TaskSettings(largestStep: 40)
        let largeProblem = try TaskGenerator(task: .arithmetic, split: .test, seed: 5, settings: large).document(0)
        #expect(largeProblem.text == Self.largeProblem)
    }

    @Test(arguments: TaskKind.allCases)
    func answersStandInTheText(task: TaskKind) throws {
        let generator = try TaskGenerator(task: task, split: .train, seed: 1)
        for index in 0..<50 {
            let document = generator.document(index)
            #expect(document.text.utf8.allSatisfy { $0 < 128 })
            #expect(document.text.hasSuffix("\n"))
            #expect(!document.answers.isEmpty)
            var end = 0
            for answer in document.answers {
                #expect(answer.start > end && answer.length > 0)
                end = answer.start + answer.length
            }
            #expect(end < document.text.utf8.count)
        }
    }

    @Test func recallAsksForWhatWasSaid() throws {
        let generator = try TaskGenerator(task: .recall, split: .test, seed: 3)
        for index in 0..<20 {
            let document = generator.document(index)
            #expect(document.answers.count == 6)
            for answer in document.answers {
                let code = document.answer(answer)
                let said = document.bytes(answer.start - answer.distance - code.utf8.count, code.utf8.count)
                #expect(said == code)
                #expect(Int(code).map { (1000...9999).contains($0) } == true)
            }
            let facts = document.text.split(separator: "\n").filter { $0.hasPrefix("Code: ") }
            let names = facts.map { $0.split(separator: " ")[1] }
            #expect(names.count == 30 && Set(names).count == 30)
        }
    }

    @Test func everyStepOfAProblemIsRight() throws {
        let generator = try TaskGenerator(task: .arithmetic, split: .train, seed: 9)
        for index in 0..<300 {
            let document = generator.document(index)
            let lines = document.answer(document.answers[0]).split(separator: "\n")
            var last = 0
            #expect((3...5).contains(lines.count))
            for line in lines.dropLast() {
                let parts = line.dropLast().split(separator: " ")
                let (a, b, c) = (try #require(Int(parts[0])), try #require(Int(parts[2])), try #require(Int(parts[4])))
                #expect(c == (parts[1] == "+" ? a + b : parts[1] == "-" ? a - b : a * b))
                #expect((1...99).contains(c))
                last = c
            }
            #expect(lines[lines.count - 1] == "#### \(last)")
        }
    }

    @Test func aCopyIsVerbatimAndACallIsJSON() throws {
        let copy = try TaskGenerator(task: .copy, split: .test, seed: 2).document(4)
        #expect(copy.text == "Copy:\(copy.answer(copy.answers[0]))\nCopy:\(copy.answer(copy.answers[0]))\n")
        let call = try TaskGenerator(task: .toolCall, split: .test, seed: 2).document(4)
        let object = try JSONSerialization.jsonObject(with: Data(call.answer(call.answers[0]).utf8)) as? [String: Any]
        #expect(object?.count == 5)
        let dialogue = try TaskGenerator(task: .dialogue, split: .test, seed: 2).document(4)
        #expect(Set(dialogue.answers.map { dialogue.answer($0) }).count == 2)
        #expect(dialogue.answers.count == 7)
    }

    /// Words that come once tell which word is next; where they may come twice they do.
    @Test(arguments: [false, true])
    func wordsToCopyDifferUnlessTheyMayRepeat(repeated: Bool) throws {
        let settings = TaskSettings(words: 200...200, repeatedWords: repeated)
        let copy = try TaskGenerator(task: .copy, split: .test, seed: 2, settings: settings).document(0)
        let words = copy.answer(copy.answers[0]).split(separator: " ").filter { Int($0) == nil }
        #expect(words.count > 150)
        #expect((Set(words).count < words.count) == repeated)
    }

    /// What the splits promise: no fact, problem, text, call or parcel of a test document is one of a training document.
    @Test func splitsShareNoItem() throws {
        for task in TaskKind.allCases {
            let asked = try TaskSplit.allCases.map { split in
                let generator = try TaskGenerator(task: task, split: split, seed: 11)
                return Set((0..<300).flatMap { items(of: generator.document($0)) })
            }
            #expect(asked[0].isDisjoint(with: asked[1]))
            #expect(asked.allSatisfy { $0.count >= 250 })
        }
    }

    @Test func itemsFallIntoOneSplit() {
        let tests = (0..<8000).filter { TaskSplit.of(item: "code Mara \($0)") == .test }
        #expect((900...1100).contains(tests.count))
    }

    @Test func refusesSettingsOutOfRange() {
        let error = TextError.badTaskSetting(name: "facts", value: 0...5, allowed: 1...TaskSettings.maximumFacts)
        #expect(throws: error) {
            try TaskGenerator(task: .recall, split: .test, seed: 1, settings: TaskSettings(facts: 0...5))
        }
        #expect("\(error)" == "The task setting 'facts' must lie in 1...\(TaskSettings.maximumFacts), and is 0...5.")
        #expect(throws: TextError.badTaskSetting(name: "questions", value: 6...6, allowed: 1...5)) {
            try TaskGenerator(task: .recall, split: .test, seed: 1, settings: TaskSettings(facts: 5...5))
        }
        #expect(throws: TextError.badTaskSetting(name: "words", value: 4...400, allowed: 2...TaskSettings.maximumDistinctWords)) {
            try TaskGenerator(task: .copy, split: .test, seed: 1, settings: TaskSettings(words: 4...400))
        }
    }

    /// What a document asks for, as words: read from the text, not from the generator.
    private func items(of document: TaskDocument) -> [String] {
        let lines = document.text.split(separator: "\n").map(String.init)
        switch document.task {
        case .recall, .recallSeveral: return lines.filter { $0.hasPrefix("Code: ") }
        case .arithmetic, .copy, .toolCall: return [lines[0]]
        case .dialogue: return [lines[0].split(separator: ",").dropFirst().joined()]
        }
    }

    private static let recall = """
        Code: Peter 9946.
        Code: Felix 5554.
        Code: Otto 8915.
        Nora goes to Paris with Judith every year.
        
        Answer: Felix 5554.
        
        """
    private static let problem = """
        Question: Emma has 36 spoons. Emma buys 9 more. Tobias gives Emma 8 spoons. Emma sells 8. How many spoons does Emma have now?
        Answer: 36 + 9 = 45.
        45 + 8 = 53.
        53 - 8 = 45.
        #### 45
        
        """
    private static let largeProblem = """
        Question: Ingrid has 40 ropes. Ingrid gives Wanda 10 ropes. Ingrid sells 27. Ingrid sells 1. How many ropes does Ingrid have now?
        Answer: 40 - 10 = 30.
        30 - 27 = 3.
        3 - 1 = 2.
        #### 2
        
        """
}

extension TaskDocument {
    func bytes(_ start: Int, _ length: Int) -> String {
        String(decoding: text.utf8.dropFirst(start).prefix(length), as: UTF8.self)
    }

    func answer(_ answer: Answer) -> String { bytes(answer.start, answer.length) }
}

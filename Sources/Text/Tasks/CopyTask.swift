/// Words in random order, once and once more.
///
/// ```
/// Copy: river open 3907 stone
/// Copy: river open 3907 stone
/// ```
/// The answer is all of the second line after its first word: what follows a first word can be found, the first one too,
/// since it stands where the first line began.
enum CopyTask {
    static func write(to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings) {
        let words = split.draw({ $0.joined(separator: " ") }) {
            let count = random.draw(settings.words)
            let distinct = settings.repeatedWords ? [] : random.sample(count, of: TaskWords.plain)
            return (0..<count).map { k in
                if random.below(8) == 0 { return RecallTask.code(&random) }
                return settings.repeatedWords ? random.pick(TaskWords.plain) : distinct[k]
            }
        }
        text.write("Copy:")
        let first = text.end
        let line = " " + words.joined(separator: " ")
        text.write(line + "\nCopy:")
        text.writeAnswer(line, factEnd: first + line.utf8.count)
        text.write("\n")
    }
}

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
            (0..<random.draw(settings.words)).map { _ in
                random.below(8) == 0 ? RecallTask.code(&random) : random.pick(TaskWords.plain)
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

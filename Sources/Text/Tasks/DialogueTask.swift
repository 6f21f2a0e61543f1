/// Agents in a row, of whom each hands what was heard on to the next.
///
/// ```
/// Mara: Theo, the parcel for Lisbon has the number 4821.
/// Theo: Thank you, Mara. Anna, the parcel for Lisbon has the number 4821.
/// Anna: Thank you, Theo. The number is 4821.
/// ```
/// The answers are the number and the place in every turn but the first: an agent who hears wrong tells wrong.
enum DialogueTask {
    struct Parcel {
        let city: String
        let number: String

        var key: String { "parcel \(city) \(number)" }
    }

    static func write(to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit, _ settings: TaskSettings) {
        let agents = random.sample(random.draw(settings.agents), of: TaskWords.names)
        let parcel = split.draw(\.key) {
            Parcel(city: random.pick(TaskWords.cities), number: RecallTask.code(&random))
        }
        text.write("\(agents[0]): \(agents[1]), the parcel for \(parcel.city) has the number \(parcel.number)")
        var heard = text.end
        text.write(".\n")
        for k in 1..<agents.count {
            text.write("\(agents[k]): Thank you, \(agents[k - 1]). ")
            if k + 1 < agents.count {
                text.write("\(agents[k + 1]), the parcel for ")
                text.writeAnswer(parcel.city, factEnd: heard)
                text.write(" has the number ")
            } else {
                text.write("The number is ")
            }
            text.writeAnswer(parcel.number, factEnd: heard)
            heard = text.end
            text.write(".\n")
        }
    }
}

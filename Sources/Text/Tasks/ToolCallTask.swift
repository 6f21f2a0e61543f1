/// A request in words, then the call of a tool as one JSON object.
///
/// ```
/// User: Please book a table for Mara in Lisbon, 4 guests, code 4821.
/// Call: {"tool": "book_table", "name": "Mara", "city": "Lisbon", "count": 4, "code": "4821"}
/// ```
/// The answer is the JSON object.
enum ToolCallTask {
    private static let tools: [(words: String, tool: String, unit: String)] = [
        ("book a table", "book_table", "guests"), ("order a taxi", "order_taxi", "seats"),
        ("reserve a room", "reserve_room", "nights"), ("buy a ticket", "buy_ticket", "days"),
        ("send a parcel", "send_parcel", "boxes"), ("rent a boat", "rent_boat", "hours"),
    ]

    struct Call {
        let tool: Int
        let name: String
        let city: String
        let count: Int
        let code: String
        let form: Int

        var key: String { "call \(tool) \(name) \(city) \(count) \(code)" }
    }

    static func write(to text: inout TaskText, _ random: inout TaskRandom, _ split: TaskSplit) {
        let call = split.draw(\.key) {
            Call(
                tool: random.below(tools.count), name: random.pick(TaskWords.names), city: random.pick(TaskWords.cities),
                count: random.draw(1...9), code: RecallTask.code(&random), form: random.below(2))
        }
        let (words, tool, unit) = tools[call.tool]
        if call.form == 0 {
            text.write("User: Please \(words) for \(call.name) in \(call.city), \(call.count) \(unit), code \(call.code).\n")
        } else {
            text.write("User: With code \(call.code), \(words) in \(call.city) for \(call.name): \(call.count) \(unit).\n")
        }
        text.write("Call: ")
        text.writeAnswer(
            #"{"tool": "\#(tool)", "name": "\#(call.name)", "city": "\#(call.city)", "#
                + #""count": \#(call.count), "code": "\#(call.code)"}"#)
        text.write("\n")
    }
}

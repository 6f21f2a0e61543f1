extension ChatTemplate {
    // MARK: - Llama 3

    static func llamaTurns(_ messages: some Sequence<ChatMessage>, _ addGenerationPrompt: Bool) -> String {
        var text = ""
        for message in messages { text += llamaTurn(message.role.rawValue, message.content.strippedAsInPython) }
        if addGenerationPrompt { text += llamaHeader("assistant") }
        return text
    }

    static func llama31(_ messages: [ChatMessage], _ date: String, _ addGenerationPrompt: Bool) -> String {
        let dates = "Cutting Knowledge Date: December 2023\nToday Date: \(date)\n\n"
        let hasSystem = messages[0].role == .system
        let system = hasSystem ? messages[0].content.strippedAsInPython : ""
        return llamaTurn("system", dates + system)
            + llamaTurns(hasSystem ? messages.dropFirst() : messages[...], addGenerationPrompt)
    }

    private static func llamaTurn(_ role: String, _ content: String) -> String {
        llamaHeader(role) + content + "<|eot_id|>"
    }

    private static func llamaHeader(_ role: String) -> String {
        "<|start_header_id|>\(role)<|end_header_id|>\n\n"
    }

    // MARK: - Gemma

    /// The system message, not stripped, opens the first user turn; after it, user and assistant alternate.
    func gemma(_ messages: [ChatMessage], _ addGenerationPrompt: Bool) throws(TextError) -> String {
        let hasSystem = messages[0].role == .system
        guard !hasSystem || messages.count > 1 else {
            throw fail(0, "a system message needs a user message after it")
        }
        var text = ""
        for (index, message) in messages.dropFirst(hasSystem ? 1 : 0).enumerated() {
            let position = index + (hasSystem ? 1 : 0)
            guard message.role == (index % 2 == 0 ? .user : .assistant) else {
                throw fail(position, "user and assistant must alternate, the user first")
            }
            text += "<start_of_turn>" + (message.role == .user ? "user" : "model") + "\n"
            if index == 0, hasSystem { text += messages[0].content + "\n\n" }
            text += message.content.strippedAsInPython + "<end_of_turn>\n"
        }
        if addGenerationPrompt { text += "<start_of_turn>model\n" }
        return text
    }

    // MARK: - DeepSeek

    static func deepseek(_ messages: [ChatMessage], _ addGenerationPrompt: Bool, eos: String) -> String {
        var text = ""
        for message in messages {
            switch message.role {
            case .user: text += "User: " + message.content + "\n\n"
            case .assistant: text += "Assistant: " + message.content + eos
            case .system: text += message.content + "\n\n"
            }
        }
        if addGenerationPrompt { text += "Assistant:" }
        return text
    }
}

extension String {
    /// Without white space at both ends, as Python's `str.strip` and so Jinja's `trim`: Unicode white space and the
    /// four separators U+001C to U+001F.
    var strippedAsInPython: String {
        let isSpace = { (scalar: Unicode.Scalar) in
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}

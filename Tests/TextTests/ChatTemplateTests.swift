import Foundation
import Testing
import Text

struct ChatTemplateTests {
    /// Texts and ids of transformers' `apply_chat_template`.
    @Test func equalsTransformers() throws {
        let names = ["llama3": "llama3", "llama31": "llama3", "gemma": "gemma", "deepseekV2": "deepseek-v2"]
        let tokenizers = try names.mapValues(Fixtures.tokenizer)
        for item in try Fixtures.document("chat.json").elements() {
            let name = try item.required("template").string()
            let template = try template(name, date: item.optional("date").map { try $0.string() })
            let messages = try item.required("messages").elements().map { message in
                ChatMessage(
                    try #require(.init(rawValue: message.required("role").string())),
                    try message.required("content").string())
            }
            let prompt = try item.required("generationPrompt").boolean()
            let tokenizer = try #require(tokenizers[name])
            guard let text = try item.optional("text").map({ try $0.string() }) else {
                #expect(throws: TextError.self) {
                    try tokenizer.encode(chat: messages, template: template, addGenerationPrompt: prompt)
                }
                continue
            }
            let rendered = try template.render(
                messages, addGenerationPrompt: prompt, bos: item.required("bos").string(),
                eos: item.required("eos").string())
            #expect(Array(rendered.utf8) == Array(text.utf8))
            let ids = try item.required("ids").elements().map { Int32(try $0.integer()) }
            #expect(try tokenizer.encode(chat: messages, template: template, addGenerationPrompt: prompt) == ids)
        }
    }

    @Test func unknownSpecialToken() throws {
        let tokenizer = try Tokenizer(
            tokenizerJSON: Data(contentsOf: Fixtures.directory.appendingPathComponent("gemma/tokenizer.json")))
        let error = #expect(throws: TextError.self) {
            try tokenizer.encode(chat: [ChatMessage(.user, "x")], template: .gemma, addGenerationPrompt: true)
        }
        #expect(
            error?.description == "'tokenizer.json': no bos_token is known, which chat template 'gemma' writes.")
    }

    private func template(_ name: String, date: String?) throws -> ChatTemplate {
        switch name {
        case "llama3": .llama3
        case "llama31": date.map { .llama31(date: $0) } ?? .llama31()
        case "gemma": .gemma
        default: .deepseekV2
        }
    }

    @Test func refusals() {
        let cases: [([ChatMessage], String)] = [
            ([], "Chat template 'gemma' cannot render message 0: there is no message."),
            (
                [ChatMessage(.system, "x")],
                "Chat template 'gemma' cannot render message 0: a system message needs a user message after it."
            ),
            (
                [ChatMessage(.system, "x"), ChatMessage(.user, "a"), ChatMessage(.user, "b")],
                "Chat template 'gemma' cannot render message 2: user and assistant must alternate, the user first."
            ),
        ]
        for (messages, sentence) in cases {
            let error = #expect(throws: TextError.self) {
                try ChatTemplate.gemma.render(messages, addGenerationPrompt: true, bos: "", eos: "")
            }
            #expect(error?.description == sentence)
        }
    }
}

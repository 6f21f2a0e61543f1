import Foundation
import Testing
import Text

/// Special tokens from the files beside a tokenizer.json.
struct SpecialTokensTests {
    /// A directory with the gpt2 fixture and these further files.
    private func directory(_ files: [String: String]) throws -> URL {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Fixtures.directory.appendingPathComponent("gpt2/tokenizer.json"),
            to: directory.appendingPathComponent("tokenizer.json"))
        for (name, text) in files {
            try Data(text.utf8).write(to: directory.appendingPathComponent(name))
        }
        return directory
    }

    private func read(_ files: [String: String]) throws -> Tokenizer {
        let directory = try directory(files)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try Tokenizer(directory: directory)
    }

    @Test func namesComeFirst() throws {
        let tokens = try read([
            "tokenizer_config.json":
                #"{"bos_token": "<|endoftext|>", "eos_token": {"content": "in", "normalized": false}}"#,
            "generation_config.json": #"{"eos_token_id": [7, 3]}"#,
            "config.json": #"{"bos_token_id": 1, "eos_token_id": 9}"#,
        ]).specialTokens
        let word = try #require(try Fixtures.tokenizer("gpt2").id(of: "in"))
        #expect(tokens.bos == .init(text: "<|endoftext|>", id: 900))
        #expect(tokens.eos == .init(text: "in", id: word))
        #expect(tokens.stopIDs == [3, 7, 9, word])
    }

    @Test func idsWhereThereAreNoNames() throws {
        let tokens = try read(["config.json": #"{"bos_token_id": 900, "eos_token_id": [2, 4]}"#]).specialTokens
        #expect(tokens.bos == .init(text: "<|endoftext|>", id: 900))
        #expect(tokens.eos == .init(text: "#", id: 2))
        #expect(tokens.stopIDs == [2, 4])
    }

    @Test func settingsAddBothEnds() throws {
        let tokenizer = try read([
            "tokenizer_config.json":
                ##"{"bos_token": "!", "eos_token": "#", "add_bos_token": true, "add_eos_token": true}"##
        ])
        #expect(tokenizer.encode("!") == [0, 0, 2])
        #expect(tokenizer.encode("!", addSpecialTokens: false) == [0])
        #expect(tokenizer.decode([0, 1, 2], skipSpecialTokens: true) == "\"")
    }

    @Test(arguments: [
        (
            #"{"bos_token": "<q>"}"#,
            "key 'bos_token' at byte 15: names the token '<q>', which is not in tokenizer.json."
        ),
        (#"{"add_bos_token": 1}"#, "key 'add_bos_token' at byte 18: should be a boolean but is a number."),
        (
            #"{"added_tokens_decoder": {"3": {"content": "<|endoftext|>", "special": true, "normalized": false, "lstrip": false, "rstrip": false, "single_word": false}}}"#,
            "key 'added_tokens_decoder.3' at byte 31: has another id than in tokenizer.json, 900."
        ),
        (
            #"{"added_tokens_decoder": {"x": {}}}"#,
            "key 'added_tokens_decoder.x' at byte 31: should have an id as its key."
        ),
    ])
    func contradictions(_ configuration: String, _ sentence: String) throws {
        let error = #expect(throws: TextError.self) { try read(["tokenizer_config.json": configuration]) }
        #expect(
            error?.description.hasSuffix("/tokenizer_config.json', " + sentence) == true, "\(String(describing: error))"
        )
    }
}

import Foundation
import Models
import Tensors
import Testing

@Suite struct CheckpointGGUFTests {
    /// A copy of a file in which `old`, all occurrences of it, reads `new`, of as many bytes.
    private func problem(_ name: String, _ changes: [(old: [UInt8], new: [UInt8])]) throws -> String {
        let path = try CheckpointFixtures.copy(name)
        defer { unlink(path) }
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        for (old, new) in changes {
            precondition(old.count == new.count)
            var from = data.startIndex
            while let range = data.range(of: Data(old), in: from..<data.endIndex) {
                data.replaceSubrange(range, with: new)
                from = range.upperBound
            }
        }
        try data.write(to: URL(fileURLWithPath: path))
        do {
            _ = try Checkpoint.open(path).model(bits: .sixteen, execution: CheckpointFixtures.execution)
            return "none"
        } catch { return "\(error)".replacingOccurrences(of: path, with: "FILE") }
    }

    private func problem(_ name: String, _ old: String, _ new: String) throws -> String {
        try problem(name, [(Array(old.utf8), Array(new.utf8))])
    }

    /// The bytes of a 32-bit value under a key.
    private func value(_ key: String, _ kind: UInt8, _ bits: UInt32) -> [UInt8] {
        Array(key.utf8) + [kind, 0, 0, 0] + withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }

    @Test func unsupportedModels() throws {
        #expect(
            try problem("llama-f32", "\u{5}\0\0\0\0\0\0\0llama", "\u{5}\0\0\0\0\0\0\0qwen3")
                == "FILE: general.architecture 'qwen3' is not supported; supported: llama, gemma3, deepseek2.")
        #expect(
            try problem("llama-f32", "llama.block_count", "llama.block_cound")
                == "FILE: 'llama.block_count' is missing.")
        #expect(
            try problem(
                "llama-f32", [(value("llama.rope.dimension_count", 4, 32), value("llama.rope.dimension_count", 4, 16))])
                == "FILE: llama.rope.dimension_count '16' is not supported; supported: 32.")
        #expect(
            try problem("llama-f32", [(value("llama.block_count", 4, 2), value("llama.block_count", 4, 3))])
                == "FILE has no tensor 'blk.2.attn_norm.weight'.")
        #expect(
            try problem("llama-f32", [(value("llama.block_count", 4, 2), value("llama.block_count", 4, 1))])
                == "FILE has tensors that the model does not use, 9 of them, the first 'blk.1.attn_k.weight': "
                + "it is a model of another kind.")
        #expect(
            try problem("llama-f32", [(value("llama.block_count", 4, 2), value("llama.block_count", 4, 1 << 31))])
                == "FILE: 'num_hidden_layers' is 2147483648, more than the largest believable number, 65536.")
        #expect(
            try problem("llama-f32", "blk.1.ffn_up.weight", "blk.1.ffn_xx.weight")
                == "FILE has no tensor 'blk.1.ffn_up.weight'.")
    }

    @Test func numbersThatAreNone() throws {
        let path = CheckpointFixtures.path("llama-mixed")
        let file = try GGUFFile(path: path)
        let tensor = try file.tensor("blk.1.ffn_down.weight")
        #expect(tensor.type == .q4_0)
        // The scale of block 5, which is the second of row 1.
        let offset = tensor.range.lowerBound + 5 * 18
        let copy = try CheckpointFixtures.copy("llama-mixed")
        defer { unlink(copy) }
        var data = try Data(contentsOf: URL(fileURLWithPath: copy))
        data[offset] = 0
        data[offset + 1] = 0x7c
        try data.write(to: URL(fileURLWithPath: copy))
        for bits in [WeightBits?.none, .four] {
            #expect {
                try Checkpoint.open(copy).model(bits: bits, execution: CheckpointFixtures.execution)
            } throws: {
                "\($0)".hasPrefix("\(copy): element 160 of tensor 'blk.1.ffn_down.weight', at byte \(offset), is ")
            }
        }
    }

    /// Factors that are not Llama 3's are not taken for them.
    @Test func frequencyFactors() throws {
        let file = try GGUFFile(path: CheckpointFixtures.path("llama-f32"))
        let tensor = try file.tensor("rope_freqs.weight")
        let path = try CheckpointFixtures.copy("llama-f32")
        defer { unlink(path) }
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data.replaceSubrange(
            (tensor.range.lowerBound + 8)..<(tensor.range.lowerBound + 12),
            with: withUnsafeBytes(of: Float(3).bitPattern) { Array($0) })
        try data.write(to: URL(fileURLWithPath: path))
        #expect {
            try Checkpoint.open(path)
        } throws: {
            "\($0)" == "\(path): tensor 'rope_freqs.weight', element 2, '3.0' is not supported; "
                + "supported: the factors of Llama 3's scaling, here 1.0."
        }
    }

    @Test func tokenizers() throws {
        guard case .metadata(let llama) = try CheckpointFixtures.open("llama-f32").tokenizer else {
            Issue.record("llama-f32 has a tokenizer")
            return
        }
        #expect(llama.model == "gpt2" && llama.pre == "llama-bpe" && llama.tokens.count == 80)
        #expect(llama.tokens[79] == "é" && llama.types[78...] == [3, 3] && llama.merges == ["t 0", "t 1"])
        #expect(llama.bosID == 78 && llama.eosID == 79 && llama.unknownID == 0 && llama.endIDs.isEmpty)
        #expect(llama.addsBOS == true && llama.addsEOS == nil && llama.chatTemplate == "{{ messages }}")
        guard case .metadata(let gemma) = try CheckpointFixtures.open("gemma-q8_0").tokenizer else {
            Issue.record("gemma-q8_0 has a tokenizer")
            return
        }
        #expect(gemma.model == "llama" && gemma.scores[79] == -79 && gemma.addsSpacePrefix == false)
        guard case .none = try CheckpointFixtures.open("deepseek-split").tokenizer else {
            Issue.record("deepseek-split has no tokenizer")
            return
        }
    }
}

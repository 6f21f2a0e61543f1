import Foundation
import Tensors

/// The safetensors files of a folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
///
/// - Source: transformers `modeling_utils.py`, `SAFE_WEIGHTS_NAME` and `SAFE_WEIGHTS_INDEX_NAME`.
struct SafetensorsShards {
    /// A tensor and the file that holds it.
    struct Tensor {
        let file: SafetensorsFile
        let entry: SafetensorsFile.Entry
    }

    /// In the order of their names.
    let files: [SafetensorsFile]
    let tensors: [String: Tensor]
    /// What errors about a missing tensor name: the single file, or the index.
    let path: String

    /// Indexes larger than this are refused before they are read.
    static let maximumIndexBytes = 64 << 20
    /// Tensors of all shards together.
    static let maximumTensors = 2 * SafetensorsHeader.maximumTensors

    /// - Throws: ``ModelsError/cannotRead(file:reason:)`` where the folder holds neither; what ``SafetensorsFile``
    ///   throws; ``TensorsError/malformed(file:offset:problem:)`` for a damaged index;
    ///   ``TensorsError/missingTensor(file:tensor:)`` where a shard lacks a tensor that the index says it has.
    init(folder: String) throws {
        let single = folder + "/model.safetensors"
        let index = folder + "/model.safetensors.index.json"
        let manager = FileManager.default
        if manager.fileExists(atPath: single) {
            try self.init(files: [SafetensorsFile(path: single)], path: single)
        } else if manager.fileExists(atPath: index) {
            let shards = try Self.readIndex(index)
            let files = try Set(shards.values).sorted().map { try SafetensorsFile(path: folder + "/" + $0) }
            try self.init(files: files, path: index)
            for (name, shard) in shards where tensors[name]?.file.file.path != folder + "/" + shard {
                throw TensorsError.missingTensor(file: folder + "/" + shard, tensor: name)
            }
        } else {
            throw ModelsError.cannotRead(
                file: folder, reason: "it holds neither model.safetensors nor model.safetensors.index.json")
        }
    }

    private init(files: [SafetensorsFile], path: String) throws {
        var tensors: [String: Tensor] = [:]
        for file in files {
            for (name, entry) in file.entries {
                guard tensors.updateValue(Tensor(file: file, entry: entry), forKey: name) == nil else {
                    throw TensorsError.malformed(
                        file: file.file.path, offset: entry.range.lowerBound,
                        problem: "tensor '\(name)' is in another shard too")
                }
            }
        }
        self.files = files
        self.tensors = tensors
        self.path = path
    }

    /// The shard of each tensor.
    private static func readIndex(_ path: String) throws -> [String: String] {
        let file = try MappedFile(path: path)
        guard file.bytes.count <= maximumIndexBytes else {
            throw TensorsError.unsupported(file: path, what: "an index of more than \(maximumIndexBytes) bytes")
        }
        var shards: [String: String] = [:]
        var json = SafetensorsJSON(bytes: file.bytes, start: 0, file: path)
        json.space()
        try json.object { json, key in
            guard key == "weight_map" else { return try json.skip() }
            try json.object { json, name in
                let shard = try json.text()
                guard !shard.isEmpty, shard != "..", !shard.contains("/"), !shard.contains("\0") else {
                    throw json.malformed(
                        "tensor '\(name)' lies in '\(shard)', which is not the name of a file beside it")
                }
                guard shards.updateValue(shard, forKey: name) == nil else {
                    throw json.malformed("tensor '\(name)' comes twice")
                }
                guard shards.count <= maximumTensors else {
                    throw json.malformed("it names more than \(maximumTensors) tensors")
                }
            }
        }
        try json.end()
        guard !shards.isEmpty else {
            throw TensorsError.malformed(file: path, offset: 0, problem: "weight_map is missing")
        }
        return shards
    }
}

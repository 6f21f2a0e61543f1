import CKernels
import Tensors

/// The tensors of a folder that transformers or mlx-lm wrote.
struct FolderTensors: CheckpointTensors {
    private let shards: SafetensorsShards
    private let quantization: MLXQuantization?
    private let names: FolderNames

    init(shards: SafetensorsShards, quantization: MLXQuantization?) throws {
        self.shards = shards
        self.quantization = quantization
        names = FolderNames(tensors: shards.tensors.keys)
    }

    var files: [StoredFile] {
        shards.files.map { file in
            StoredFile(
                file: file.file, headBytes: file.dataStart,
                ranges: file.entries.values.map(\.range).sorted { $0.lowerBound < $1.lowerBound })
        }
    }

    var required: Set<String> { Set(shards.tensors.keys.filter(names.isRequired)) }

    var matrices: [MatrixFacts] {
        shards.tensors.values.filter { names.isWeight($0.entry.name) && $0.entry.shape.count > 1 }.compactMap(facts)
    }

    private func facts(_ tensor: SafetensorsShards.Tensor) -> MatrixFacts? {
        let entry = tensor.entry
        let last = entry.shape.last!
        if let type = GGMLType(entry.dtype) {
            return MatrixFacts(
                encoding: type.name.lowercased(), half: type.half, cols: last, bytes: entry.range.count,
                isRouter: entry.name.hasSuffix(FolderNames.router), storage: type.storage(half: type.half))
        }
        guard let quantization, let scales = shards.tensors[FolderNames.sibling(entry.name, "scales")] else {
            return nil
        }
        let bits = quantization.bits(of: FolderNames.module(entry.name))
        let half = AffineMatrix.half(scales.entry.dtype)
        return MatrixFacts(
            encoding: "q\(bits)-g\(Linear.groupSize)" + (scales.entry.dtype == .f32 ? " with f32 scales" : ""),
            affineBits: bits, half: half, cols: last * 32 / bits, bytes: entry.range.count,
            storage: AffineMatrix.storage(bits: bits, half: half), isQuantized: true)
    }

    func matrix(_ name: String, rows: Int, cols: Int) throws -> any StoredMatrix {
        let place = names.place(of: name) { shards.tensors[$0] != nil }
        guard let weight = shards.tensors[place.tensor] else {
            throw TensorsError.missingTensor(file: shards.path, tensor: place.tensor)
        }
        if let quantization, weight.entry.dtype == .u32 {
            return try affine(place, weight, bits: quantization.bits(of: FolderNames.module(place.tensor)), rows, cols)
        }
        let start = try start(of: weight, place, rows: rows, cols: cols)
        guard let type = GGMLType(weight.entry.dtype) else {
            throw mismatch(weight, "of F32, F16 or BF16")
        }
        return BlockMatrix(
            file: weight.file.file, tensors: [place.tensor], type: type, start: start, rows: rows, cols: cols,
            half: type.half)
    }

    func vector(_ name: String, count: Int) throws -> (row: any StoredMatrix, shift: Float) {
        let stored = names.stored(name)
        guard let tensor = shards.tensors[stored] else {
            throw TensorsError.missingTensor(file: shards.path, tensor: stored)
        }
        guard tensor.entry.shape == [count] else { throw mismatch(tensor, "[\(count)]") }
        guard let type = GGMLType(tensor.entry.dtype) else { throw mismatch(tensor, "of F32, F16 or BF16") }
        let row = BlockMatrix(
            file: tensor.file.file, tensors: [stored], type: type, start: tensor.entry.range.lowerBound, rows: 1,
            cols: count, half: KL_F16)
        return (row, 0)
    }

    private func affine(
        _ place: FolderNames.Place, _ weight: SafetensorsShards.Tensor, bits: Int, _ rows: Int, _ cols: Int
    ) throws -> AffineMatrix {
        guard cols % Linear.groupSize == 0 else { throw mismatch(weight, "a matrix of \(cols) columns") }
        let groups = cols / Linear.groupSize
        let codes = try start(of: weight, place, rows: rows, cols: cols * bits / 32)
        let planes = try ["scales", "biases"].map { kind in
            let name = FolderNames.sibling(place.tensor, kind)
            guard let tensor = shards.tensors[name] else {
                throw TensorsError.missingTensor(file: shards.path, tensor: name)
            }
            return (name: name, tensor: tensor, start: try start(of: tensor, place, rows: rows, cols: groups))
        }
        guard let type = GGMLType(planes[0].tensor.entry.dtype) else {
            throw mismatch(planes[0].tensor, "of F32, F16 or BF16")
        }
        guard planes[1].tensor.entry.dtype == planes[0].tensor.entry.dtype else {
            throw mismatch(planes[1].tensor, "of \(planes[0].tensor.entry.dtype.rawValue), as the scales are")
        }
        func plane(_ tensor: SafetensorsShards.Tensor, _ start: Int, _ rowBytes: Int) -> AffineMatrix.Plane {
            AffineMatrix.Plane(file: tensor.file.file, start: start, rowBytes: rowBytes)
        }
        return AffineMatrix(
            tensors: [place.tensor] + planes.map(\.name), rows: rows, cols: cols, bits: bits,
            codes: plane(weight, codes, cols * bits / 8),
            scales: plane(planes[0].tensor, planes[0].start, groups * type.block.bytes),
            biases: plane(planes[1].tensor, planes[1].start, groups * type.block.bytes), scaleType: type)
    }

    /// Offset of the matrix [rows, cols] in its file, or of the expert's part of a stack of such matrices.
    private func start(
        of tensor: SafetensorsShards.Tensor, _ place: FolderNames.Place, rows: Int, cols: Int
    ) throws -> Int {
        let entry = tensor.entry
        guard let expert = place.expert else {
            guard entry.shape == [rows, cols] else { throw mismatch(tensor, "[\(rows), \(cols)]") }
            return entry.range.lowerBound
        }
        guard entry.shape.count == 3, entry.shape[0] > expert, entry.shape[1...] == [rows, cols] else {
            throw mismatch(tensor, "[more than \(expert), \(rows), \(cols)]")
        }
        return entry.range.lowerBound + expert * rows * cols * entry.dtype.size
    }

    private func mismatch(_ tensor: SafetensorsShards.Tensor, _ expected: String) -> TensorsError {
        .wrongTensor(
            file: tensor.file.file.path, tensor: tensor.entry.name, expected: expected,
            found: "\(tensor.entry.dtype.rawValue) \(tensor.entry.shape) at byte \(tensor.entry.range.lowerBound)")
    }
}

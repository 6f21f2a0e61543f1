import CKernels

/// Filling from row-major weights, any range of rows at a time, so that a loader needs no second copy of a matrix.
/// Different rows may be filled in parallel.
extension Linear {
    /// Rows `row ..< row + count` from floats [count, cols] of type `source`: rounded to dense storage (a copy where
    /// the types are equal), or quantized as MLX does it.
    package func fill(row: Int, count: Int, from source: kl_dense, _ x: UnsafeRawPointer, isa: kl_isa) {
        precondition(row >= 0 && row + count <= rows)
        switch storage {
        case .dense(let type): kl_dense_fill(type, bytes, source, x, row, count, cols)
        case .affine4(let half): quantize(row: row, count: count, bits: 4, half, from: source, x, isa: isa)
        case .affine8(let half): quantize(row: row, count: count, bits: 8, half, from: source, x, isa: isa)
        }
    }

    /// Rows `row ..< row + count` of affine storage as MLX keeps them: codes [count, cols · bits / 8], least
    /// significant bits first, scales and biases [count, cols / 64] of the storage's 16-bit type.
    package func fill(
        row: Int, count: Int, codes: UnsafePointer<UInt8>, scales: UnsafePointer<UInt16>, biases: UnsafePointer<UInt16>
    ) {
        precondition(row >= 0 && row + count <= rows)
        switch storage {
        case .affine4: kl_q4_fill(codes, scales, biases, row, count, cols, bytes)
        case .affine8: kl_q8_fill(codes, scales, biases, row, count, cols, bytes)
        case .dense: preconditionFailure("dense weights have no codes")
        }
    }

    private func quantize(
        row: Int, count: Int, bits: Int, _ half: kl_half, from source: kl_dense, _ x: UnsafeRawPointer, isa: kl_isa
    ) {
        let groups = cols / Self.groupSize
        let rowBytes = cols * (source == KL_DENSE_F32 ? 4 : 2)
        var floats = [Float](repeating: 0, count: cols)
        var codes = [UInt8](repeating: 0, count: cols * bits / 8)
        var scales = [UInt16](repeating: 0, count: groups)
        var biases = scales
        for index in 0..<count {
            let from = x + index * rowBytes
            if source == KL_DENSE_F32 {
                floats.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: from, count: rowBytes)) }
            } else {
                kl_half_to_f32(
                    isa, source == KL_DENSE_F16 ? KL_F16 : KL_BF16, from.assumingMemoryBound(to: UInt16.self), cols, &floats)
            }
            kl_affine_encode(isa, Int32(bits), Int32(Self.groupSize), half, floats, 1, cols, cols, &codes, &scales, &biases)
            fill(row: row + index, count: 1, codes: codes, scales: scales, biases: biases)
        }
    }
}

extension Linear {
    /// Row `row` becomes row `source` of a matrix of the same storage and columns, bit by bit.
    func fill(row: Int, copying source: Int, of other: Linear) {
        precondition(storage == other.storage && cols == other.cols)
        // A panel is a list of lines; each holds as many bytes of every row.
        let lines: [(count: Int, bytes: Int)] =
            switch storage {
            case .affine4: [(8, 4), (2, 2)]
            case .affine8: [(16, 4), (2, 2)]
            case .dense(let type): [(1, type == KL_DENSE_F32 ? 4 : 2)]
            }
        let records = if case .dense = storage { cols } else { cols / Self.groupSize }
        let panelBytes = Self.byteCount(rows: 1, cols: cols, storage: storage)
        var to = bytes + row / Self.panelRows * panelBytes
        var from = other.bytes + source / Self.panelRows * panelBytes
        for _ in 0..<records {
            for line in lines {
                for _ in 0..<line.count {
                    (to + row % Self.panelRows * line.bytes).update(
                        from: from + source % Self.panelRows * line.bytes, count: line.bytes)
                    to += Self.panelRows * line.bytes
                    from += Self.panelRows * line.bytes
                }
            }
        }
    }
}

import CKernels

/// Rows that go into a matrix product: floats, and for the fast path their 8-bit form or, packed for tiles, their 16-bit
/// one.
package struct Activations {
    /// [rows, cols] at `values + row * stride`
    package let values: UnsafeMutablePointer<Float>
    package let stride: Int
    /// Records of groups of 64 as `kl_quantize_inputs` makes them, [rows, cols / 64]
    package let records: UnsafeMutablePointer<UInt8>
    /// [rows, cols / 64]
    package let scales: UnsafeMutablePointer<Float>
    /// [rows, cols / 64]
    package let sums: UnsafeMutablePointer<Float>
    /// bfloat16, as `kl_bf16_rows_pack` lays them out: room for whole tiles of rows.
    package let packed: UnsafeMutablePointer<UInt16>

    package init(
        values: UnsafeMutablePointer<Float>, stride: Int, records: UnsafeMutablePointer<UInt8>,
        scales: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>, packed: UnsafeMutablePointer<UInt16>
    ) {
        self.values = values
        self.stride = stride
        self.records = records
        self.scales = scales
        self.sums = sums
        self.packed = packed
    }

    /// Bytes of `records` for rows of `cols` columns.
    package static func recordBytes(rows: Int, cols: Int) -> Int {
        rows * ((cols + Linear.groupSize - 1) / Linear.groupSize) * Int(KL_INPUT_RECORD)
    }

    /// Elements of `packed` for rows of `cols` columns.
    package static func packedCount(rows: Int, cols: Int) -> Int { kl_bf16_rows_size(rows, cols) }
}

extension Execution {
    /// Makes the form of `input` that the fast path takes, of those rows in `rows` that belong to `runs`; `cols` is their
    /// width. Where rows are no whole groups there is none, since then only dense weights take them. Runs inside a region.
    package func quantize(_ input: Activations, rows: Range<Int>, cols: Int, runs: [RowRun]) {
        guard compute == .fast, cols % Linear.groupSize == 0 else { return }
        let groups = cols / Linear.groupSize
        for run in runs {
            let part = run.rows.clamped(to: rows)
            guard !part.isEmpty else { continue }
            let first = part.lowerBound
            let values = input.values + first * input.stride
            if run.inTiles {
                kl_bf16_rows_pack(isa, values, first, part.count, cols, input.stride, input.packed)
            } else {
                kl_quantize_inputs(
                    isa, values, part.count, cols, input.stride, input.records + Activations.recordBytes(rows: first, cols: cols),
                    input.scales + first * groups, input.sums + first * groups)
            }
        }
    }

    /// Calls `body` on chunks of `rows` rows in parallel.
    func forEachChunk(of rows: Int, _ body: (Range<Int>) -> Void) {
        let part = 16
        workers.run((rows + part - 1) / part) { index, _ in body(index * part..<min(rows, (index + 1) * part)) }
    }
}

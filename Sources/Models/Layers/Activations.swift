import CKernels

/// Rows that go into a matrix product: floats, and for the fast path their 8-bit form.
package struct Activations {
    /// [rows, cols] at `values + row * stride`
    package let values: UnsafeMutablePointer<Float>
    package let stride: Int
    /// [rows, cols]
    package let codes: UnsafeMutablePointer<Int8>
    /// [rows, cols / 64]
    package let scales: UnsafeMutablePointer<Float>
    /// [rows, cols / 64]
    package let sums: UnsafeMutablePointer<Float>

    package init(
        values: UnsafeMutablePointer<Float>, stride: Int, codes: UnsafeMutablePointer<Int8>,
        scales: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
    ) {
        self.values = values
        self.stride = stride
        self.codes = codes
        self.scales = scales
        self.sums = sums
    }

    /// The rows from `row` on.
    func dropping(_ row: Int, cols: Int) -> Activations {
        let groups = cols / Linear.groupSize
        return Activations(
            values: values + row * stride, stride: stride, codes: codes + row * cols, scales: scales + row * groups,
            sums: sums + row * groups)
    }
}

extension Execution {
    /// Quantizes rows `rows` of `input`, each `cols` wide, where the fast path can use that: not where rows are no
    /// whole groups, since then only dense weights take them. Runs inside a region.
    package func quantize(_ input: Activations, rows: Range<Int>, cols: Int) {
        guard compute == .fast, cols % Linear.groupSize == 0 else { return }
        let part = input.dropping(rows.lowerBound, cols: cols)
        kl_quantize_activations(isa, part.values, rows.count, cols, input.stride, part.codes, part.scales, part.sums)
    }

    /// Calls `body` on chunks of `rows` rows in parallel.
    func forEachChunk(of rows: Int, _ body: (Range<Int>) -> Void) {
        let part = 16
        workers.run((rows + part - 1) / part) { index, _ in body(index * part..<min(rows, (index + 1) * part)) }
    }
}

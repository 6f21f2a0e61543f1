import CKernels

/// RMSNorm: x / rms(x) · (weight + offset).
struct Norm: Sendable {
    let weight: [Float]
    /// 0, or 1 for Gemma, whose weights are stored as differences from 1.
    var offset: Float = 0
    let epsilon: Float

    /// Normalises one row of `weight.count` elements; in place when both pointers are the same.
    func apply(_ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, isa: kl_isa) {
        kl_rms_norm(isa, x, weight, offset, epsilon, weight.count, out)
    }

    /// normed = Norm(hidden) for `rows` rows, and the form of it that products take.
    func apply(to step: Step, rows: Int) {
        let width = weight.count
        let out = step.scratch.normed
        step.execution.forEachChunk(of: rows) { chunk in
            for row in chunk {
                apply(step.scratch.hidden + row * width, into: out.values + row * width, isa: step.execution.isa)
            }
            step.quantize(out, rows: chunk, cols: width)
        }
    }
}

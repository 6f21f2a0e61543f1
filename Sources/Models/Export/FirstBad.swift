import CKernels
import Synchronization

/// The first element, in the order of the matrix, that workers have found to be unfit.
final class FirstBad: Sendable {
    private let found = Mutex<(element: Int, value: Float)?>(nil)

    var first: (element: Int, value: Float)? { found.withLock { $0 } }

    func note(element: Int, value: Float) {
        found.withLock { if $0.map({ element < $0.element }) ?? true { $0 = (element, value) } }
    }
}

extension ExportType {
    /// Index of the first element that is not finite or too large; nil for none.
    func firstBeyond(_ x: UnsafePointer<Float>, count: Int) -> Int? {
        let index = kl_first_beyond(x, count, largestElement)
        return index < 0 ? nil : Int(index)
    }
}

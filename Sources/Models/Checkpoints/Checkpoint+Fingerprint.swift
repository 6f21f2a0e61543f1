import Crypto
import Foundation
import Tensors

/// A hash of a checkpoint's weights, and over what it is.
public struct WeightsFingerprint: Sendable, Equatable, CustomStringConvertible {
    public enum Coverage: String, Sendable {
        /// Every byte of every file of weights, in the order of the files' names. Seconds for an 8B model.
        case full = "sha256"
        /// The head of every file, and of each tensor up to 16 slices of 256 bytes at even distances. Milliseconds.
        case sampled = "sha256-sampled"
    }

    public let coverage: Coverage
    /// Lower-case hexadecimal.
    public let hex: String

    /// "sha256-sampled:3b…"
    public var description: String { "\(coverage.rawValue):\(hex)" }
}

extension Checkpoint {
    private static let slices = 16
    private static let sliceBytes = 256

    /// Hashes the files as they are now; nothing is remembered from an earlier time.
    public func fingerprint(_ coverage: WeightsFingerprint.Coverage) -> WeightsFingerprint {
        var hash = SHA256()
        for file in tensors.files {
            switch coverage {
            case .full: Self.hash(file.file, 0..<file.file.bytes.count, into: &hash)
            case .sampled:
                file.file.withScatteredReads {
                    Self.hash(file.file, 0..<file.headBytes, into: &hash)
                    for range in file.ranges { Self.sample(file.file, range, into: &hash) }
                }
            }
        }
        return WeightsFingerprint(
            coverage: coverage, hex: hash.finalize().map { String(format: "%02x", $0) }.joined())
    }

    private static func hash(_ file: MappedFile, _ range: Range<Int>, into hash: inout SHA256) {
        let step = 8 << 20
        for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
            let part = start..<min(start + step, range.upperBound)
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.bytes[part]))
            file.release(part)
        }
    }

    private static func sample(_ file: MappedFile, _ range: Range<Int>, into hash: inout SHA256) {
        guard range.count > slices * sliceBytes else { return self.hash(file, range, into: &hash) }
        for slice in 0..<slices {
            let start = range.lowerBound + (range.count - sliceBytes) / (slices - 1) * slice
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.bytes[start..<(start + sliceBytes)]))
        }
    }
}

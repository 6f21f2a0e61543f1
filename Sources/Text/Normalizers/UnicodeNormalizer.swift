import Foundation

/// One of the four Unicode normalization forms, as of Unicode 9.0.
///
/// Hugging Face tokenizers (0.23) have the tables of Unicode 9.0: to them a newer scalar neither decomposes, composes
/// nor moves. Here such a scalar is left as it is and the text on both sides is normalized by Foundation, which gives
/// the same result because normalization is stable for older scalars. Held by `UnicodeNormalizerTests`.
package struct UnicodeNormalizer: Normalizer {
    package enum Form: String, Sendable, CaseIterable {
        case nfc = "NFC"
        case nfd = "NFD"
        case nfkc = "NFKC"
        case nfkd = "NFKD"
    }

    let form: Form

    package init(form: Form) { self.form = form }

    package func normalize(_ text: inout [UInt8]) {
        if text.allSatisfy({ $0 < 0x80 }) { return }
        text = Self.piecewise(String(decoding: text, as: UTF8.self), except: Self.isTooNew) { run in
            // Decomposed twice, because on Linux the marks that come out of U+0F73 or U+FCF4 are not yet in order.
            let isCompatible = form == .nfkc || form == .nfkd
            let first = isCompatible ? run.decomposedStringWithCompatibilityMapping : run
            let decomposed = first.decomposedStringWithCanonicalMapping.decomposedStringWithCanonicalMapping
            return form == .nfc || form == .nfkc ? Self.composed(decomposed) : Array(decomposed.utf8)
        }
    }

    private static func isTooNew(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.isASCII && !scalar.isAssigned(asOf: 9)
    }

    /// Composes a decomposed text.
    ///
    /// Scalars that compose with nothing are kept from Foundation, which on Linux takes the old Korean letters U+1113,
    /// U+1176 and U+11A7 for modern ones and every scalar above U+FFFF for the one with the same lower 16 bits, such as
    /// U+E0065 for an "e".
    private static func composed(_ decomposed: String) -> [UInt8] {
        piecewise(decomposed, except: composesWithNothing) { Array($0.precomposedStringWithCanonicalMapping.utf8) }
    }

    private static func composesWithNothing(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1113...0x1160, 0x1176...0x11A7, 0x11C3...0x11FF: true
        case 0x10000...:
            scalar.properties.canonicalCombiningClass == .notReordered && !composingBeyondPlane0.contains(scalar.value)
        default: false
        }
    }

    /// The scalars above U+FFFF that primary composites are made of, without combining class; as of Unicode 9.0.
    private static let composingBeyondPlane0: Set<UInt32> = [
        0x11099, 0x1109B, 0x110A5, 0x11127, 0x11131, 0x11132, 0x1133E, 0x11347, 0x11357, 0x114B0, 0x114B9, 0x114BA,
        0x114BD, 0x115AF, 0x115B8, 0x115B9,
    ]

    /// Changes the stretches of a text between the scalars that stay as they are.
    private static func piecewise(
        _ text: String, except stays: (Unicode.Scalar) -> Bool, _ change: (String) -> [UInt8]
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        var run = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if stays(scalar) {
                out.append(contentsOf: change(String(run)))
                run = String.UnicodeScalarView()
                out.appendScalar(scalar.value)
            } else {
                run.append(scalar)
            }
        }
        out.append(contentsOf: change(String(run)))
        return out
    }
}

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
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var run = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if isInert(scalar) {
                out.append(contentsOf: normalized(String(run)).utf8)
                run = String.UnicodeScalarView()
                out.appendScalar(scalar.value)
            } else {
                run.append(scalar)
            }
        }
        out.append(contentsOf: normalized(String(run)).utf8)
        text = out
    }

    /// Whether no form changes the scalar and nothing moves past it, so that the text may be cut here.
    ///
    /// Old Korean letters are among them; on Linux, Foundation takes U+1113, U+1176 and U+11A7 for modern ones, which
    /// compose.
    private func isInert(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x80: false
        case 0x1113...0x1160, 0x1176...0x11A7, 0x11C3...0x11FF: true
        default: !scalar.isAssigned(asOf: 9)
        }
    }

    /// Foundation's forms one after the other, because on Linux a single one is not always complete: composing leaves
    /// U+AE84 U+11C2 apart, and decomposing does not order the marks that it makes of U+0F73 or U+FCF4.
    private func normalized(_ text: String) -> String {
        var text = text
        if form == .nfkc || form == .nfkd { text = text.decomposedStringWithCompatibilityMapping }
        text = text.decomposedStringWithCanonicalMapping.decomposedStringWithCanonicalMapping
        return form == .nfc || form == .nfkc ? text.precomposedStringWithCanonicalMapping : text
    }
}

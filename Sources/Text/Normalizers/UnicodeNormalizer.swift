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
            if scalar.isASCII || scalar.isAssigned(asOf: 9) {
                run.append(scalar)
            } else {
                out.append(contentsOf: normalized(String(run)).utf8)
                run = String.UnicodeScalarView()
                out.appendScalar(scalar.value)
            }
        }
        out.append(contentsOf: normalized(String(run)).utf8)
        text = out
    }

    /// Foundation's forms one after the other, because on Linux a single one is not always complete: composing leaves
    /// U+AE84 U+11C2 apart, and compatible decomposition does not order the marks of what it decomposes.
    private func normalized(_ text: String) -> String {
        var text = text
        if form == .nfkc || form == .nfkd { text = text.decomposedStringWithCompatibilityMapping }
        text = text.decomposedStringWithCanonicalMapping
        return form == .nfc || form == .nfkc ? text.precomposedStringWithCanonicalMapping : text
    }
}

import CHDF5

/// Texts as HDF5 keeps them here: one length for all, shorter ones padded with NUL.
struct FixedTexts {
    /// Bytes of each text.
    let width: Int
    /// `count × width` bytes.
    let bytes: [UInt8]

    /// - Throws: ``ResultsError/unstorable(what:problem:)`` when a text holds a NUL, which padding would hide.
    init(_ texts: [String], of what: () -> String) throws(ResultsError) {
        let width = max(1, texts.lazy.map(\.utf8.count).max() ?? 1)
        var bytes = [UInt8](repeating: 0, count: texts.count * width)
        for (row, text) in texts.enumerated() {
            for (i, byte) in text.utf8.enumerated() {
                if byte == 0 {
                    let text = texts.count == 1 ? "it" : "text \(row)"
                    throw .unstorable(what: what(), problem: "\(text) holds a NUL character")
                }
                bytes[row * width + i] = byte
            }
        }
        self.width = width
        self.bytes = bytes
    }

    /// The texts in `bytes`, each `width` long; nil when one is not UTF-8.
    static func decode(_ bytes: [UInt8], width: Int, count: Int) -> [String]? {
        var texts: [String] = []
        texts.reserveCapacity(count)
        for row in 0..<count {
            let field = bytes[row * width..<(row + 1) * width]
            let used = field.lastIndex { $0 != 0 }.map { $0 + 1 } ?? field.startIndex
            guard let text = String(validating: field[..<used], as: UTF8.self) else { return nil }
            texts.append(text)
        }
        return texts
    }
}

/// The name of `names` that a mistyped `name` most likely meant: the least edit distance, if that is at most
/// a third of the name's length (and at least 2 is allowed).
public func nearestName(to name: String, in names: [String]) -> String? {
    let wanted = Array(name.lowercased().utf8)
    let best = names.map { ($0, editDistance(wanted, Array($0.lowercased().utf8))) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, wanted.count / 3) else { return nil }
    return best.0
}

/// Levenshtein distance.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(min(above, row[j]) + 1, diagonal + (x == y ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}

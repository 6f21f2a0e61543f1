/// WikiText in its raw form, as in `wiki.test.raw` of `wikitext-2-raw-v1.zip`.
///
/// A line is a paragraph, with a space before and after it; an article begins with a heading of one equals sign between empty
/// lines, its sections have two or more:
/// ```
///  = Lighthouse =
///
///  A lighthouse is a tower …
///
///  = = Lamps = =
/// ```
/// - Source: Merity, Xiong, Bradbury, Socher: Pointer Sentinel Mixture Models. ICLR 2017.
public enum WikiText {
    /// Does the text begin as WikiText does?
    public static func isWikiText(_ text: String) -> Bool {
        text.prefix(4096).split(separator: "\n").first { !isEmpty($0) }.map(isTitle) ?? false
    }

    /// The articles, in order; together they are the text, to the byte.
    /// - Throws: ``TextError/inconsistent(file:problem:)`` for the word-level edition, in which rare words are `<unk>`:
    ///   perplexities on it are not those on the text.
    public static func articles(_ text: String, file: String) throws(TextError) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let unknown = lines.reduce(0) { $0 + $1.split(separator: " ").count { $0 == "<unk>" } }
        // A raw article may speak of such a word.
        guard unknown * 10_000 <= text.utf8.count else {
            throw .inconsistent(
                file: file,
                problem: "\(unknown) of its words are <unk>, so it is the word-level edition; take wikitext-2-raw-v1")
        }
        var articles: [String] = []
        var start = text.startIndex
        var isFirst = true
        for (index, line) in lines.enumerated() where isTitle(line) {
            let before = index == 0 || isEmpty(lines[index - 1])
            let after = index + 1 == lines.count || isEmpty(lines[index + 1])
            guard before, after else { continue }
            // What stands before the first title belongs to the first article.
            if !isFirst {
                articles.append(String(text[start..<line.startIndex]))
                start = line.startIndex
            }
            isFirst = false
        }
        articles.append(String(text[start...]))
        return articles
    }

    private static func isEmpty(_ line: Substring) -> Bool { line.allSatisfy(\.isWhitespace) }

    /// " = Title = ", and not " = = Section = = ".
    private static func isTitle(_ line: Substring) -> Bool {
        let words = line.split(separator: " ")
        return words.count >= 3 && words[0] == "=" && words[words.count - 1] == "=" && words[1] != "="
            && words[words.count - 2] != "="
    }
}

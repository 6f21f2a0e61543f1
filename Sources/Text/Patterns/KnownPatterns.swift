/// The regular expressions that have a scanner.
package enum KnownPatterns {
    /// The scanner for the text of a pattern, or nil.
    package static func pattern(_ text: String) -> (any SplitPattern)? {
        let isText = { (other: String) in text.utf8.elementsEqual(other.utf8) }
        if isText(GPT2Pattern.text) { return GPT2Pattern() }
        if isText(Llama3Pattern.text(digits: 3)) { return Llama3Pattern(digits: 3) }
        if isText(Llama3Pattern.text(digits: 1)) { return Llama3Pattern(digits: 1) }
        if isText(LineEndSpacePattern.text) { return LineEndSpacePattern() }
        return ClassRunPattern(text)
    }

    /// The scanner for a pattern that stands in this module.
    static func own(_ text: String) -> any SplitPattern {
        guard let pattern = pattern(text) else { preconditionFailure("no scanner for \(text)") }
        return pattern
    }

    /// For the sentence that refuses another pattern.
    static let supported = [
        "the patterns of GPT-2, Llama 3 and Qwen 2", LineEndSpacePattern.text,
        #"runs of one set such as \s?\p{L}+, \p{N}{1,3} or [\r\n]"#,
    ]
}

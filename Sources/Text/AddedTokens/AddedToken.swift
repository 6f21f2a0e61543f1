/// A token that is found in the text before anything else is done to it, such as `<|eot_id|>`.
struct AddedToken: Sendable, Equatable {
    var content: [UInt8]
    var id: Int32
    /// Left out by a decoder that skips special tokens.
    var isSpecial = false
    /// Looked for in the normalized text, in its normalized form.
    var isNormalized = false
    /// Takes the white space before it with it.
    var stripsLeft = false
    /// Takes the white space after it with it.
    var stripsRight = false
    /// Only found where no word character stands before or after it.
    var isSingleWord = false
}

/// The lists of split patterns of the DeepSeek checkpoints, applied one after the other.
///
/// Source: `tokenizer.json` of DeepSeek LLM and V2 (`llm`) and of DeepSeek Coder (`coder`), also in llama.cpp. In the
/// long class six scalars change under Unicode normalization, as they have in some copies of the list; they are written
/// here by number.
enum DeepSeekPatterns {
    static let letters =
        #"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-"#
        + "\u{1F7D}ᾀ-ᾴᾶ-ᾼ\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ"
        + "Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
    static let marks = #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#
    static let ideographs = "[一-龥ࠀ-一가-\u{D7FF}]+"

    /// Single digits come last in both.
    static let llmTexts = [#"[\r\n]"#, letters, marks, LineEndSpacePattern.text, ideographs]
    static let coderTexts = [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, ideographs]

    static var llm: [any SplitPattern] { llmTexts.map(KnownPatterns.own) + [PredicatePattern.numeric] }
    static var coder: [any SplitPattern] { coderTexts.map(KnownPatterns.own) + [PredicatePattern.numeric] }
}

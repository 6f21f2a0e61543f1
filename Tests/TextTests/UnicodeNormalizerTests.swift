import Testing
import Text

struct UnicodeNormalizerTests {
    /// Random texts with marks, jamo, compatibility characters and scalars newer than the tables of tokenizers.
    @Test(arguments: UnicodeNormalizer.Form.allCases)
    func equalsTokenizers(_ form: UnicodeNormalizer.Form) throws {
        for item in try Fixtures.document("normalizers.json").elements() {
            let text = try item.required("text").string()
            var normalized = Array(text.utf8)
            UnicodeNormalizer(form: form).normalize(&normalized)
            #expect(normalized == Array(try item.required(form.rawValue).string().utf8), "\(text.debugDescription)")
        }
    }
}

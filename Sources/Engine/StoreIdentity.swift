import Caches
import Foundation
import Models
import Tensors

extension CacheIdentity {
    /// What caches of `model` are marked with.
    /// - Parameter tokenizer: fingerprint of the tokenizer, or "none" where token ids come from elsewhere.
    public init(model: any LanguageModel, tokenizer: String = "none") {
        self.init(model: model.name, weights: model.fingerprint, tokenizer: tokenizer, rope: model.rotaryFingerprint)
    }
}

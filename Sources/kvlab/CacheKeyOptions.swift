import ArgumentParser
import Caches

/// The key of encrypted caches.
struct CacheKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the key that caches are encrypted with: 32 bytes, or 64 hexadecimal digits.",
            discussion: "Without it the key is taken from KVLAB_CACHE_KEY; without either, caches are not encrypted."))
    var keyFile: String?

    func key() throws -> CacheKey? {
        try keyFile.map { try CacheKey(file: $0) } ?? CacheKey.fromEnvironment()
    }
}

import Foundation
import Tensors

/// A HuggingFace `config.json`, read key by key with errors that name the key.
public struct ConfigurationFile {
    public let path: String
    private let object: [String: Any]
    /// Where in the file this object is: empty, or a prefix such as `rope_scaling.`.
    private let prefix: String

    /// - Throws: ``ModelsError/cannotRead(file:reason:)``.
    public init(path: String) throws {
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch TensorsError.cannotOpen(_, let reason) {
            throw ModelsError.cannotRead(file: path, reason: reason)
        } catch {
            throw ModelsError.cannotRead(file: path, reason: "it is empty")
        }
        guard file.bytes.count <= Self.maximumBytes else {
            throw ModelsError.cannotRead(
                file: path,
                reason: "it has \(file.bytes.count) bytes, and no configuration has more than \(Self.maximumBytes)")
        }
        let data = Data(file.bytes)
        guard let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw ModelsError.cannotRead(file: path, reason: "it is not a JSON object")
        }
        self.init(path: path, object: object, prefix: "")
    }

    /// What another file says, as the `config.json` of the same model would: `path` is that file's.
    public init(path: String, object: [String: Any]) {
        self.init(path: path, object: object, prefix: "")
    }

    /// Files larger than this are refused: parsing takes some fifty times as much memory.
    static let maximumBytes = 1 << 20
    /// Numbers larger than this are refused: nothing in a model comes in such numbers.
    public static let maximumInt = 1 << 24
    /// Layers of a model at most: each takes memory before any weight is seen.
    static let maximumLayers = 1 << 16
    /// Elements of a head at most; as above, for each takes a rotary frequency.
    static let maximumWidth = 1 << 16

    private init(path: String, object: [String: Any], prefix: String) {
        self.path = path
        self.object = object
        self.prefix = prefix
    }

    /// The same with `key` set to a whole number.
    public func replacing(_ key: String, with value: Int) -> ConfigurationFile {
        ConfigurationFile(path: path, object: object.merging([key: NSNumber(value: value)]) { $1 }, prefix: prefix)
    }

    /// This object as the text of a file, some keys replaced or added, others left out.
    func json(replacing other: [String: Any], without left: [String]) throws -> Data {
        let object = object.merging(other) { $1 }.filter { !left.contains($0.key) }
        return try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// Is the key there, and not null?
    public func has(_ key: String) -> Bool { object[key] != nil && !(object[key] is NSNull) }

    /// Is null written under the key?
    public func isNull(_ key: String) -> Bool { object[key] is NSNull }

    /// No keys at all.
    public var isEmpty: Bool { object.isEmpty }

    /// An object without keys, as if it stood under `key`.
    func nothing(under key: String) -> ConfigurationFile {
        ConfigurationFile(path: path, object: [:], prefix: prefix + key + ".")
    }

    /// This object with the keys of `other` in place of its own; errors name `other`'s place in the file.
    func updated(with other: ConfigurationFile) -> ConfigurationFile {
        ConfigurationFile(path: path, object: object.merging(other.object) { $1 }, prefix: other.prefix)
    }

    /// All keys, in alphabetical order.
    var keys: [String] { object.keys.sorted() }

    /// The object under `key`, or nil.
    public func object(_ key: String) throws -> ConfigurationFile? {
        guard has(key) else { return nil }
        guard let value = object[key] as? [String: Any] else { throw bad(key, "is not an object") }
        return ConfigurationFile(path: path, object: value, prefix: prefix + key + ".")
    }

    /// A whole number from `minimum` to `maximum`.
    public func int(
        _ key: String, minimum: Int = 1, maximum: Int = ConfigurationFile.maximumInt, default fallback: Int? = nil
    ) throws -> Int {
        guard has(key) else { return try fallback ?? missing(key) }
        guard let number = object[key] as? NSNumber, !isBool(number), number.doubleValue == number.doubleValue.rounded(),
            number.doubleValue >= Double(minimum)
        else { throw bad(key, "must be a whole number of at least \(minimum)") }
        guard number.doubleValue <= Double(maximum) else {
            throw bad(key, "is \(number), more than the largest believable number, \(maximum)")
        }
        return number.intValue
    }

    /// Elements of a head that are turned in pairs.
    func rotatedWidth(_ key: String, default fallback: Int) throws -> Int {
        let width = try int(key, maximum: Self.maximumWidth, default: fallback)
        guard (1...Self.maximumWidth).contains(width), width % 2 == 0 else {
            throw bad(key, "(\(width)) must be even, from 2 to \(Self.maximumWidth)")
        }
        return width
    }

    public func double(_ key: String, default fallback: Double? = nil) throws -> Double {
        guard has(key) else { return try fallback ?? missing(key) }
        guard let number = object[key] as? NSNumber, !isBool(number), number.doubleValue.isFinite else {
            throw bad(key, "must be a number")
        }
        return number.doubleValue
    }

    public func bool(_ key: String, default fallback: Bool) throws -> Bool {
        guard has(key) else { return fallback }
        guard let value = object[key] as? Bool else { throw bad(key, "must be true or false") }
        return value
    }

    public func string(_ key: String, default fallback: String? = nil) throws -> String {
        guard has(key) else { return try fallback ?? missing(key) }
        guard let value = object[key] as? String else { throw bad(key, "must be text") }
        return value
    }

    public func strings(_ key: String) throws -> [String]? {
        guard has(key) else { return nil }
        guard let value = object[key] as? [String] else { throw bad(key, "must be a list of texts") }
        return value
    }

    /// An error about `key`.
    public func bad(_ key: String, _ problem: String) -> ModelsError {
        .badConfiguration(file: path, key: prefix + key, problem: problem)
    }

    /// An error about a number under `key`.
    func unsupported(_ key: String, _ found: Int, _ supported: [Int]) -> ModelsError {
        .unsupported(file: path, what: prefix + key, found: "\(found)", supported: supported.map { "\($0)" })
    }

    /// Refuses anything but one of `supported` under `key`.
    public func require(_ key: String, oneOf supported: [String], default fallback: String) throws -> String {
        let value = try string(key, default: fallback)
        guard supported.contains(value) else {
            throw ModelsError.unsupported(file: path, what: prefix + key, found: value, supported: supported)
        }
        return value
    }

    /// Refuses anything but `value` under any of `keys`.
    func require(_ keys: String..., equal value: Bool) throws {
        for key in keys where try bool(key, default: value) != value {
            throw ModelsError.unsupported(
                file: path, what: prefix + key, found: "\(!value)", supported: ["\(value)"])
        }
    }

    /// Refuses any number but `value` under `key`.
    func require(_ key: String, equals value: Int) throws {
        let found = try double(key, default: Double(value))
        guard found == Double(value) else {
            throw ModelsError.unsupported(
                file: path, what: prefix + key, found: Int(exactly: found).map { "\($0)" } ?? "\(found)",
                supported: ["\(value)"])
        }
    }

    private func missing<T>(_ key: String) throws -> T { throw bad(key, "is missing") }

    /// JSON's true and false come as numbers too.
    private func isBool(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}

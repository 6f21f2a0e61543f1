/// Metadata by key: nil where there is no such key, an error where it is of another kind.
extension GGUFFile {
    /// Lists longer than this are refused before anything is allocated for them: no vocabulary is that large.
    public static let maximumListCount = 1 << 21

    public func text(_ key: String) throws -> String? {
        switch metadata[key] {
        case nil: nil
        case .text(let text)?: text
        case let value?: throw wrong(key, value, "a text")
        }
    }

    public func integer(_ key: String) throws -> Int? {
        switch metadata[key] {
        case nil: nil
        case .unsigned(let number)? where number <= UInt64(Int.max): Int(number)
        case .signed(let number)?: Int(number)
        case let value?: throw wrong(key, value, "a whole number")
        }
    }

    /// A number. 32-bit floats come as the double that their shortest decimal form means: 1e-6, not 9.99999997e-7.
    public func number(_ key: String) throws -> Double? {
        switch metadata[key] {
        case nil: nil
        case .float(let number)? where number.isFinite: Double("\(number)")
        case .double(let number)? where number.isFinite: number
        case .unsigned(let number)?: Double(number)
        case .signed(let number)?: Double(number)
        case let value?: throw wrong(key, value, "a finite number")
        }
    }

    public func bool(_ key: String) throws -> Bool? {
        switch metadata[key] {
        case nil: nil
        case .bool(let value)?: value
        case let value?: throw wrong(key, value, "true or false")
        }
    }

    /// - Throws: ``TensorsError/malformed(file:offset:problem:)`` for a text that is not UTF-8.
    public func texts(_ key: String) throws -> [String]? {
        try list(key, of: [.text], "a list of texts") { reader, _ in try reader.text() }
    }

    public func integers(_ key: String) throws -> [Int]? {
        try list(
            key, of: [.uint8, .int8, .uint16, .int16, .uint32, .int32, .int64], "a list of whole numbers"
        ) { reader, kind in
            switch try reader.value(kind) {
            case .unsigned(let number): Int(number)
            case .signed(let number): Int(number)
            default: preconditionFailure("the kinds above are whole numbers")
            }
        }
    }

    public func floats(_ key: String) throws -> [Float]? {
        try list(key, of: [.float32], "a list of 32-bit numbers") { reader, _ in
            Float(bitPattern: try reader.integer(UInt32.self))
        }
    }

    public func bools(_ key: String) throws -> [Bool]? {
        try list(key, of: [.bool], "a list of true and false") { reader, _ in try reader.integer(UInt8.self) != 0 }
    }

    private func list<T>(
        _ key: String, of kinds: [GGUFValue.Kind], _ expected: String,
        _ read: (inout GGUFReader, GGUFValue.Kind) throws -> T
    ) throws -> [T]? {
        guard let value = metadata[key] else { return nil }
        guard case .list(let list) = value, kinds.contains(list.kind), list.count <= Self.maximumListCount else {
            throw wrong(key, value, "\(expected), of at most \(Self.maximumListCount)")
        }
        var reader = GGUFReader(bytes: file.bytes, position: list.range.lowerBound, file: file.path)
        var values: [T] = []
        values.reserveCapacity(list.count)
        for index in 0..<list.count {
            reader.subject = "'\(key)'[\(index)]"
            values.append(try read(&reader, list.kind))
        }
        return values
    }

    private func wrong(_ key: String, _ value: GGUFValue, _ expected: String) -> TensorsError {
        .wrongMetadata(file: file.path, key: key, expected: expected, found: value.name)
    }
}

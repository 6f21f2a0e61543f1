import CHDF5

extension HDF5 {
    /// Writes one attribute: 64-bit little-endian, or a fixed-length text.
    static func write(_ attribute: Attribute, on object: hid_t) throws {
        try using(H5Screate(H5S_SCALAR)) { space in
            switch attribute.value {
            case .int(var x):
                try write(attribute.name, on: object, type: kvh5_int64_le(), as: kvh5_native_int64(), space: space, &x)
            case .double(var x):
                try write(
                    attribute.name, on: object, type: kvh5_float64_le(), as: kvh5_native_double(), space: space, &x)
            case .string(let text):
                try write(texts: [text], named: attribute.name, on: object, space: space)
            }
        }
    }

    /// Writes a list of texts as one attribute.
    static func write(texts: [String], named name: String, on object: hid_t) throws {
        try usingVector(texts.count) { try write(texts: texts, named: name, on: object, space: $0) }
    }

    private static func write(texts: [String], named name: String, on object: hid_t, space: hid_t) throws {
        let fixed = try FixedTexts(texts) { "Attribute '\(name)'" }
        try usingTextType(bytes: fixed.width) { type in
            try fixed.bytes.withUnsafeBytes {
                try write(name, on: object, type: type, as: type, space: space, $0.baseAddress!)
            }
        }
    }

    static func write(
        _ name: String, on object: hid_t, type: hid_t, as memory: hid_t, space: hid_t, _ data: UnsafeRawPointer
    ) throws {
        if H5Aexists(object, name) > 0 {
            throw ResultsError.unstorable(what: "Attribute '\(name)'", problem: "it is there already")
        }
        try using(H5Acreate2(object, name, type, space, kvh5_default(), kvh5_default())) {
            try check(H5Awrite($0, memory, data))
        }
    }

    /// Names of the attributes of an object, in order of creation.
    static func attributeNames(of object: hid_t) throws -> [String] {
        var names: [String] = []
        var next: hsize_t = 0
        try withUnsafeMutablePointer(to: &names) { pointer in
            try check(
                H5Aiterate2(
                    object, H5_INDEX_CRT_ORDER, H5_ITER_INC, &next,
                    { _, name, _, out in
                        out!.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name!))
                        return 0
                    }, pointer))
        }
        return names
    }

    /// The values of an attribute: one for a scalar, any number for a list.
    static func values(ofAttribute name: String, on object: hid_t, limit: Int) throws -> ColumnValues {
        try using(H5Aopen(object, name, kvh5_default())) { attribute in
            try using(H5Aget_space(attribute)) { space in
                try using(H5Aget_type(attribute)) { type in
                    try values(type: type, space: space, limit: limit) { H5Aread(attribute, $0, $1) }
                }
            }
        }
    }

    /// Reads all elements of a dataset or attribute through `read(memoryType, buffer)`.
    /// - Parameter limit: the most bytes that a file of its size can hold.
    static func values(
        type: hid_t, space: hid_t, limit: Int, read: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws -> ColumnValues {
        let points = H5Sget_simple_extent_npoints(space)
        let width = H5Tget_size(type)
        guard points >= 0, width > 0 else { throw Failure(reason: "it has no extent") }
        let (total, overflow) = Int(points).multipliedReportingOverflow(by: width)
        guard !overflow, total <= limit else {
            throw Failure(reason: "it claims \(points) elements of \(width) bytes, more than the file can hold")
        }
        let count = Int(points)
        switch H5Tget_class(type) {
        case H5T_INTEGER:
            return .int(try list(count, 0) { read(kvh5_native_int64(), $0) })
        case H5T_FLOAT:
            return .double(try list(count, 0) { read(kvh5_native_double(), $0) })
        case H5T_STRING where H5Tis_variable_str(type) == 0:
            let bytes = try list(count * width, UInt8(0)) { read(type, $0) }
            guard let texts = FixedTexts.decode(bytes, width: width, count: count) else {
                throw Failure(reason: "it holds bytes that are not UTF-8")
            }
            return .string(texts)
        default:
            throw Failure(reason: "it holds neither integers, nor floating-point numbers, nor fixed-length texts")
        }
    }

    private static func list<T>(
        _ count: Int, _ zero: T, _ read: (UnsafeMutableRawPointer) -> herr_t
    ) throws -> [T] {
        var list = [T](repeating: zero, count: count)
        if count > 0 { try list.withUnsafeMutableBytes { try check(read($0.baseAddress!)) } }
        return list
    }
}

import CHDF5

extension HDF5 {
    /// Names of the links of a group, in order of creation.
    static func linkNames(of group: hid_t) throws -> [String] {
        var info = H5G_info_t()
        try check(H5Gget_info(group, &info))
        return try (0..<info.nlinks).map { index in
            func name(_ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> Int {
                H5Lget_name_by_idx(
                    group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, index, buffer, size, kvh5_default())
            }
            let length = name(nil, 0)
            try check(length)
            var bytes = [CChar](repeating: 0, count: length + 1)
            try check(name(&bytes, bytes.count))
            return bytes.withUnsafeBytes { String(decoding: $0.dropLast(), as: UTF8.self) }
        }
    }

    /// All attributes of an object that hold one value, in order of creation.
    static func attributes(of object: hid_t, limit: Int) throws -> [Attribute] {
        try attributeNames(of: object).map { name in
            guard let value = try values(ofAttribute: name, on: object, limit: limit).only else {
                throw Failure(reason: "attribute '\(name)' holds no single value")
            }
            return Attribute(name, value)
        }
    }

    /// A text attribute; nil when the object has none of that name.
    static func text(ofAttribute name: String, on object: hid_t, limit: Int) throws -> String? {
        let exists = H5Aexists(object, name)
        try check(exists)
        guard exists > 0 else { return nil }
        guard case .string(let text)? = try values(ofAttribute: name, on: object, limit: limit).only else {
            throw Failure(reason: "attribute '\(name)' is not a text")
        }
        return text
    }

    /// The table that group `name` holds.
    /// - Throws: ``Failure`` when a dataset is not a column or is not as long as the others.
    static func table(_ name: String, in file: hid_t, limit: Int) throws -> ResultTable {
        try using(H5Gopen2(file, name, kvh5_default())) { group in
            var schema = TableSchema(
                name: name, title: try text(ofAttribute: "title", on: group, limit: limit) ?? "", columns: [])
            var all: [ColumnValues] = []
            var rowCount: Int?
            for link in try linkNames(of: group) {
                let (column, values) = try column(link, in: group, limit: limit)
                if let rowCount, rowCount != values.count {
                    throw Failure(reason: "column '\(link)' has \(values.count) rows where others have \(rowCount)")
                }
                rowCount = values.count
                if link != scaleName {
                    schema.columns.append(column)
                    all.append(values)
                }
            }
            guard let rowCount else { throw Failure(reason: "it has no dataset '\(scaleName)'") }
            return ResultTable(schema: schema, values: all, rowCount: rowCount)
        }
    }

    private static func column(
        _ name: String, in group: hid_t, limit: Int
    ) throws -> (schema: ColumnSchema, values: ColumnValues) {
        do {
            return try using(H5Dopen2(group, name, kvh5_default())) { dataset in
                let values = try using(H5Dget_space(dataset)) { space in
                    guard H5Sget_simple_extent_ndims(space) == 1 else {
                        throw Failure(reason: "it is not one-dimensional")
                    }
                    return try using(H5Dget_type(dataset)) { type in
                        try self.values(type: type, space: space, limit: limit) {
                            H5Dread(dataset, $0, kvh5_all(), kvh5_all(), kvh5_default(), $1)
                        }
                    }
                }
                let schema = ColumnSchema(
                    name, values.kind, units: try text(ofAttribute: "units", on: dataset, limit: limit) ?? "",
                    try text(ofAttribute: "long_name", on: dataset, limit: limit) ?? "")
                return (schema, values)
            }
        } catch let failure as Failure {
            throw Failure(reason: "column '\(name)' cannot be read, \(failure.reason)")
        }
    }
}

extension ColumnValues {
    var count: Int {
        switch self {
        case .int(let list): list.count
        case .double(let list): list.count
        case .string(let list): list.count
        }
    }

    var kind: ColumnKind {
        switch self {
        case .int: .int
        case .double: .double
        case .string: .string
        }
    }

    /// The value of a list of one.
    var only: Value? {
        guard count == 1 else { return nil }
        return switch self {
        case .int(let list): .int(list[0])
        case .double(let list): .double(list[0])
        case .string(let list): .string(list[0])
        }
    }
}

import CHDF5

/// A table is a group: attribute `title`, one equal-length dataset per column, and the dimension scale `row`, which
/// numbers the rows and is of that length too.
///
/// The scale follows the HDF5 Dimension Scale specification, which is attributes only: `CLASS`, `NAME` and
/// `REFERENCE_LIST` on the scale, `DIMENSION_LIST` on each column. Setting them here needs no second library.
extension HDF5 {
    /// Name of the dimension scale; no column may have it.
    static let scaleName = "row"

    /// Writes `table` as a new group of `file`.
    static func write(_ table: ResultTable, in file: hid_t) throws {
        try checkNames(of: table.schema)
        try usingObjectProperties(kvh5_class_group_create()) { properties in
            let made = H5Gcreate2(file, table.schema.name, kvh5_default(), properties, kvh5_default())
            try using(made) { group in
                try write(Attribute("title", .string(table.schema.title)), on: group)
                let rows = ColumnSchema(scaleName, .int, units: "1", "row number, in order of measuring")
                let numbers = ColumnValues.int((0..<table.rowCount).map(Int64.init))
                try write(rows, numbers, of: table.schema.name, in: group) { scale in
                    try write(terminated: "DIMENSION_SCALE", named: "CLASS", on: scale)
                    try write(terminated: scaleName, named: "NAME", on: scale)
                    for (column, values) in zip(table.schema.columns, table.values) {
                        try write(column, values, of: table.schema.name, in: group) {
                            try attachScale(to: $0, in: group)
                        }
                    }
                    try writeReferences(to: table.schema.columns.map(\.name), on: scale, in: group)
                }
            }
        }
    }

    private static func checkNames(of schema: TableSchema) throws {
        var seen: Set<String> = [scaleName]
        for column in schema.columns {
            if let problem = problem(withName: column.name) {
                throw ResultsError.unstorable(
                    what: "Column '\(column.name)' of table '\(schema.name)'", problem: problem)
            }
            if !seen.insert(column.name).inserted {
                throw ResultsError.unstorable(
                    what: "Column '\(column.name)' of table '\(schema.name)'", problem: "the name is taken")
            }
        }
    }

    /// Why `name` cannot name a group or a dataset; nil when it can.
    static func problem(withName name: String) -> String? {
        if name.isEmpty { return "the name is empty" }
        if name == "." || name == ".." { return "the name means a folder" }
        if name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 < 32 }) {
            return "the name holds '/' or a control character"
        }
        return nil
    }

    // MARK: - Columns

    /// Writes one column as a dataset of `group`, checksummed, and hands it to `body`.
    private static func write(
        _ column: ColumnSchema, _ values: ColumnValues, of table: String, in group: hid_t,
        _ body: (hid_t) throws -> Void
    ) throws {
        switch values {
        case .int(let list):
            try list.withUnsafeBytes {
                try write(column, $0, count: list.count, kvh5_int64_le(), as: kvh5_native_int64(), in: group, body)
            }
        case .double(let list):
            try list.withUnsafeBytes {
                try write(column, $0, count: list.count, kvh5_float64_le(), as: kvh5_native_double(), in: group) {
                    try write(Attribute("_FillValue", .double(.nan)), on: $0)
                    try body($0)
                }
            }
        case .string(let list):
            let texts = try FixedTexts(list) { "Column '\(column.name)' of table '\(table)'" }
            try usingTextType(bytes: texts.width) { type in
                try texts.bytes.withUnsafeBytes {
                    try write(column, $0, count: list.count, type, as: type, in: group, body)
                }
            }
        }
    }

    private static func write(
        _ column: ColumnSchema, _ bytes: UnsafeRawBufferPointer, count: Int, _ type: hid_t, as memory: hid_t,
        in group: hid_t, _ body: (hid_t) throws -> Void
    ) throws {
        try usingVector(count) { space in
            try usingObjectProperties(kvh5_class_dataset_create()) { properties in
                if count > 0 {
                    // A checksum needs chunks; at most 1 MiB each, the size of HDF5's chunk cache.
                    var chunk = hsize_t(min(count, max(1, (1 << 20) * count / bytes.count)))
                    try check(H5Pset_chunk(properties, 1, &chunk))
                    // Names repeat in every row: compressed, a column is a tenth or less.
                    try check(H5Pset_shuffle(properties))
                    try check(H5Pset_deflate(properties, 4))
                    try check(H5Pset_fletcher32(properties))
                }
                let made = H5Dcreate2(
                    group, column.name, type, space, kvh5_default(), properties, kvh5_default())
                try using(made) { dataset in
                    if count > 0 {
                        try check(
                            H5Dwrite(dataset, memory, kvh5_all(), kvh5_all(), kvh5_default(), bytes.baseAddress!))
                    }
                    if !column.units.isEmpty { try write(Attribute("units", .string(column.units)), on: dataset) }
                    try write(Attribute("long_name", .string(column.longName)), on: dataset)
                    try body(dataset)
                }
            }
        }
    }

    // MARK: - Dimension scale

    /// The specification wants these two as ASCII with a final NUL, unlike every other text here.
    private static func write(terminated text: String, named name: String, on object: hid_t) throws {
        try using(H5Tcopy(kvh5_c_string())) { type in
            try check(H5Tset_size(type, text.utf8.count + 1))
            try using(H5Screate(H5S_SCALAR)) { space in
                try text.withCString { try write(name, on: object, type: type, as: type, space: space, $0) }
            }
        }
    }

    /// `DIMENSION_LIST`: one list of object references per dimension, here one list of one.
    private static func attachScale(to dataset: hid_t, in group: hid_t) throws {
        var scale = hobj_ref_t()
        try check(kvh5_make_reference(&scale, group, scaleName))
        try using(H5Tvlen_create(kvh5_object_reference())) { type in
            try usingVector(1) { space in
                try withUnsafeMutableBytes(of: &scale) { reference in
                    var list = hvl_t(len: 1, p: reference.baseAddress!)
                    try write("DIMENSION_LIST", on: dataset, type: type, as: type, space: space, &list)
                }
            }
        }
    }

    /// `REFERENCE_LIST`: which datasets use the scale, as records { dataset: reference, dimension: int }.
    private static func writeReferences(to names: [String], on scale: hid_t, in group: hid_t) throws {
        guard !names.isEmpty else { return }
        let referenceBytes = MemoryLayout<hobj_ref_t>.size
        let recordBytes = 2 * referenceBytes  // the int and its padding take as much as the reference
        var records = [UInt8](repeating: 0, count: names.count * recordBytes)
        for (i, name) in names.enumerated() {
            var reference = hobj_ref_t()
            try check(kvh5_make_reference(&reference, group, name))
            withUnsafeBytes(of: reference) {
                records.replaceSubrange(i * recordBytes..<i * recordBytes + referenceBytes, with: $0)
            }
        }
        try using(H5Tcreate(H5T_COMPOUND, recordBytes)) { type in
            try check(H5Tinsert(type, "dataset", 0, kvh5_object_reference()))
            try check(H5Tinsert(type, "dimension", referenceBytes, kvh5_native_int()))
            try usingVector(names.count) { space in
                try records.withUnsafeBytes {
                    try write("REFERENCE_LIST", on: scale, type: type, as: type, space: space, $0.baseAddress!)
                }
            }
        }
    }
}

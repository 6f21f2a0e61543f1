import CHDF5
import Synchronization

/// The HDF5 library, which is not thread-safe: everything goes through ``locked(_:)``.
enum HDF5 {
    private static let lock = Mutex<Void>(())

    /// A call into HDF5 that failed, with the library's own words.
    struct Failure: Error {
        var reason: String
    }

    /// Runs `body` as the only user of HDF5 in this process, with nothing printed to standard error.
    /// Must not be nested.
    static func locked<T: Sendable>(_ body: () throws -> T) throws -> T {
        try lock.withLock { _ in
            kvh5_silence_errors()
            return try body()
        }
    }

    /// Of the library that this process runs with, for example "1.10.8".
    static var version: String {
        var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
        _ = lock.withLock { _ in H5get_libversion(&major, &minor, &release) }
        return "\(major).\(minor).\(release)"
    }

    /// Runs `body` with an identifier just made, and closes it afterwards.
    /// - Throws: ``Failure`` when HDF5 made none.
    static func using<T>(_ identifier: hid_t, _ body: (hid_t) throws -> T) throws -> T {
        guard identifier >= 0 else { throw failure() }
        defer { H5Idec_ref(identifier) }
        return try body(identifier)
    }

    /// - Throws: ``Failure`` when `status` is negative.
    static func check(_ status: some SignedInteger) throws {
        if status < 0 { throw failure() }
    }

    /// The innermost message of HDF5's error stack.
    private static func failure() -> Failure {
        var reason = ""
        withUnsafeMutablePointer(to: &reason) { pointer in
            _ = H5Ewalk2(
                kvh5_error_stack(), H5E_WALK_UPWARD,
                { level, entry, out in
                    if level == 0, let text = entry?.pointee.desc {
                        out!.assumingMemoryBound(to: String.self).pointee = String(cString: text)
                    }
                    return 0
                }, pointer)
        }
        return Failure(reason: reason.isEmpty ? "HDF5 gives no reason" : "HDF5 says '\(reason)'")
    }

    /// A property list whose objects keep their creation order and no times, so that equal content gives equal bytes.
    static func usingObjectProperties<T>(_ objectClass: hid_t, _ body: (hid_t) throws -> T) throws -> T {
        try using(H5Pcreate(objectClass)) { list in
            try check(H5Pset_obj_track_times(list, false))
            try check(H5Pset_attr_creation_order(list, kvh5_creation_order()))
            if objectClass != kvh5_class_dataset_create() {
                try check(H5Pset_link_creation_order(list, kvh5_creation_order()))
            }
            return try body(list)
        }
    }

    /// A one-dimensional dataspace of `count` elements.
    static func usingVector<T>(_ count: Int, _ body: (hid_t) throws -> T) throws -> T {
        var extent = hsize_t(count)
        return try using(H5Screate_simple(1, &extent, nil), body)
    }

    /// A fixed-length, null-padded UTF-8 text of `bytes` bytes, at least one.
    static func usingTextType<T>(bytes: Int, _ body: (hid_t) throws -> T) throws -> T {
        try using(H5Tcopy(kvh5_c_string())) { type in
            try check(H5Tset_size(type, max(1, bytes)))
            try check(H5Tset_cset(type, H5T_CSET_UTF8))
            try check(H5Tset_strpad(type, H5T_STR_NULLPAD))
            return try body(type)
        }
    }
}

/// Files live in memory while HDF5 has them: no file locks, no half-written file, and the system's own error for
/// whatever the disk refuses.
extension HDF5 {
    /// The bytes of a new file whose root group `body` fills.
    static func fileImage(_ body: (hid_t) throws -> Void) throws -> [UInt8] {
        try using(kvh5_memory_access()) { access in
            try check(kvh5_use_first_superblock(access))
            return try usingObjectProperties(kvh5_class_file_create()) { properties in
                try using(kvh5_create_file("image", properties, access)) { file in
                    try check(kvh5_use_new_objects(file))
                    try body(file)
                    try check(H5Fflush(file, H5F_SCOPE_GLOBAL))
                    let size = H5Fget_file_image(file, nil, 0)
                    try check(size)
                    var bytes = [UInt8](repeating: 0, count: size)
                    try check(H5Fget_file_image(file, &bytes, size))
                    return bytes
                }
            }
        }
    }

    /// Opens the bytes of a file and hands its root to `body`.
    static func usingFile<T>(image bytes: [UInt8], _ body: (hid_t) throws -> T) throws -> T {
        try using(kvh5_memory_access()) { access in
            // HDF5 copies the bytes and does not write to them; its parameter is not const.
            try bytes.withUnsafeBytes {
                try check(H5Pset_file_image(access, UnsafeMutableRawPointer(mutating: $0.baseAddress!), $0.count))
            }
            return try using(kvh5_open_file("image", access), body)
        }
    }
}

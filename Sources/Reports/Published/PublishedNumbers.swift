/// The folder of published numbers, `datasets/paper`.
public struct PublishedNumbers: Sendable, Equatable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// The file `<name>.csv` of the folder.
    /// - Throws: as ``PublishedTable/init(named:in:)``.
    public func table(_ name: String) throws -> PublishedTable {
        try PublishedTable(named: name, in: folder)
    }
}

import ArgumentParser
import Caches
import Foundation
import Results

/// Agents' caches on disk.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Agents' caches on disk: list, check, carry elsewhere, remove.",
        discussion: "Example: kvlab cache list --cache-dir caches",
        subcommands: [
            CacheListCommand.self, CacheInspectCommand.self, CacheVerifyCommand.self, CacheExportCommand.self,
            CacheImportCommand.self, CacheEvictCommand.self,
        ])
}

/// Which folder, and how to read it.
struct CacheFolderOptions: ParsableArguments {
    @Option(help: "The folder of agents' caches.")
    var cacheDir: String

    @OptionGroup var key: CacheKeyOptions

    func folder(_ access: CacheFolder.Access) throws -> CacheFolder {
        guard FileManager.default.fileExists(atPath: cacheDir) || access == .readWrite else {
            throw CachesError.cannotUseFolder(folder: cacheDir, reason: "there is no such folder")
        }
        return try CacheFolder(path: cacheDir, access: access, key: key.key())
    }
}

/// Rows as aligned columns, or as JSON with numbers as numbers.
struct CacheOutput: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    typealias Row = [(key: String, value: Value)]

    /// A table, or an array of objects.
    func show(_ rows: [Row]) throws {
        guard json else {
            return ListOptions.printTable(rows.map { $0.map { ($0.key, Self.visible($0.value.text)) } })
        }
        try print(json: rows.map(Self.object))
    }

    /// One thing: a fact per line, or an object.
    func show(_ row: Row) throws {
        guard json else {
            return ListOptions.printTable(row.map { [("fact", $0.key), ("value", Self.visible($0.value.text))] })
        }
        try print(json: Self.object(row))
    }

    private func print(json value: Any) throws {
        let data = try JSONSerialization.data(
            withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        Swift.print(String(decoding: data, as: UTF8.self))
    }

    private static func object(_ row: Row) -> [String: Any] {
        Dictionary(
            row.map { cell -> (String, Any) in
                let key = cell.key.replacing(" ", with: "_")
                switch cell.value {
                case .int(let value): return (key, value)
                case .double(let value): return (key, value)
                case .string(let value): return (key, value)
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// A name as a terminal can show it: what has no picture, or turns the line around, is escaped.
    static func visible(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                scalar.escaped(asASCII: true)
            default: String(scalar)
            }
        }.joined()
    }
}

extension StoredAgent {
    /// The line of a list.
    func row(_ folder: CacheFolder) -> CacheOutput.Row {
        let place = folder.agent(agent)
        return [
            ("agent", .string(agent)), ("model", .string(identity.model)), ("scheme", .string(layout.scheme.description)),
            ("tokens", .int(Int64(tokenCount))), ("bytes", .int(Int64(place.diskBytes))),
            ("segments", .int(Int64(segmentCount))), ("saved", .string(place.savedAt.map(Self.text) ?? "")),
        ]
    }

    private static func text(_ date: Date) -> String { date.formatted(.iso8601) }
}

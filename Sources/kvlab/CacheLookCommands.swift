import ArgumentParser
import Caches
import Foundation
import Results
import Tensors

struct CacheListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the agents of a folder.",
        discussion: "Example: kvlab cache list --cache-dir caches --json")

    @OptionGroup var options: CacheFolderOptions
    @OptionGroup var output: CacheOutput

    func run() throws {
        let folder = try options.folder(.read)
        let listing = try folder.list()
        try output.show(listing.agents.map { $0.row(folder) })
        for (_, reason) in listing.unreadable { Failure.printError(reason) }
        if !listing.unreadable.isEmpty { throw ExitCode.failure }
    }
}

struct CacheInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Say all that is known of an agent's cache; its blocks are not read.",
        discussion: "Example: kvlab cache inspect anna --cache-dir caches")

    @Argument(help: "The agent.")
    var agent: String

    @OptionGroup var options: CacheFolderOptions
    @OptionGroup var output: CacheOutput

    func run() throws {
        let folder = try options.folder(.read)
        let stored = try folder.agent(agent).open(identity: nil, layout: nil)
        let layers = stored.layout.layers
        let windows = Set(layers.compactMap(\.keptWindow)).sorted().map(String.init)
        try output.show(
            stored.row(folder) + [
                ("folder", .string(folder.agent(agent).path)), ("encrypted", .string(folder.isEncrypted ? "yes" : "no")),
                ("weights", .string(stored.identity.weights)), ("tokenizer", .string(stored.identity.tokenizer)),
                ("rope", .string(stored.identity.rope)), ("text sha256", .string(stored.textHash ?? "none")),
                ("mla form", .string(stored.layout.spec.mlaForm.rawValue)), ("layers", .int(Int64(layers.count))),
                ("windowed layers", .int(Int64(layers.count { $0.keptWindow != nil }))),
                ("windows", .string(windows.isEmpty ? "none" : windows.joined(separator: ", "))),
                ("bytes in memory", .int(Int64(stored.blockBytes))),
                ("first tokens", .string(stored.tokens.prefix(8).map(String.init).joined(separator: " "))),
            ])
    }
}

struct CacheVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compare every byte with its checksum; of all agents, or of those named.",
        discussion: "Example: kvlab cache verify --cache-dir caches")

    @Argument(help: "The agents; all by default.")
    var agents: [String] = []

    @OptionGroup var options: CacheFolderOptions
    @OptionGroup var output: CacheOutput

    func run() throws {
        let folder = try options.folder(.read)
        var rows: [CacheOutput.Row] = []
        var isWhole = true
        func add(_ agent: String, _ tokens: Int, _ problem: String?) {
            isWhole = isWhole && problem == nil
            rows.append([
                ("agent", .string(agent)), ("tokens", .int(Int64(tokens))), ("result", .string(problem ?? "whole")),
            ])
        }
        var names = agents
        if names.isEmpty {
            let listing = try folder.list()
            names = listing.agents.map(\.agent)
            for (path, reason) in listing.unreadable { add("in \(path)", 0, reason) }
        }
        let workers = WorkerPool()
        for name in names {
            do {
                let stored = try folder.agent(name).open(identity: nil, layout: nil)
                try stored.verify(workers: workers)
                add(name, stored.tokenCount, nil)
            } catch { add(name, 0, "\(error)") }
        }
        try output.show(rows)
        if !isWhole { throw ExitCode.failure }
    }
}

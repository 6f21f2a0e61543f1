import ArgumentParser
import Caches
import Foundation
import Results
import Tensors

struct CacheExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write an agent's cache to one safetensors file.",
        discussion: """
            Forms: \(ExportForm.allCases.map { "\($0.rawValue): \($0.summary)" }.joined(separator: "; ")).
            What is exported is not encrypted.
            A card can be a part: --last 500, or --from 100 --to 300; in another scheme: --kv; and closed with a shared key or a
            signature, so that nobody can alter it.
            Example: kvlab cache export anna --cache-dir caches --form mlx --out anna.safetensors
            """)

    @Argument(help: "The agent.")
    var agent: String

    @OptionGroup var options: CacheFolderOptions

    @Option(help: "\(ExportForm.allCases.map(\.rawValue).joined(separator: ", ")).")
    var form: String = ExportForm.safetensors.rawValue

    @OptionGroup(title: "Options of cards") var card: CardMakingOptions

    @Option(help: "The file to write.")
    var out: String

    @OptionGroup var output: CacheOutput

    func run() throws {
        guard let form = ExportForm(rawValue: form) else {
            let forms = ExportForm.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--form must be one of \(forms), and is '\(self.form)'.")
        }
        guard form == .card || card.isEmpty else {
            throw ValidationError("--last, --from, --to, --kv, --card-key-file and --sign-with are for --form card.")
        }
        let request = try card.request()
        let stored = try options.folder(.read).agent(agent).open(identity: nil, layout: nil)
        try stored.export(form, to: out, card: request, workers: WorkerPool())
        let size = try FileManager.default.attributesOfItem(atPath: out)[.size] as? Int64
        try output.show([
            ("agent", .string(agent)), ("form", .string(form.rawValue)), ("tokens", .int(Int64(stored.tokenCount))),
            ("bytes", .int(size ?? 0)), ("file", .string(out)),
        ])
    }
}

struct CacheImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in a cache that was exported in the form 'safetensors', or a card.",
        discussion: """
            With --behind a card's tokens are put behind what the agent has; their keys are turned to the new positions then,
            for which the model is named with --weights.
            Example: kvlab cache import anna.safetensors --cache-dir caches --agent 'anna 2'
            """)

    @Argument(help: "The exported file.")
    var file: String

    @OptionGroup var options: CacheFolderOptions

    @Option(help: "The agent's name here; the exported one by default.")
    var agent: String?

    @OptionGroup(title: "Options of cards") var card: CardTakingOptions

    @OptionGroup var output: CacheOutput

    func run() throws {
        if try CardTakingOptions.isCard(file) { return try takeCard() }
        guard card.isEmpty else {
            throw ValidationError("\(file) is no card: --behind, --kv, --weights, --card-key-file and --signer are for cards.")
        }
        let found = try CacheImport(path: file)
        let report = try found.save(in: options.folder(.readWrite), as: agent)
        try output.show([
            ("agent", .string(agent ?? found.agent)), ("model", .string(found.identity.model)),
            ("tokens", .int(Int64(found.tokenCount))), ("bytes", .int(Int64(report.bytesWritten))),
        ])
    }

    private func takeCard() throws {
        let workers = WorkerPool()
        let found = try SealedCard(path: file).open(trust: card.trust(), workers: workers)
        let header = found.header
        let name = agent ?? header.sender
        let report = try options.folder(.readWrite).take(
            found, as: name, behind: card.behind, scheme: card.scheme(), rotations: card.rotations(header), workers: workers)
        try output.show([
            ("agent", .string(name)), ("sender", .string(header.sender)), ("model", .string(header.identity.model)),
            ("tokens", .int(Int64(header.tokenCount))), ("hops", .int(Int64(header.hops + 1))), ("seal", .string(header.seal.rawValue)),
            ("bytes", .int(Int64(report.bytesWritten))),
        ])
    }
}

struct CacheEvictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evict", abstract: "Remove agents' caches from disk.",
        discussion: "Example: kvlab cache evict anna bert --cache-dir caches")

    @Argument(help: "The agents.")
    var agents: [String] = []

    @Flag(help: "Remove every agent's cache.")
    var all = false

    @OptionGroup var options: CacheFolderOptions
    @OptionGroup var output: CacheOutput

    func validate() throws {
        guard agents.isEmpty == all else { throw ValidationError("Name the agents, or give --all.") }
    }

    func run() throws {
        guard FileManager.default.fileExists(atPath: options.cacheDir) else {
            throw CachesError.cannotUseFolder(folder: options.cacheDir, reason: "there is no such folder")
        }
        let folder = try options.folder(.readWrite)
        var rows: [CacheOutput.Row] = []
        for name in all ? try folder.list().agents.map(\.agent) : agents {
            let place = folder.agent(name)
            let bytes = place.diskBytes
            try place.remove()
            rows.append([("agent", .string(name)), ("bytes freed", .int(Int64(bytes)))])
        }
        try output.show(rows)
    }
}

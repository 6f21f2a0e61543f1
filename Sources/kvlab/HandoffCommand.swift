import ArgumentParser
import Caches
import Foundation
import Results
import Tensors

/// Cards from one process or host to another.
struct HandoffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handoff", abstract: "Hand cards of agents' caches to another process or host.",
        discussion: """
            Example, in two terminals:
              kvlab handoff serve --out received --listen 127.0.0.1:7700
              kvlab handoff send anna.safetensors --to 127.0.0.1:7700
            """,
        subcommands: [HandoffServeCommand.self, HandoffSendCommand.self])
}

/// The key that both ends share.
struct LinkKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the key that both ends share: 32 bytes, or 64 hexadecimal digits.",
            discussion: "With it every message is authenticated; nothing is encrypted."))
    var linkKeyFile: String?

    func key() throws -> CacheKey? { try linkKeyFile.map { try CacheKey(file: $0) } }
}

struct HandoffServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Take cards and put them into a folder.",
        discussion: """
            A card that breaks off is kept in part, and goes on there when it is sent again. Only this machine is listened to
            unless --listen names another address; then give --link-key-file.
            Example: kvlab handoff serve --out received --count 1
            """)

    @Option(help: "The folder for cards; it is made where it is missing.")
    var out: String

    @Option(help: "HOST:PORT, or unix:PATH; port 0 is any free one.")
    var listen = "127.0.0.1:0"

    @Option(help: "Leave after so many cards; never by default.")
    var count: Int?

    @OptionGroup var link: LinkKeyOptions

    @Option(help: "Take only cards that were closed with the shared key in this file.")
    var cardKeyFile: String?

    @Option(help: "Take only cards signed with this public key, 64 hexadecimal digits; may be given more than once.")
    var signer: [String] = []

    func validate() throws {
        guard cardKeyFile == nil || signer.isEmpty else { throw ValidationError("Give --card-key-file or --signer.") }
        guard (count ?? 1) >= 1 else { throw ValidationError("--count must be at least 1.") }
    }

    func run() throws {
        let trust: CardTrust = try cardKeyFile.map { .secret(try CacheKey(file: $0)) }
            ?? (signer.isEmpty ? .anyone : .signers(Set(signer.map { $0.lowercased() })))
        let key = try link.key()
        try FileManager.default.createDirectory(
            atPath: out, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let receiver = CardReceiver(try LinkListener(on: LinkAddress(listen)), key: key, folder: out)
        say("Listening at \(receiver.address).")
        let workers = WorkerPool()
        var taken = 0
        while taken < count ?? .max {
            do {
                try receiver.serve { arrival in
                    let card = try arrival.card.open(trust: trust, workers: workers)
                    taken += 1
                    say(
                        "\(arrival.path ?? ""): \(card.header.tokenCount) tokens of \(CacheOutput.visible(card.header.sender)), "
                            + "\(card.bytes.count) bytes, "
                            + String(format: "%.0f MB/s", Double(arrival.receivedBytes) / arrival.seconds / 1e6))
                }
            } catch let error as CachesError {
                // One bad sender is no reason to leave.
                if case .noLink = error { throw error }
                Failure.printError("\(error)")
            }
        }
    }

    /// At once, whoever reads it.
    private func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}

struct HandoffSendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a card that 'cache export --form card' wrote.",
        discussion: "Example: kvlab handoff send anna.safetensors --to 127.0.0.1:7700 --measure-link 256")

    @Argument(help: "The card.")
    var file: String

    @Option(help: "HOST:PORT, or unix:PATH.")
    var to: String

    @OptionGroup var link: LinkKeyOptions

    @Option(help: "First send so many MB that mean nothing, and say how fast the link took them.")
    var measureLink: Int = 0

    @OptionGroup var output: CacheOutput

    func validate() throws {
        guard (0...4000).contains(measureLink) else { throw ValidationError("--measure-link must be from 0 to 4000.") }
    }

    func run() throws {
        let card = try SealedCard(path: file)
        card.read()
        let report = try CardSender(to: LinkAddress(to), key: link.key()).send(card, probeBytes: measureLink * 1_000_000)
        let rate = Double(report.sentBytes) / report.seconds
        var row: CacheOutput.Row = [
            ("card", .string(card.id)), ("bytes", .int(Int64(report.cardBytes))), ("bytes sent", .int(Int64(report.sentBytes))),
            ("seconds", .double(report.seconds)), ("bytes per second", .double(rate)),
        ]
        if let link = report.linkRate {
            row.append(("link bytes per second", .double(link)))
            row.append(("share of the link", .double(rate / link)))
        }
        try output.show(row)
    }
}

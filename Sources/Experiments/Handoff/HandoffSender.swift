import Caches
import Foundation

/// Another process, which sends a card to this one. Nobody waits for it for ever.
package enum HandoffSender {
    /// How long it may take to end when it has sent all.
    private static let endSeconds = 60

    /// This program, or the one beside the tests.
    private static var program: String {
        let own = Bundle.main.executablePath ?? "kvlab"
        return (own as NSString).lastPathComponent == "kvlab" ? own : (own as NSString).deletingLastPathComponent + "/kvlab"
    }

    /// Starts the sender and takes the card into memory.
    /// - Parameters:
    ///   - program: what to start; this program where nil.
    ///   - timeoutSeconds: how long it may take to connect.
    /// - Returns: the card, and seconds from the sender's offer to its last byte: the process runs by then.
    /// - Throws: ``ExperimentsError/senderFailed(program:reason:)``, or a `CachesError`.
    package static func receive(
        _ path: String, at address: LinkAddress, program: String? = nil, timeoutSeconds: Int = 60
    ) throws -> (card: SealedCard, seconds: Double) {
        let program = program ?? Self.program
        let receiver = CardReceiver(try LinkListener(on: address), key: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["handoff", "send", path, "--to", "\(receiver.address)", "--json"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        do { try process.run() } catch {
            throw ExperimentsError.senderFailed(program: program, reason: error.localizedDescription)
        }
        var found: (SealedCard, Double)?
        let link = Result { try receiver.serve(timeoutSeconds: timeoutSeconds) { found = ($0.card, $0.seconds) } }
        // Not the signal that can be refused: a process inherits what the thread that starts it does not listen to.
        var isKilled = false
        if case .failure = link, process.isRunning { isKilled = kill(process.processIdentifier, SIGKILL) == 0 }
        guard ended.wait(timeout: .now() + .seconds(endSeconds)) == .success else {
            kill(process.processIdentifier, SIGKILL)
            throw ExperimentsError.senderFailed(program: program, reason: "it did not end in \(endSeconds) seconds.")
        }
        guard isKilled || process.terminationStatus == 0 else {
            let words = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
            throw ExperimentsError.senderFailed(
                program: program, reason: words.isEmpty ? "it ended with status \(process.terminationStatus)." : words)
        }
        try link.get()
        guard let found else { throw ExperimentsError.senderFailed(program: program, reason: "it sent no card.") }
        return found
    }
}

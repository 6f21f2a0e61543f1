import ArgumentParser
import Experiments
import Foundation

/// kvlab as one contender of `experiments/peers/restore.yaml`, which starts it.
struct RestoreJobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-job", abstract: "Do one job of the restore comparison; see docs/peers.md.", shouldDisplay: false)

    @Argument(help: "The job's JSON file.")
    var file: String

    func run() throws {
        try RestoreSelf.run(file: file) { line in FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
    }
}

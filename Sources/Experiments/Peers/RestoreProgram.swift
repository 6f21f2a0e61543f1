import Foundation

/// A program of the restore comparison: what it loads, and how it is started. A new peer is a case here and a script in
/// `scripts/peers/`.
enum RestoreProgram: String, CaseIterable {
    case kvlab
    case llamaCpp = "llama.cpp"
    case mlxLM = "mlx-lm"
    case transformers

    enum Model {
        case gguf, folder
    }

    /// Whether it loads the Q4_0 file or the folder of the same weights in 16 bits.
    var model: Model { self == .kvlab || self == .llamaCpp ? .gguf : .folder }

    /// The script in `scripts/peers/` that runs it; nil for kvlab, whose own command does.
    var script: String? {
        switch self {
        case .kvlab: nil
        case .llamaCpp: "llama_server.py"
        case .mlxLM: "mlx_lm_cache.py"
        case .transformers: "transformers_cache.py"
        }
    }
}

/// A program and the type of its cache.
struct RestoreContender: Hashable, CustomStringConvertible {
    let program: RestoreProgram
    /// A scheme of kvlab, or what the program calls its type.
    let kv: String

    /// "llama.cpp q4_0"
    var description: String { "\(program.rawValue) \(kv)" }
}

/// Where programs are, and the running of one phase.
struct RestoreRunner {
    /// kvlab itself.
    let kvlab: String
    /// The Python that `make peers` made.
    let python: String
    /// The folder of the peers' scripts.
    let scripts: String

    /// Runs one phase in a process of its own and waits for it.
    /// - Parameter folder: for the job's file and the program's errors.
    func run(_ contender: RestoreContender, _ job: RestoreJob, folder: String) -> RestoreOutcome {
        let file = "\(folder)/job-\(job.phase.rawValue).json"
        do {
            try JSONEncoder().encode(job).write(to: URL(fileURLWithPath: file))
        } catch {
            return RestoreOutcome(failure: "\(file) cannot be written: \(error.localizedDescription)")
        }
        // Programs keep their own time, so that what they started ends with them; this is for one that does not.
        let timeout = job.timeoutSeconds + min(10, job.timeoutSeconds)
        let outcome =
            contender.program.script.map {
                ChildProcess.run(python, ["-B", "\(scripts)/\($0)", file], folder: folder, timeoutSeconds: timeout)
            } ?? ChildProcess.run(kvlab, ["restore-job", file], folder: folder, timeoutSeconds: timeout)
        return RestoreOutcome(output: outcome.output, processFailure: outcome.failure, phase: job.phase)
    }
}

import Foundation
import Synchronization

/// A Python file that defines a scheme, what it says of itself, and the processes that run it.
final class PythonProgram: Sendable {
    let file: String
    /// The first eight hex digits of the file's SHA-256.
    let digits: String
    let traits: PythonTraits
    let encoders: PythonWorkers
    let decoders: PythonWorkers
    private let failure: PythonFailure
    /// Bytes of tiles, by width and kind, as declared.
    private let declared = Mutex<[String: Int]>([:])

    private static let opened = Mutex<[String: PythonProgram]>([:])

    /// The one program of a version of a file.
    static func shared(file: String, source: Data, digits: String) throws -> PythonProgram {
        try opened.withLock { opened in
            if let program = opened["\(file)#\(digits)"] { return program }
            let program = try PythonProgram(file: file, source: source, digits: digits)
            opened["\(file)#\(digits)"] = program
            return program
        }
    }

    private init(file: String, source: Data, digits: String) throws {
        self.file = file
        self.digits = digits
        let failure = PythonFailure()
        self.failure = failure
        encoders = PythonWorkers(file: file, source: source, failure: failure)
        decoders = PythonWorkers(file: file, source: source, failure: failure)
        traits = try encoders.traits()
    }

    /// What the file declares a tile to have.
    /// - Throws: ``SchemeError/python(file:problem:)``.
    func tileBytes(width: Int, _ kind: RowKind) throws -> Int {
        let key = "\(width) \(kind)"
        if let bytes = declared.withLock({ $0[key] }) { return bytes }
        let bytes = try encoders.tileBytes(width: width, kind, tile: traits[kind].tileTokens)
        declared.withLock { $0[key] = bytes }
        return bytes
    }

    /// - Throws: the first thing that went wrong in a worker, and from then on always.
    func check() throws { try failure.check() }
}

/// What a file says of itself besides its functions.
struct PythonTraits: Sendable {
    struct Side: Sendable {
        let tileTokens: Int
        let residual: ResidualWindow
    }

    /// The first line of the file's docstring.
    let summary: String?
    private let keys: Side
    private let values: Side

    subscript(kind: RowKind) -> Side { kind == .keys ? keys : values }

    private struct Message: Decodable {
        struct Side: Decodable {
            var tile: Int
            var residual: Int
            var rule: String
        }
        var summary: String?
        var keys: Side
        var values: Side
    }

    /// - Throws: ``SchemeError/python(file:problem:)`` for what cannot be.
    init(json: Data, file: String) throws {
        let message = try JSONDecoder().decode(Message.self, from: json)
        summary = message.summary
        func side(_ side: Message.Side) throws -> Side {
            guard side.tile > 0, blockTokens % side.tile == 0 else {
                throw SchemeError.python(file: file, problem: "TILE_TOKENS is \(side.tile), which does not divide \(blockTokens)")
            }
            guard side.residual >= 0, side.residual <= 4096, side.residual % side.tile == 0 else {
                throw SchemeError.python(
                    file: file,
                    problem: "RESIDUAL_TOKENS is \(side.residual), which is no multiple of \(side.tile) up to 4096")
            }
            let residual: ResidualWindow
            switch (side.rule, side.residual) {
            case ("whole", 1...): residual = .whole(tokens: side.residual)
            case ("whole", _): residual = side.tile == 1 ? .none : .whole(tokens: side.tile)
            case ("rolling", 0) where side.tile == 1: residual = .none
            case ("rolling", _): residual = .rolling(tokens: side.residual)
            default:
                throw SchemeError.python(file: file, problem: "RESIDUAL_RULE is '\(side.rule)'; write 'rolling' or 'whole'")
            }
            return Side(tileTokens: side.tile, residual: residual)
        }
        keys = try side(message.keys)
        values = try side(message.values)
    }
}

/// The first thing that went wrong with a file.
final class PythonFailure: Sendable {
    private let first = Mutex<SchemeError?>(nil)

    func note(_ error: SchemeError) { first.withLock { $0 = $0 ?? error } }

    func check() throws {
        if let error = first.withLock({ $0 }) { throw error }
    }

    var isNoted: Bool { first.withLock { $0 != nil } }
}

import Foundation

/// Reads damaged files by the thousand; each must be refused with a reason or read in peace.
///
/// For a process of its own, that of an exit test, which a finding ends: a crash, an error of another kind, more than
/// ``memoryGrowth`` on top of the samples' size, or ``secondsPerBatch`` of processor time for ``batch`` files. The file
/// that did it stays where it is.
///
/// Samples, damages and seed are fixed. `KVLAB_FUZZ_SECONDS` runs every test for as long as it says, and then the seed is
/// the time.
public struct Fuzz {
    /// Bytes that a reader may ask for beyond the size of what it reads.
    public static let memoryGrowth = 64 << 20
    public static let batch = 64
    public var secondsPerBatch = 30

    private let name: String
    private let files: [(path: String, bytes: [UInt8])]
    private let seconds: Double
    private let minimumRuns: Int
    private let seed: UInt64

    /// - Parameters:
    ///   - files: files that can be read; one of them is damaged at a time.
    ///   - seconds: for how long, unless `KVLAB_FUZZ_SECONDS` says.
    ///   - minimumRuns: damaged files at least, however long they take.
    public init(_ name: String, files: [(path: String, bytes: [UInt8])], seconds: Double, minimumRuns: Int = 0) {
        let asked = ProcessInfo.processInfo.environment["KVLAB_FUZZ_SECONDS"].flatMap(Double.init)
        self.name = name
        self.files = files
        self.seconds = asked ?? seconds
        self.minimumRuns = minimumRuns
        seed = asked == nil ? 1 : UInt64(Date().timeIntervalSince1970)
    }

    /// Samples of a reader of bytes, of which the last one that was damaged is kept in the folder for temporary files.
    public init(_ name: String, samples: [[UInt8]], seconds: Double) {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-fuzz-\(getpid())"
        self.init(name, files: samples.map { (path, $0) }, seconds: seconds)
    }

    /// Prints what was done. A finding ends the process with its description on standard error.
    /// - Parameters:
    ///   - isRefusal: is the error one that a damaged file may give?
    ///   - read: reads the files, or the bytes of the damaged one. Whole files it must read.
    public func run(isRefusal: (any Error) -> Bool, _ read: ([UInt8]) throws -> Void) {
        do {
            print(try damages(isRefusal, read))
        } catch {
            FileHandle.standardError.write(Data("\(name): \(error)\n".utf8))
            exit(1)
        }
    }

    private func damages(_ isRefusal: (any Error) -> Bool, _ read: ([UInt8]) throws -> Void) throws -> String {
        let written = Dictionary(
            uniqueKeysWithValues: try Set(files.map(\.path)).map { ($0, try DamagedFile(path: $0)) })
        for file in files { try written[file.path]!.write(file.bytes) }
        for file in files { try read(file.bytes) }
        let confinement = try Confinement(
            memoryGrowth: Self.memoryGrowth + files.reduce(0) { $0 + $1.bytes.count })
        var mutator = Mutator(seed: seed, samples: files.map(\.bytes))
        let end = Date(timeIntervalSinceNow: seconds)
        var runs = 0
        var accepted = 0
        repeat {
            try confinement.allowProcessorTime(seconds: secondsPerBatch)
            for _ in 0..<Self.batch {
                let (sample, bytes) = mutator.next()
                let path = files[sample].path
                try written[path]!.write(bytes)
                runs += 1
                do {
                    try read(bytes)
                    accepted += 1
                } catch where isRefusal(error) {
                } catch { throw FuzzError.otherError(file: path, error: "\(error)") }
                if written.count > 1 { try written[path]!.write(files[sample].bytes) }
            }
        } while Date() < end || runs < minimumRuns
        try confinement.checkPeak()
        guard accepted > 0, accepted < runs else { throw FuzzError.sameForAll(accepted: accepted, runs: runs) }
        for path in written.keys { try FileManager.default.removeItem(atPath: path) }
        return "\(name): \(runs) damaged files with seed \(seed), \(accepted) of them still readable"
    }
    /// What the process of an exit test has printed, as text.
    public static func report(_ output: [UInt8]?, _ errors: [UInt8]?) -> String {
        String(decoding: (output ?? []) + (errors ?? []), as: UTF8.self)
    }
}

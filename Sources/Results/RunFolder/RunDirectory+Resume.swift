import Foundation

extension RunDirectory {
    /// What ``RunDirectory/resume(in:matching:)`` found.
    public struct Resumption: Sendable {
        /// The run to go on with; nil when there is none.
        public let directory: RunDirectory?
        /// One sentence per folder that could not be looked into.
        public let warnings: [String]
    }

    /// Finds the newest unfinished run of the same configuration, locks it, removes what a killed run left half
    /// written, and points `latest` to it.
    /// - Parameters:
    ///   - results: the folder of all runs; none is found when it is not there.
    ///   - configurationHash: SHA-256 of the resolved configuration, as in ``RunRecord/configurationHash``.
    /// - Throws: ``ResultsError/inUse(folder:)`` when that run is still going on in another process.
    public static func resume(in results: String, matching configurationHash: String) throws -> Resumption {
        var warnings: [String] = []
        // Names begin with the time, so the newest is last.
        for name in try folders(in: results).sorted(by: >) {
            let path = "\(results)/\(name)"
            do {
                _ = try AtomicFile.bytes(at: "\(path)/\(configurationName)")
                let run = try ResultsFile.read(from: "\(path)/\(resultsName)").run
                guard run.configurationHash == configurationHash, run.finishedAtNanoseconds == nil else { continue }
            } catch {
                warnings.append("Run folder '\(path)' is left out: \(error)")
                continue
            }
            let lock = try FolderLock(folder: path)
            try removeLeftovers(in: path)
            // Once more under the lock: a run that had it until now may have added cells.
            let file = try ResultsFile.read(from: "\(path)/\(resultsName)")
            guard file.run.finishedAtNanoseconds == nil else { continue }
            try AtomicFile.link("\(results)/\(latestName)", to: name)
            return Resumption(directory: RunDirectory(path: path, file: file, lock: lock), warnings: warnings)
        }
        return Resumption(directory: nil, warnings: warnings)
    }

    /// Folders that a run made: they hold `run.yaml` or `results.h5`. Links such as `latest` are not followed.
    private static func folders(in results: String) throws -> [String] {
        guard isFolder(results) else { return [] }
        return try list(results).filter { name in
            let path = "\(results)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
            return [configurationName, resultsName].contains { access("\(path)/\($0)", F_OK) == 0 }
        }
    }

    private static func removeLeftovers(in path: String) throws {
        for name in try list(path) where name.hasPrefix(".") && name.hasSuffix(AtomicFile.suffix) {
            guard unlink("\(path)/\(name)") == 0 else {
                throw ResultsError.cannotWrite(path: "\(path)/\(name)", reason: AtomicFile.reason())
            }
        }
    }

    private static func list(_ folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw ResultsError.cannotRead(path: folder, reason: error.localizedDescription)
        }
    }
}

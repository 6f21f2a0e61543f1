import Foundation

/// An advisory lock on a run folder, held by one process at a time and given back when this is released or the
/// process ends, however it ends. The locked file is `run.yaml`, which is never replaced.
final class FolderLock: Sendable {
    private let file: Int32

    /// - Throws: ``ResultsError/inUse(folder:)`` when another process, or another ``RunDirectory``, holds it;
    ///   ``ResultsError/cannotWrite(path:reason:)`` when `run.yaml` may not be opened for writing.
    init(folder: String) throws(ResultsError) {
        // For writing, because network file systems lock nothing else exclusively.
        let path = "\(folder)/\(RunDirectory.configurationName)"
        file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw .cannotWrite(path: path, reason: AtomicFile.reason()) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let error: ResultsError =
                errno == EWOULDBLOCK
                ? .inUse(folder: folder) : .cannotLock(folder: folder, reason: AtomicFile.reason())
            close(file)
            throw error
        }
    }

    deinit { close(file) }
}

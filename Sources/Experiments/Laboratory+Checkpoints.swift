import Foundation

extension Laboratory {
    /// The checkpoints of a setting: a path is one checkpoint, or a folder of checkpoints, which stands for all of them in
    /// the order of their names.
    func checkpoints(_ paths: [String]) -> [String] {
        paths.flatMap { text -> [String] in
            let path = path(text)
            func isCheckpoint(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path + "/config.json") }
            guard !isCheckpoint(path) else { return [path] }
            let inside = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
                .map { "\(path)/\($0)" }.filter(isCheckpoint)
            return inside.isEmpty ? [path] : inside
        }
    }
}

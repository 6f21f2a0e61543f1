import CHDF5

/// The run record is the attributes of the root group. Times stand there twice: as ISO 8601 text and, in `…_ns`,
/// as integer nanoseconds since 1970. CF's `title`, `history` and `source` are derived and not read back.
extension RunRecord {
    func write(on root: hid_t) throws {
        var facts: [(String, Value)] = [
            ("Conventions", .string("CF-1.10")),
            ("title", .string("kvlab run \(runID)")),
            ("history", .string("\(Timestamp.iso8601(startedAtNanoseconds)) \(arguments.joined(separator: " "))")),
            ("source", .string("kvlab \(kvlabVersion), git commit \(git.commit)\(git.dirty ? ", modified" : "")")),
            ("layout_version", .int(ResultsFile.layoutVersion)),
            ("run_id", .string(runID)),
            ("started_at", .string(Timestamp.iso8601(startedAtNanoseconds))),
            ("started_at_ns", .int(startedAtNanoseconds)),
        ]
        if let finishedAtNanoseconds {
            facts.append(("finished_at", .string(Timestamp.iso8601(finishedAtNanoseconds))))
            facts.append(("finished_at_ns", .int(finishedAtNanoseconds)))
        }
        facts += [
            ("profile", .string(profile)),
            ("configuration", .string(configuration)),
            ("configuration_sha256", .string(configurationHash)),
            ("git_commit", .string(git.commit)),
            ("git_dirty", .int(git.dirty ? 1 : 0)),
            ("kvlab_version", .string(kvlabVersion)),
        ]
        for (name, value) in facts { try HDF5.write(Attribute(name, value), on: root) }
        try HDF5.write(texts: arguments, named: "arguments", on: root)
    }

    /// - Throws: ``HDF5/Failure`` naming the attribute that is missing or of another type.
    init(from root: hid_t, limit: Int) throws {
        func value(_ name: String) throws -> Value? {
            let exists = H5Aexists(root, name)
            try HDF5.check(exists)
            return exists == 0 ? nil : try HDF5.values(ofAttribute: name, on: root, limit: limit).only
        }
        func text(_ name: String) throws -> String {
            guard case .string(let text)? = try value(name) else {
                throw HDF5.Failure(reason: "it has no text attribute '\(name)'")
            }
            return text
        }
        func integer(_ name: String) throws -> Int64 {
            guard case .int(let number)? = try value(name) else {
                throw HDF5.Failure(reason: "it has no integer attribute '\(name)'")
            }
            return number
        }
        guard case .string(let arguments) = try HDF5.values(ofAttribute: "arguments", on: root, limit: limit) else {
            throw HDF5.Failure(reason: "attribute 'arguments' holds no texts")
        }
        self.init(
            runID: try text("run_id"), startedAtNanoseconds: try integer("started_at_ns"),
            finishedAtNanoseconds: try value("finished_at_ns") == nil ? nil : try integer("finished_at_ns"),
            arguments: arguments, profile: try text("profile"), configuration: try text("configuration"),
            configurationHash: try text("configuration_sha256"), git: GitState(commit: try text("git_commit"), dirty: try integer("git_dirty") != 0),
            kvlabVersion: try text("kvlab_version"))
    }
}

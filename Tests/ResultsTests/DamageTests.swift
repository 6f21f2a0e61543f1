import Foundation
import Results
import Testing

@Suite struct DamageTests {
    /// Inverted bits and cut ends are found, or they hit a byte that carries nothing: never other content, never a
    /// crash. Run once over every byte; the steps here keep the test short.
    @Test func damageIsFoundOrHarmless() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            let file = try Samples.file()
            try file.write(to: path)
            let whole = try Data(contentsOf: URL(filePath: path))
            var found = 0
            func read(_ bytes: Data, _ damage: String) throws {
                try bytes.write(to: URL(filePath: path))
                do {
                    #expect(Samples.same(try ResultsFile.read(from: path), file), "\(damage)")
                } catch let error as ResultsError {
                    #expect("\(error)".contains(path))
                    found += 1
                }
            }
            for position in stride(from: 0, to: whole.count, by: 67) {
                var damaged = whole
                damaged[position] ^= 0x81
                try read(damaged, "byte \(position) changed")
            }
            #expect(found > whole.count / 67 / 4)
            found = 0
            for length in stride(from: 0, to: whole.count, by: 499) {
                try read(whole.prefix(length), "cut to \(length) bytes")
            }
            #expect(found == (whole.count + 498) / 499)
        }
    }

    @Test func aChangedSampleIsNamed() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            try Samples.file().write(to: path)
            let whole = try Data(contentsOf: URL(filePath: path))
            // Each column is compressed, and starts with the two bytes of a zlib stream of this level.
            var problems: [String] = []
            for place in whole.indices.dropLast(4) where whole[place] == 0x78 && whole[place + 1] == 0x5e {
                var bytes = whole
                bytes[place + 4] ^= 0x81
                try bytes.write(to: URL(filePath: path))
                let error = #expect(throws: ResultsError.self) { try ResultsFile.read(from: path) }
                if case .damaged(path, "ttft", let problem) = error { problems.append(problem) }
            }
            #expect(problems.contains { $0.hasPrefix("column 'scheme' cannot be read, HDF5 says '") }, "\(problems)")
        }
    }

    @Test func otherFilesAreRefused() throws {
        try Samples.inFolder { folder in
            let path = "\(folder)/results.h5"
            func refusal() -> String { Samples.refusal { _ = try ResultsFile.read(from: path) } }

            #expect(refusal() == "Cannot read '\(path)': No such file or directory.")
            try Data().write(to: URL(filePath: path))
            #expect(refusal() == "'\(path)' is not an HDF5 file; give the results.h5 of a kvlab run.")

            try Self.foreign.write(to: URL(filePath: path))
            #expect(
                refusal() == "'\(path)' is an HDF5 file but not kvlab's: it has no attribute 'layout_version'; "
                    + "give the results.h5 of a kvlab run.")
            try Self.otherLayout.write(to: URL(filePath: path))
            #expect(
                refusal() == "'\(path)' has layout version 2, and this kvlab reads version 1; "
                    + "read it with the kvlab that wrote it (attribute 'kvlab_version').")

            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(refusal() == "Cannot read '\(path)': Is a directory.")
        }
    }

    /// `h5py.File("foreign.h5", "w", libver="latest").close()`, h5py 3.16.
    static let foreign = Data(
        base64Encoded: "iUhERg0KGgoDCAgAAAAAAAAAAAD//////////7MAAAAAAAAAMAAAAAAAAACVVVaLT0hEUgIAeAISAAAAAP////////"
            + "////////////8KAgABAAAAWAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMW5yKw=")!

    /// The same with `f.attrs["layout_version"] = 2`.
    static let otherLayout = Data(
        base64Encoded: "iUhERg0KGgoDCAgAAAAAAAAAAAD//////////7MAAAAAAAAAMAAAAAAAAACVVVaLT0hEUgIAeAISAAAAAP////////"
            + "////////////8KAgABAAAVEgAEAAD/////////////////////DDAAAAMADwAMAAQAAGxheW91dF92ZXJzaW9uABAI"
            + "AAAIAAAAAABAAAIAAAACAAAAAAAAAAAOAAAAAAAAAAAAAAAAAAAAAOaXK3I=")!
}

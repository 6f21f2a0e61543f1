import Foundation
import Results
import Testing

@Suite struct ManifestTests {
    @Test func listsEveryFileAsSha256sumDoes() throws {
        try Samples.inFolder { folder in
            let run = try RunDirectory.create(in: folder, run: Samples.run, machine: [])
            let files = FileManager.default
            try files.createDirectory(atPath: "\(run.path)/tables", withIntermediateDirectories: false)
            try Data("abc".utf8).write(to: URL(filePath: "\(run.path)/tables/ttft.csv"))
            try Data("abc".utf8).write(to: URL(filePath: "\(run.path)/tables/a\\b.csv"))
            try Data().write(to: URL(filePath: "\(run.path)/empty"))
            try run.writeManifest()
            try run.writeManifest()  // its own file is not in it
            let manifest = try String(contentsOfFile: "\(run.path)/manifest.sha256", encoding: .utf8)
            let lines = manifest.split(separator: "\n").map(String.init)
            #expect(lines.map { $0.drop { $0 != " " }.dropFirst(2) } == [
                "empty", "results.h5", "run.yaml", "tables/a\\\\b.csv", "tables/ttft.csv",
            ])
            // FIPS 180-2, appendix B.1: SHA-256 of "abc".
            let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            #expect(lines[3] == "\\\(abc)  tables/a\\\\b.csv")
            #expect(lines[4] == "\(abc)  tables/ttft.csv")
            if Tools.find("sha256sum") {
                #expect(try Tools.run("cd '\(run.path)' && sha256sum -c --strict manifest.sha256").status == 0)
            }
        }
    }
}

import Experiments
import Foundation
import Testing

/// Every mistake in a YAML is named with its file, line and key.
@Suite struct SettingsTests {
    private func file(_ text: String) throws -> ExperimentFile {
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try ExperimentFile(path: path)
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            // The file's name is a random one.
            return "\(error)".replacing(/\S*kvlab-[0-9A-F-]+\.yaml/, with: "FILE")
        }
    }

    private let text = """
        experiment: ttft
        title: A title
        settings:
          passes: 3
          names: [a, b]
        profiles:
          quick:
            passes: 5
            size: 10.2 GiB
          laptop: {}
        """

    @Test func profilesAndOverridesWin() throws {
        let file = try file(text)
        #expect(file.title == "A title")
        #expect(try file.settings(profile: "laptop").int("passes") == 3)
        let settings = try file.settings(profile: "quick", overrides: ["names=[c]"])
        #expect(try settings.int("passes") == 5)
        #expect(try settings.strings("names") == ["c"])
        let size = try settings.byteCounts("size")
        #expect(size.count == 1 && size[0].bytes == 10_952_166_604 && size[0].label == "10.2 GiB")
        try settings.finish()
        #expect(settings.yaml == "names:\n- c\npasses: 5\nsize: 10.2 GiB\n")
    }

    @Test func unknownKeys() {
        #expect(
            message { _ = try file("experiment: ttft\ntitel: x\n") }
                == "FILE, line 2: unknown key 'titel'. Did you mean 'title'? Known: experiment, title, settings, profiles.")
        #expect(
            message {
                let settings = try file(text).settings(profile: "quick")
                _ = try settings.int("passes")
                _ = try settings.strings("nams")
            } == "FILE, line 5: unknown key 'names'. Did you mean 'nams'? Known: nams, passes.")
        #expect(
            message { _ = try file(text).settings(profile: "quick").int("contexts") } == "FILE: key 'contexts' is missing.")
        #expect(
            message {
                let settings = try file(text).settings(profile: "quick")
                _ = try settings.int("passes")
                _ = try settings.byteCounts("size")
                try settings.finish()
            } == "FILE, line 5: unknown key 'names'. Known: passes, size.")
    }

    @Test func badValues() {
        func reading(_ body: (Settings) throws -> Void, _ overrides: String...) -> String {
            message { try body(try file(text).settings(profile: "quick", overrides: overrides)) }
        }
        #expect(
            reading { _ = try $0.ints("names") } == "FILE, line 5: 'names' must be a whole number of at least 1.")
        #expect(
            reading { _ = try $0.strings("names", oneOf: ["alpha", "beta"]) }
                == "FILE, line 5: 'names' cannot be 'a'; choose one of alpha, beta.")
        #expect(
            reading { _ = try $0.string("size", oneOf: ["10.3 GiB"]) }
                == "FILE, line 9: 'size' cannot be '10.2 GiB' (did you mean '10.3 GiB'?); choose one of 10.3 GiB.")
        #expect(
            reading({ _ = try $0.byteCounts("names") })
                == "FILE, line 5: 'names' holds 'a': write a size such as 512 MiB, 10.2 GiB or 10200 MB.")
        #expect(
            reading({ _ = try $0.int("passes", in: 1...9) }, "passes=x")
                == "--set: 'passes' must be a whole number of at least 1 and at most 9.")
        #expect(reading({ _ in }, "passes") == "Cannot use '--set passes': write --set key=value.")
    }

    @Test func badFiles() {
        #expect(message { _ = try ExperimentFile(path: "/nowhere.yaml") } == "Cannot read /nowhere.yaml: there is no such file.")
        #expect(message { _ = try file("experiment: [") }.hasPrefix("FILE, line 2: "))
        #expect(message { _ = try file("title: x") } == "FILE: key 'experiment' is missing.")
        #expect(
            message { _ = try file(text).settings(profile: "quik") }
                == "Unknown profile 'quik'. Did you mean 'quick'? Available: quick, laptop.")
    }

    @Test(arguments: [("512 MiB", 512 << 20), ("1GiB", 1 << 30), ("10200 MB", 10_200_000_000), ("77", 77), ("1.5 KiB", 1536)])
    func byteCounts(text: String, bytes: Int) { #expect(ByteCount.parse(text) == bytes) }

    @Test(arguments: ["", "GiB", "-1 MB", "0", "1.5", "10 GB/s", "1e30 GiB", "ten MB"])
    func notByteCounts(text: String) { #expect(ByteCount.parse(text) == nil) }
}

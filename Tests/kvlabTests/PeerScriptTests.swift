import Foundation
import Testing

/// `scripts/peers/llama_server.py` with servers that are a few lines of Python or shell, and what the scripts share.
@Suite struct PeerScriptTests {
    private let program = Program()
    private static let hasPython: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", ""]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Speaks the part of llama-server's protocol that is used. Its answer to a prompt is made of the prompt's length and its last
    /// token, its cache is the prompt, and slots are saved as text.
    private static let server = """
        #!/usr/bin/env python3
        import http.server, json, os, sys
        arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
        print("llama_kv_cache: CPU KV buffer size =     1.50 MiB", flush=True)
        held = []
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, value):
                body = json.dumps(value).encode()
                self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                self.answer({"build_info": "b1-test"})
            def do_POST(self):
                global held
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.startswith("/slots/0?action="):
                    file = arguments["--slot-save-path"] + body["filename"]
                    action = self.path.split("=")[1]
                    if action == "save": json.dump(held, open(file, "w"))
                    elif action == "restore": held = json.load(open(file))
                    else: held = []
                    return self.answer({})
                prompt, hit = body["prompt"], 0
                while hit < min(len(held), len(prompt) - 1) and held[hit] == prompt[hit]: hit += 1
                held = prompt
                self.send_response(200); self.end_headers()
                for index in range(body["n_predict"]):
                    self.wfile.write(b'data: ' + json.dumps({"tokens": [len(prompt) + prompt[-1] + index], "stop": False}).encode() + b'\\n\\n')
                self.wfile.write(b'data: ' + json.dumps({"tokens": [], "stop": True, "timings": {"cache_n": hit}}).encode() + b'\\n\\n')
            def log_message(self, *_): pass
        http.server.HTTPServer(("127.0.0.1", int(arguments["--port"])), Handler).serve_forever()
        """

    /// The lines of a job with `server` in the place of llama-server; nil for none.
    private func lines(_ server: String?, phase: String, timeout: Int = 20) throws -> [[String: Any]] {
        let bin = program.folder + "/peers/bin", saved = program.folder + "/saved"
        for folder in [bin, saved] { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        if let server {
            try Data(server.utf8).write(to: URL(fileURLWithPath: bin + "/llama-server"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bin + "/llama-server")
        }
        let job: [String: Any] = [
            "model": "model.gguf", "kv": "q8_0", "threads": 2, "folder": saved, "peers": program.folder + "/peers",
            "context": Array(0..<100), "extension": [7, 8, 9], "output_tokens": 3, "timeout_seconds": timeout, "phase": phase,
        ]
        let file = program.folder + "/job.json"
        try JSONSerialization.data(withJSONObject: job).write(to: URL(fileURLWithPath: file))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B", Program.root + "/scripts/peers/llama_server.py", file]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try text.split(separator: UInt8(ascii: "\n")).map {
            try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
        }
    }

    @Test(.enabled(if: hasPython)) func savesAndRestores() throws {
        let first = try lines(Self.server, phase: "first")
        #expect(first.map { $0["state"] as? String } == ["load", "cold", "save", "hot", "warm", "end"])
        #expect(first[1]["tokens"] as? [Int] == [199] && first[1]["hit_tokens"] as? Int == 0)
        #expect(first[1]["memory_bytes"] as? Int == 3 << 19)
        // "[0, 1, … 99]": the context that was saved, and not what came after it.
        #expect(first[2]["disk_bytes"] as? Int == 10 + 90 * 2 + 99 * 2 + 2)
        for line in [first[3], first[4]] {
            #expect(line["tokens"] as? [Int] == [112, 113, 114] && line["hit_tokens"] as? Int == 100)
            #expect(try #require(line["seconds"] as? Double) > 0)
        }
        #expect(first[5]["version"] as? String == "llama.cpp b1-test" && first[5]["peak_rss_bytes"] as? Int ?? 0 > 0)
        let restarted = try lines(Self.server, phase: "restarted")
        #expect(restarted.map { $0["state"] as? String } == ["load", "restart", "end"])
        #expect(restarted[1]["hit_tokens"] as? Int == 100 && restarted[1]["tokens"] as? [Int] == [112, 113, 114])
    }

    @Test(.enabled(if: hasPython)) func failures() throws {
        func failure(_ server: String?, timeout: Int = 20) throws -> String? {
            let lines = try lines(server, phase: "first", timeout: timeout)
            #expect(lines.count == 1 && lines[0]["state"] as? String == "load")
            return lines.first?["failure"] as? String
        }
        #expect(
            try failure(nil)
                == "FileNotFoundError: \(program.folder)/peers/bin/llama-server is not there; make peers installs it")
        #expect(
            try failure("#!/bin/sh\necho 'error: unknown type q8_0'; echo bye; exit 3\n")
                == "RuntimeError: llama-server ended with status 3: error: unknown type q8_0")
        #expect(try failure("#!/bin/sh\nexec sleep 60\n", timeout: 1) == "TookTooLong: it took more than 1 s")
    }
}

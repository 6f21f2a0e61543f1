#!/usr/bin/env python3
"""llama.cpp: a llama-server with one slot, whose cache is saved with POST /slots/0?action=save and restored likewise.

Python's standard library only. The first token is the first line of the streamed answer that holds one.
"""
import http.client, json, os, re, socket, subprocess, sys, time

from contender import Contender, Turn, main, peak_rss_bytes


def die_with_parent():
    """Where the system can: no server outlives a driver that is killed."""
    if sys.platform == "linux":
        import ctypes, signal
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class LlamaServer(Contender):
    name = "agent.bin"

    def load(self):
        program = os.path.join(self.job.peers, "bin/llama-server")
        if not os.access(program, os.X_OK):
            raise FileNotFoundError(f"{program} is not there; make peers installs it")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        tokens = len(self.job.prompt) + self.job.output_tokens + 8
        # Beside the saved slots no other cache: -cram 0. One sequence, and memory for the context alone.
        arguments = [
            program, "-m", self.job.model, "--host", "127.0.0.1", "--port", str(self.port), "-c", str(tokens), "-np", "1",
            "-t", str(self.job.threads), "-tb", str(self.job.threads), "-fa", "on", "-ctk", self.job.kv, "-ctv", self.job.kv,
            "-cram", "0", "--slot-save-path", self.job.folder + "/", "--no-webui", "-lv", "4",
        ]
        self.log = os.path.join(os.path.dirname(self.job.folder), os.path.basename(self.job.folder) + ".log")
        with open(self.log, "w") as log:
            self.server = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                env={**os.environ, "GGML_NO_BACKTRACE": "1"})
        while True:
            self.check()
            try:
                if self.request("GET", "/health")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.02)

    def check(self):
        if self.server.poll() is not None:
            raise RuntimeError(f"llama-server ended with status {self.server.returncode}: {self.last_words()}")

    def last_words(self):
        with open(self.log, errors="replace") as log:
            lines = [line.strip() for line in log if line.strip()]
        told = [line for line in lines if re.search(r"error|fail|abort|assert", line, re.I)]
        return (told or lines or ["it said nothing"])[-1]

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.job.timeout_seconds)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, prompt, count):
        body = json.dumps({
            "prompt": prompt, "n_predict": count, "temperature": 0, "ignore_eos": True, "cache_prompt": True, "id_slot": 0,
            "return_tokens": True, "stream": True,
        })
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.job.timeout_seconds)
        tokens, first, hit = [], None, 0
        start = time.perf_counter()
        try:
            connection.request("POST", "/completion", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}: {answer.read(300).decode(errors='replace')}")
            for line in answer:
                if not line.startswith(b"data: "):
                    continue
                part = json.loads(line[6:])
                if "error" in part:
                    raise RuntimeError(json.dumps(part["error"]))
                if part.get("tokens") and not part.get("stop"):
                    tokens += part["tokens"]
                    if first is None:
                        first = time.perf_counter() - start
                if part.get("stop"):
                    hit = part["timings"]["cache_n"]
                    break
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
            self.check()
            raise
        finally:
            connection.close()
        if first is None:
            raise RuntimeError("the answer holds no token")
        return Turn(first, tokens[:count], hit)

    def slot(self, action):
        status, answer = self.request("POST", f"/slots/0?action={action}", {"filename": self.name})
        if status != 200:
            raise RuntimeError(f"{action}: {answer.decode(errors='replace')}")

    def save(self):
        self.slot("save")

    def drop(self):
        self.slot("erase")

    def restore(self):
        self.slot("restore")

    def memory_bytes(self):
        """What the server reports for the keys and values that it allocated."""
        with open(self.log, errors="replace") as log:
            sizes = re.findall(r"KV buffer size =\s*([\d.]+) MiB", log.read())
        if not sizes:
            raise RuntimeError("the server's log names no KV buffer size")
        return round(sum(map(float, sizes)) * (1 << 20))

    def version(self):
        text = json.loads(self.request("GET", "/props")[1]).get("build_info", "")
        return f"llama.cpp {text}"

    def weights(self):
        return "Q4_0"

    def peak_rss_bytes(self):
        return peak_rss_bytes(self.server.pid)

    def close(self):
        if hasattr(self, "server"):
            self.server.kill()
            self.server.wait()


if __name__ == "__main__":
    main(LlamaServer)

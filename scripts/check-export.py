#!/usr/bin/env python3
"""Compares what kvlab and llama.cpp compute with the models of Tests/Fixtures/models, exported as 32-bit GGUF files.

Needs a built kvlab and make peers; Python's standard library only. Exit status 1 where a probability is off by more than
0.003 in its logarithm, or one of the two fails.
"""
import json, math, os, struct, subprocess, sys, tempfile, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KVLAB = os.path.join(ROOT, ".build/release/kvlab")
SERVER = os.path.join(os.environ.get("PEERS", os.path.join(ROOT, ".peers")), "bin/llama-server")
MODELS = [
    "llama-plain", "llama-3-1-linear", "llama-yarn", "gemma-pattern-2", "gemma-layer-types", "gemma-whole-groups",
    "deepseek-dense", "deepseek-lite", "deepseek-groups", "deepseek-whole-groups",
]
TOKENS = [(i * 7919 + 13) % 60 for i in range(24)]
PORT = 18087


def log_probabilities(gguf, folder):
    out = os.path.join(folder, "logits.safetensors")
    subprocess.run(
        [KVLAB, "logits", "--weights", gguf, "--tokens", ",".join(map(str, TOKENS)), "--kv", "fp32", "--compute", "reference",
         "--weight-bits", "32", "--mla", "latent", "--out", out], check=True)
    data = open(out, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    rows, columns = json.loads(data[8:start])["logits"]["shape"]
    last = struct.unpack(f"<{columns}f", data[start + 4 * (rows - 1) * columns:start + 4 * rows * columns])
    total = math.log(sum(math.exp(x - max(last)) for x in last)) + max(last)
    return [x - total for x in last]


def peer(gguf, folder):
    with open(os.path.join(folder, "server.log"), "w") as log:
        server = subprocess.Popen(
            [SERVER, "-m", gguf, "-c", "512", "-t", "2", "--port", str(PORT), "-fa", "off", "-ctk", "f32", "-ctv", "f32"],
            stdout=log, stderr=log)
    url = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(100):
            if server.poll() is not None:
                raise RuntimeError("llama-server ended: " + open(log.name).read()[-300:])
            try:
                urllib.request.urlopen(url + "/health", timeout=2).read()
                break
            except OSError:
                time.sleep(0.2)
        body = {"prompt": TOKENS, "n_predict": 1, "temperature": 0, "n_probs": 8, "ignore_eos": True}
        request = urllib.request.Request(url + "/completion", json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        return {t["id"]: t["logprob"] for t in answer["completion_probabilities"][0]["top_logprobs"]}
    finally:
        server.kill()
        server.wait()


def main():
    for program in (KVLAB, SERVER):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is not there; run make build and make peers")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        gguf = os.path.join(folder, "model.gguf")
        for name in MODELS:
            model = os.path.join(ROOT, "Tests/Fixtures/models", name)
            subprocess.run([KVLAB, "export", "--weights", model, "--type", "f32", "--gguf", gguf], check=True, stdout=subprocess.DEVNULL)
            ours, theirs = log_probabilities(gguf, folder), peer(gguf, folder)
            worst = max(abs(ours[token] - value) for token, value in theirs.items())
            failed |= worst > 0.003
            print(f"{name}: {len(theirs)} most likely tokens, largest difference of log-probabilities {worst:.5f}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

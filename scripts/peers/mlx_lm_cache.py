#!/usr/bin/env python3
"""mlx-lm: prompt caches, saved with save_prompt_cache and loaded with load_prompt_cache; kv is f16, or q4 for kv_bits 4."""
import os, time

from contender import Contender, Turn, main


class MLXLM(Contender):
    cache = None

    def load(self):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
            os.environ[name] = str(self.job.threads)
        from pathlib import Path
        import mlx.core as mx
        from mlx_lm.generate import generate_step
        from mlx_lm.models import cache
        from mlx_lm.utils import load_model
        self.mx, self.generate_step, self.caches = mx, generate_step, cache
        self.model, _ = load_model(Path(self.job.model))
        # The folder's vectors have 32 bits, which would make every activation, and the cache, 32 bits wide.
        self.model.set_dtype(mx.float16)
        mx.eval(self.model.parameters())
        self.held = []

    @property
    def file(self):
        return os.path.join(self.job.folder, "agent.safetensors")

    def quantization(self):
        return {} if self.job.kv == "f16" else {"kv_bits": int(self.job.kv.removeprefix("q")), "quantized_kv_start": 0}

    def ask(self, prompt, count):
        start = time.perf_counter()
        if self.cache is None:
            self.cache = self.caches.make_prompt_cache(self.model)
        # One token must be left to compute, and the cache ends where the prompt differs.
        hit = 0
        while hit < min(len(self.held), len(prompt) - 1) and self.held[hit] == prompt[hit]:
            hit += 1
        if hit < len(self.held):
            self.caches.trim_prompt_cache(self.cache, len(self.held) - hit)
        first, tokens = None, []
        steps = self.generate_step(
            self.mx.array(prompt[hit:]), self.model, max_tokens=count, prompt_cache=self.cache, **self.quantization())
        for token, _ in steps:
            if first is None:
                first = time.perf_counter() - start
            tokens.append(int(token))
        # generate_step computes one step ahead.
        self.held = list(prompt) + tokens
        extra = self.offset() - len(prompt)
        if extra < 0:
            raise RuntimeError(f"the cache holds {self.offset()} tokens after a prompt of {len(prompt)}")
        self.held = self.held[:len(prompt) + extra]
        return Turn(first, tokens, hit)

    def offset(self):
        return self.cache[0].offset

    def save(self):
        # What came after the context is not saved.
        extra = self.offset() - len(self.job.context)
        if extra:
            self.caches.trim_prompt_cache(self.cache, extra)
            self.held = self.held[:len(self.job.context)]
        self.caches.save_prompt_cache(self.file, self.cache)

    def drop(self):
        self.cache, self.held = None, []
        self.mx.clear_cache()

    def restore(self):
        self.cache = self.caches.load_prompt_cache(self.file)
        self.held = list(self.job.context)
        # Arrays are read when they are needed.
        self.mx.eval([layer.state for layer in self.cache])

    def memory_bytes(self):
        return sum(layer.nbytes for layer in self.cache)

    def version(self):
        from importlib.metadata import version
        return f"mlx-lm {version('mlx-lm')}, mlx {version('mlx')}"

    def weights(self):
        return str(self.model.model.embed_tokens.weight.dtype).removeprefix("mlx.core.")


if __name__ == "__main__":
    main(MLXLM)

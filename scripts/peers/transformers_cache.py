#!/usr/bin/env python3
"""transformers: a DynamicCache, or a QuantizedCache of optimum-quanto, written with torch.save and read with torch.load."""
import os, sys, time

from contender import Contender, Turn, main


class Transformers(Contender):
    cache = None

    def load(self):
        os.environ["HF_HUB_OFFLINE"] = "1"
        # quanto compiles a few functions the first time, with the ninja beside this Python.
        os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        os.environ["TORCH_EXTENSIONS_DIR"] = os.path.join(self.job.peers, "torch-extensions")
        import torch
        import transformers
        torch.set_num_threads(self.job.threads)
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self.torch, self.transformers = torch, transformers
        self.model = transformers.AutoModelForCausalLM.from_pretrained(self.job.model, dtype=torch.bfloat16).eval()

    @property
    def file(self):
        return os.path.join(self.job.folder, "agent.pt")

    def fresh(self):
        if self.job.kv == "bf16":
            return self.transformers.DynamicCache(config=self.model.config)
        return self.transformers.QuantizedCache(backend="quanto", config=self.model.config, nbits=int(self.job.kv.removeprefix("quanto-")))

    def ask(self, prompt, count):
        start = time.perf_counter()
        if self.cache is None:
            self.cache = self.fresh()
        torch = self.torch
        # Called with prompts that begin with what the cache holds: caches that were quantized cannot go back.
        hit = self.cache.get_seq_length()
        new, first, tokens = torch.tensor([prompt[hit:]]), None, []
        with torch.inference_mode():
            while len(tokens) < count:
                logits = self.model(input_ids=new, past_key_values=self.cache, use_cache=True, logits_to_keep=1).logits
                tokens.append(int(logits[0, -1].argmax()))
                if first is None:
                    first = time.perf_counter() - start
                new = torch.tensor([tokens[-1:]])
        return Turn(first, tokens, hit)

    def save(self):
        self.torch.save(self.cache, self.file)

    def drop(self):
        self.cache = None

    def restore(self):
        self.cache = self.torch.load(self.file, weights_only=False)

    def memory_bytes(self):
        """Of every tensor that a layer of the cache holds."""
        seen = {}

        def add(value):
            inner = [getattr(value, name) for name in ("_data", "_scale", "_shift") if hasattr(value, name)]
            if inner:
                for part in inner:
                    add(part)
            elif isinstance(value, self.torch.Tensor) and value.numel():
                seen[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()

        for layer in self.cache.layers:
            for value in vars(layer).values():
                add(value)
        return sum(seen.values())

    def version(self):
        return f"transformers {self.transformers.__version__}, torch {self.torch.__version__}"

    def weights(self):
        return str(self.model.dtype).removeprefix("torch.")


if __name__ == "__main__":
    main(Transformers)

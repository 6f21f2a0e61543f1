"""A contender of `kvlab run experiments/peers/restore.yaml`: reads a job, does its requests, prints one line of JSON for each.

A job is a JSON file: model, kv, threads, folder (for what is saved), peers (where programs are), context and extension (token
ids), output_tokens, timeout_seconds, and phase:

    first       load, cold (the context), save, hot (context and extension, cache in memory), warm (the cache was dropped and
                comes from its file)
    restarted   load, restart (a new process: the first request restores what `first` saved)

A line is {"state": …, "seconds": …} and what the state has besides: "tokens", "hit_tokens", "disk_bytes", "memory_bytes". The
last line has the state "end", "version", "weights" and "peak_rss_bytes". A state that fails gives {"state": …, "failure": …} and ends the
job. kvlab reads the lines as they stand, and what is missing as the failure of its state.
"""
import json, os, resource, signal, sys, threading, time
from dataclasses import dataclass


@dataclass
class Turn:
    seconds: float  # from the request, restoring included, to the first token
    tokens: list
    hit_tokens: int  # tokens of the prompt found in the cache


@dataclass
class Job:
    model: str
    kv: str
    threads: int
    folder: str
    peers: str
    context: list
    extension: list
    output_tokens: int
    timeout_seconds: int
    phase: str

    @property
    def prompt(self):
        return self.context + self.extension


class Contender:
    """What a peer must do. Caches are those of one agent; there is one at a time."""

    def __init__(self, job):
        self.job = job

    def version(self): raise NotImplementedError
    def weights(self): raise NotImplementedError  # what they are in memory
    def load(self): raise NotImplementedError
    def ask(self, prompt, count): raise NotImplementedError  # a Turn; what the cache in memory holds is not computed again
    def save(self): raise NotImplementedError
    def drop(self): raise NotImplementedError  # forgets the cache in memory
    def restore(self): raise NotImplementedError  # from the file, into memory
    def memory_bytes(self): raise NotImplementedError
    def peak_rss_bytes(self): return peak_rss_bytes()
    def close(self): pass


class TookTooLong(Exception):
    """No TimeoutError, which is an OSError and may be taken for a server that is not there yet."""


def peak_rss_bytes(pid="self"):
    """VmHWM of a process; where there is no /proc, of this one."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF if pid == "self" else resource.RUSAGE_CHILDREN).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def disk_bytes(folder):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def emit(state, **values):
    print(json.dumps({"state": state, **values}), flush=True)


def emit_turn(state, turn, **values):
    emit(state, seconds=turn.seconds, tokens=[int(t) for t in turn.tokens], hit_tokens=turn.hit_tokens, **values)


def restored(contender, prompt, count):
    start = time.perf_counter()
    contender.restore()
    seconds = time.perf_counter() - start
    turn = contender.ask(prompt, count)
    turn.seconds += seconds
    return turn


def leave_with(parent, contender):
    """Ends this process, and what the contender started, soon after the process that started it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    contender.close()
    os._exit(1)


def main(make):
    with open(sys.argv[1]) as file:
        job = Job(**json.load(file))
    state = "load"

    def late(*_):
        raise TookTooLong(f"it took more than {job.timeout_seconds} s")

    # A thread that starts this process may have blocked it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.signal(signal.SIGALRM, late)
    signal.alarm(job.timeout_seconds)
    contender = make(job)
    threading.Thread(target=leave_with, args=(os.getppid(), contender), daemon=True).start()
    try:
        start = time.perf_counter()
        contender.load()
        emit("load", seconds=time.perf_counter() - start)
        if job.phase == "first":
            state = "cold"
            contender.ask(job.context[:64], 2)  # pages of the weights come in, threads start; not measured
            contender.drop()
            emit_turn("cold", contender.ask(job.context, 1), memory_bytes=contender.memory_bytes())
            state = "save"
            start = time.perf_counter()
            contender.save()
            emit("save", seconds=time.perf_counter() - start, disk_bytes=disk_bytes(job.folder))
            state = "hot"
            emit_turn("hot", contender.ask(job.prompt, job.output_tokens))
            state = "warm"
            contender.drop()
            emit_turn("warm", restored(contender, job.prompt, job.output_tokens))
        else:
            state = "restart"
            emit_turn("restart", restored(contender, job.prompt, job.output_tokens))
        state = "end"
        emit("end", version=contender.version(), weights=contender.weights(), peak_rss_bytes=contender.peak_rss_bytes())
    except Exception as error:
        words = str(error).strip().splitlines() or [""]
        emit(state, failure=f"{type(error).__name__}: {words[-1]}"[:300])
    finally:
        signal.alarm(0)
        contender.close()

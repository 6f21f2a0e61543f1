/// What a worker process runs: `python3 -c … FILE SHARED HALF_BYTES LENGTH`, with the file's source, of that
/// length, at the beginning of the shared memory.
let pythonWorkerSource = #"""
import json, mmap, os, signal, struct, sys, traceback, types

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the socket's end ends it
socket = os.dup(1)
os.dup2(2, 1)  # what the file prints goes to standard error
path, shared, half, length = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def put(data):
    while data:
        data = data[os.write(socket, data):]


def reply(status, number=0, text=""):
    data = text.encode()
    put(struct.pack("=iii", status, number, len(data)) + data)


def explain(error):
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines = [error.lineno]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {error}".rstrip(": ")


class Wrong(Exception):
    pass


def load():
    try:
        import numpy
    except ImportError:
        raise Wrong(f"the Python at {sys.executable} has no numpy; install it, or name another Python in KVLAB_PYTHON")
    with open(shared, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 2 * half)
    module = types.ModuleType("scheme")
    module.__file__ = path
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    exec(compile(memory[:length], path, "exec"), module.__dict__)
    for name in ("tile_bytes", "encode", "decode"):
        if not callable(getattr(module, name, None)):
            raise Wrong(f"it defines no function {name}; see docs/adding-a-scheme.md")

    def side(kind):
        def value(name, default):
            found = getattr(module, name, default)
            return found[kind] if isinstance(found, dict) else found
        return {"tile": int(value("TILE_TOKENS", 1)), "residual": int(value("RESIDUAL_TOKENS", 0)),
                "rule": str(value("RESIDUAL_RULE", "rolling"))}

    traits = {kind: side(kind) for kind in KINDS}
    words = (module.__doc__ or "").strip().splitlines()
    traits["summary"] = words[0] if words else None
    return numpy, memory, module, traits


KINDS = ("keys", "values")
try:
    np, memory, module, traits = load()
except Wrong as error:
    reply(1, text=str(error))
    sys.exit()
except BaseException as error:
    reply(1, text=explain(error))
    sys.exit()
reply(0, text=json.dumps(traits))
all_floats = np.frombuffer(memory, np.float32, half // 4)
all_bytes = np.frombuffer(memory, np.uint8, half, half)


def declare(kind, width, tokens, size):
    found = module.tile_bytes(width, kind)
    if found is None:
        raise Wrong(f"tile_bytes says that {kind} of {width} elements cannot be stored")
    if int(found) != found or not 0 < found <= half:
        raise Wrong(f"tile_bytes({width}, '{kind}') is {found!r}, and not a number of bytes")
    return int(found)


def encode(kind, width, tokens, size):
    # A copy: what is kept of it does not change with the next call's rows.
    rows = all_floats[:tokens * width].reshape(tokens, width).copy()
    data = np.asarray(module.encode(rows, kind))
    if data.dtype != np.uint8:
        raise Wrong(f"encode returned {data.dtype} for {kind}, and not uint8")
    if data.size != size:
        raise Wrong(f"encode returned {data.size} bytes for {tokens} rows of {kind} of {width} elements, and {size} were declared")
    all_bytes[:size] = data.reshape(-1)


def decode(kind, width, tokens, size):
    tiles = tokens // traits[kind]["tile"]
    rows = np.asarray(module.decode(all_bytes[:size].reshape(tiles, -1).copy(), width, kind))
    if rows.size != tokens * width:
        raise Wrong(f"decode returned {rows.size} numbers for {tokens} rows of {kind} of {width} elements")
    if not np.isfinite(rows).all():
        raise Wrong(f"decode returned NaN or infinity for {kind} of {width} elements")
    all_floats[:tokens * width] = rows.reshape(-1)


OPERATIONS = (declare, encode, decode)
while True:
    request = b""
    while len(request) < 20:
        part = os.read(0, 20 - len(request))
        if not part:
            sys.exit()
        request += part
    operation, kind, width, tokens, size = struct.unpack("=iiiii", request)
    try:
        number = OPERATIONS[operation](KINDS[kind], width, tokens, size)
    except Wrong as error:
        reply(1, text=str(error))
    except BaseException as error:
        reply(1, text=explain(error))
    else:
        reply(0, number or 0)
"""#

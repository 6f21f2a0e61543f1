"""Compares the first steps of a training run with the log of a checkpoint.

  python compare.py WORK/log.json ../checkpoints/llama-mini/training-log.json --steps 300

With the same device kind, threads and versions the curves are the same; elsewhere rounding differs, and each mean of 20 steps
must lie within the tolerance.
"""

import argparse
import json
import pathlib
import sys


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run")
    p.add_argument("reference")
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--tolerance", type=float, default=0.03, help="largest relative difference of a text loss")
    a = p.parse_args()
    run, reference = (
        {e["step"]: e["text"] for e in json.loads(pathlib.Path(f).read_text()) if e["step"] <= a.steps}
        for f in (a.run, a.reference))
    missing = sorted(set(reference) - set(run))
    if missing or not reference:
        sys.exit(f"The run has no entry for steps {missing}; let it run to step {a.steps}.")
    worst = max(reference, key=lambda s: abs(run[s] / reference[s] - 1))
    difference = run[worst] / reference[worst] - 1
    print(f"{len(reference)} entries; largest difference {100 * difference:+.2f} % at step {worst}")
    if abs(difference) > a.tolerance:
        sys.exit(f"That is more than {100 * a.tolerance:.0f} %.")


if __name__ == "__main__":
    main()

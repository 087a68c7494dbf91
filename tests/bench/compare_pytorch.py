#!/usr/bin/env python3
"""Compares the speed of training and inference with PyTorch: the same Vision Transformer, batch size and machine,
interleaved in one run so that both sides see the same noise.

  scripts/setup.sh --developer                    Debian's PyTorch
  tests/bench/peers_setup.sh                      the newest PyTorch, in .venv
  tests/bench/compare_pytorch.py                  training, Sinkhorn and softmax
  tests/bench/compare_pytorch.py --patch 4,2      training with 49 tokens, then with 196
  tests/bench/compare_pytorch.py --run RUN        also inference, with a trained model
  tests/bench/compare_pytorch.py --run RUN --compiled OP   also the compiled model, against PyTorch's Sinkhorn and softmax
  tests/bench/compare_pytorch.py --bfloat16       our products in bfloat16, PyTorch in float or under autocast to it
  tests/bench/compare_pytorch.py --python PATH    the PyTorch of this interpreter; may be repeated
  tests/bench/compare_pytorch.py --json

Every PyTorch gets the best of its thread settings, eager or torch.compile, and a fast BLAS; each side reports its
median over rounds. PyTorch's Sinkhorn attention works in the log domain, and autograd records every iteration
(tests/reference/vit.py). The model is that of configs/train/fashion_mnist_sinkhorn.json except for the patch size.
PyTorch's images are noise, because speed does not depend on the pixels. Measure on an otherwise idle machine.
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
BATCH = 64  # as in pytorch_turn.py
INTERPRETERS = ("/usr/bin/python3", root / ".venv/bin/python")  # of Debian's PyTorch and of the newest


def patch_sizes(text):
    return [int(size) for size in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=root / "build" / "bin", help="folder of asap-train")
    parser.add_argument("--run", type=Path, help="trained Sinkhorn run: also measure inference")
    parser.add_argument("--compiled", type=Path, help="operator compiled from that run: also measure it")
    parser.add_argument("--patch", type=patch_sizes, default=[4], help="patch sizes to train with, such as 4,2 (default 4)")
    parser.add_argument("--rounds", type=int, default=5, help="turns each side gets (default 5)")
    parser.add_argument("--seconds", type=float, default=3, help="seconds a turn of PyTorch lasts (default 3)")
    parser.add_argument("--steps", type=int, default=100, help="steps a turn of ours lasts (default 100)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads on our side (default all)")
    parser.add_argument("--python", action="append", help="interpreter with PyTorch; may be repeated (default: Debian's "
                        "and that of .venv, where they have PyTorch)")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, whose first turn takes minutes")
    parser.add_argument("--bfloat16", action="store_true", help="train with model.product_precision=bfloat16, and give "
                        "PyTorch the choice of autocast to bfloat16")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    arguments = parser.parse_args()
    if arguments.compiled and not arguments.run:
        parser.error("--compiled needs the --run it was compiled from")
    return arguments


def run_turn(python, threads, *words):
    """Runs pytorch_turn.py in a process of its own, so that its waiting threads do not disturb our turns."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [str(python), str(Path(__file__).with_name("pytorch_turn.py")), *[str(word) for word in words]]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)


def find_peers(arguments):
    """The PyTorch installations to measure. Exits if there is none, or if one runs on the reference BLAS, Debian's
    default: that is ten times slower than others, and beating it would prove nothing."""
    peers = []
    for python in arguments.python or INTERPRETERS:
        finished = run_turn(python, 1, "about") if Path(python).exists() else None
        if finished is None or finished.returncode != 0:
            if arguments.python:
                sys.exit(f"{python}: no PyTorch" + (f": {finished.stderr.strip()[-300:]}" if finished else ""))
            continue
        about = json.loads(finished.stdout)
        if about["blas"] == "reference":
            sys.exit(f"{python}: PyTorch runs on the slow reference BLAS (hint: scripts/setup.sh --developer installs OpenBLAS)")
        modes = [mode for mode in about["modes"] if mode == "eager" or not arguments.no_compile]
        modes += [f"{mode}_bfloat16" for mode in modes if arguments.bfloat16]
        peers.append({"python": str(python), "version": about["version"].partition("+")[0], "blas": about["blas"],
                      "modes": modes})
    if not peers:
        sys.exit("no PyTorch found (hint: scripts/setup.sh --developer, tests/bench/peers_setup.sh, or --python PATH)")
    return peers


def pytorch_turn(peer, seconds, job, threads, mode):
    finished = run_turn(peer["python"], threads, job["what"], job["pytorch"], job["patch"], threads, mode, seconds)
    if finished.returncode != 0:
        sys.exit(f"PyTorch {peer['version']}, {mode}: {finished.stderr.strip()[-2000:]}")
    return json.loads(finished.stdout)["images_per_second"]


def run_ours(arguments, name, *words):
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.binaries / name, *words, "--out", folder, "--json", "--threads", str(arguments.threads)]
        finished = subprocess.run(command, capture_output=True, text=True, cwd=root)
    if finished.returncode != 0:
        sys.exit(finished.stderr.strip())
    return json.loads(finished.stdout)


def our_training_speed(arguments, attention, patch):
    config = f"configs/train/fashion_mnist_{attention}.json"
    summary = run_ours(
        arguments, "asap-train", "--config", config, "--max-steps", str(arguments.steps),
        "--set", f"train.batch={BATCH}", "--set", f"model.patch={patch}", "--set", "data.test_examples=64",
        "--set", f"model.product_precision={'bfloat16' if arguments.bfloat16 else 'single'}",
    )
    return summary["train"]["examples_per_second"]


def our_inference_speed(arguments, method):
    compiled = ["--compiled", arguments.compiled.resolve()] if method == "compiled" else []
    summary = run_ours(
        arguments, "asap-eval", "compare", "--run", arguments.run.resolve(), *compiled, "--methods", method,
    )
    return summary["methods"][0]["examples_per_second"]


def jobs_of(arguments):
    """Yields what to measure: our side as a function, PyTorch's side as its attention."""
    for patch in arguments.patch:
        for attention in ("sinkhorn", "softmax"):
            ours = functools.partial(our_training_speed, arguments, attention, patch)
            yield {"what": "train", "attention": attention, "patch": patch, "pytorch": attention, "ours": ours}
    if not arguments.run:
        return
    patch = json.loads((arguments.run / "config.json").read_text())["model"]["patch"]
    pairs = [("teacher", "sinkhorn"), ("softmax", "softmax")]
    if arguments.compiled:
        pairs += [("compiled", "sinkhorn"), ("compiled", "softmax")]
    for method, attention in pairs:
        ours = functools.partial(our_inference_speed, arguments, method)
        yield {"what": "infer", "attention": method, "patch": patch, "pytorch": attention, "ours": ours}


def measure(arguments, peers, job):
    """In every round, measures each setting of every PyTorch and then our side."""
    settings = [(peer["version"], mode, threads) for peer in peers for mode in peer["modes"]
                for threads in sorted({1, os.cpu_count()})]
    by_version = {peer["version"]: peer for peer in peers}
    theirs = {setting: [] for setting in settings}
    ours = []
    for _ in range(arguments.rounds):
        for version, mode, threads in settings:
            theirs[version, mode, threads].append(
                pytorch_turn(by_version[version], arguments.seconds, job, threads, mode))
        ours.append(job["ours"]())
    ours_median = statistics.median(ours)
    rows = []
    for peer in peers:
        medians = {setting: statistics.median(values) for setting, values in theirs.items() if setting[0] == peer["version"]}
        best = max(medians, key=medians.get)
        rows.append({
            "what": job["what"], "attention": job["attention"], "patch": job["patch"],
            "pytorch": peer["version"], "pytorch_attention": job["pytorch"], "pytorch_mode": best[1],
            "pytorch_threads": best[2], "pytorch_images_per_second": medians[best],
            "asap_images_per_second": ours_median, "asap_threads": arguments.threads, "ratio": ours_median / medians[best],
            "rounds": {"pytorch": {f"{mode}, {threads} threads": theirs[version, mode, threads]
                                   for version, mode, threads in medians}, "asap": ours},
        })
    return rows


def sinkhorn_over_softmax(rows):
    """Our training speeds with Sinkhorn attention relative to softmax attention, by patch size."""
    speeds = {(row["patch"], row["attention"]): row["asap_images_per_second"] for row in rows if row["what"] == "train"}
    return {patch: speeds[patch, "sinkhorn"] / speeds[patch, "softmax"] for patch, kind in speeds if kind == "softmax"}


def print_table(rows):
    print(f"{'':44}{'PyTorch':>28}{'ASAP':>10}{'ratio':>8}")
    print(f"{'':44}{'images/s (version, best)':>28}{'images/s':>10}")
    for row in rows:
        label = f"{row['what']}, patch {row['patch']}, {row['attention']}"
        if row["attention"] != row["pytorch_attention"]:
            label += f" / {row['pytorch_attention']}"
        theirs = (f"{row['pytorch_images_per_second']:.0f} ({row['pytorch']}, {row['pytorch_mode']}, "
                  f"{row['pytorch_threads']})")
        print(f"{label:44}{theirs:>28}{row['asap_images_per_second']:>10.0f}{row['ratio']:>8.2f}")
    for patch, ratio in sinkhorn_over_softmax(rows).items():
        print(f"our training at patch {patch}: Sinkhorn (T = 10) runs at {ratio:.2f} times the speed of softmax")


def main():
    arguments = parse_arguments()
    peers = find_peers(arguments)
    rows = [row for job in jobs_of(arguments) for row in measure(arguments, peers, job)]
    if arguments.json:
        ratios = {str(patch): ratio for patch, ratio in sinkhorn_over_softmax(rows).items()}
        result = {"peers": peers, "batch": BATCH, "rows": rows}
        print(json.dumps(result | {"sinkhorn_over_softmax": ratios}, indent=2))
    else:
        print_table(rows)


if __name__ == "__main__":
    main()

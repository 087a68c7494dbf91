#!/usr/bin/python3
"""Compares the speed of training and inference with PyTorch: the same Vision Transformer, batch size and machine,
interleaved in one run so that both sides see the same noise.

  scripts/setup.sh --developer
  tests/bench/compare_pytorch.py                  training, Sinkhorn and softmax
  tests/bench/compare_pytorch.py --patch 4,2      training with 49 tokens, then with 196
  tests/bench/compare_pytorch.py --run RUN        also inference, with a trained model
  tests/bench/compare_pytorch.py --run RUN --compiled OP   also the compiled model, against PyTorch's Sinkhorn and softmax
  tests/bench/compare_pytorch.py --json

PyTorch gets the best of its thread settings and a fast BLAS; each side reports its median over rounds. PyTorch's
Sinkhorn attention works in the log domain, and autograd records every iteration (tests/reference/vit.py). The model
is that of configs/train/fashion_mnist_sinkhorn.json except for the patch size. PyTorch's images are noise, because
speed does not depend on the pixels. Measure on an otherwise idle machine.
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as functional

root = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(root / "tests" / "reference"))
import vit  # noqa: E402  (found through the line above)

BATCH = 64
WARM_UP_STEPS = 3


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
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    # One turn of PyTorch runs in a process of its own, so that its waiting threads do not disturb our turns.
    parser.add_argument("--turn", nargs=4, metavar=("WHAT", "ATTENTION", "PATCH", "THREADS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compiled and not arguments.run:
        parser.error("--compiled needs the --run it was compiled from")
    return arguments


def torch_training_speed(attention, patch, threads, seconds):
    """Images per second in training: forward, backward, clipping and AdamW."""
    torch.set_num_threads(threads)
    config = vit.Config(attention=attention, patch=patch)
    parameters = vit.new_parameters(config, torch.Generator().manual_seed(1))
    for value in parameters.values():
        value.requires_grad_()
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3, weight_decay=0.05)
    images = torch.randn(BATCH, 28, 28)
    labels = torch.randint(0, 10, (BATCH,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(vit.forward(config, parameters, images), labels).backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()

    return speed_of(step, seconds)


def torch_inference_speed(attention, patch, threads, seconds):
    torch.set_num_threads(threads)
    config = vit.Config(attention=attention, patch=patch)
    parameters = vit.new_parameters(config, torch.Generator().manual_seed(1))
    images = torch.randn(BATCH, 28, 28)

    def step():
        with torch.no_grad():
            vit.forward(config, parameters, images)

    return speed_of(step, seconds)


def speed_of(step, seconds):
    """Images per second, measured for at least `seconds` after a warm-up."""
    for _ in range(WARM_UP_STEPS):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return BATCH * steps / (time.perf_counter() - start)


def torch_turn(seconds, what, attention, patch, threads):
    """Runs one turn of PyTorch in a process of its own."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, __file__, "--seconds", str(seconds), "--turn", what, attention, str(patch), str(threads)]
    finished = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
    if finished.returncode != 0:
        sys.exit(finished.stderr.strip())
    return float(finished.stdout)


def require_fast_blas():
    """Returns the name of PyTorch's BLAS. Exits if it is the reference BLAS, Debian's default: that is ten times
    slower than others, and beating it would prove nothing."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    maps = Path("/proc/self/maps").read_text()
    for name in ("openblas", "mkl", "blis"):
        if name in maps:
            return name
    sys.exit("PyTorch runs on the slow reference BLAS (hint: scripts/setup.sh --developer installs OpenBLAS)")


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


def measure(arguments, job):
    """In every round, measures each PyTorch thread setting and then our side."""
    settings = sorted({1, os.cpu_count()})
    theirs = {threads: [] for threads in settings}
    ours = []
    for _ in range(arguments.rounds):
        for threads in settings:
            theirs[threads].append(torch_turn(arguments.seconds, job["what"], job["pytorch"], job["patch"], threads))
        ours.append(job["ours"]())
    medians = {threads: statistics.median(values) for threads, values in theirs.items()}
    best = max(medians, key=medians.get)
    ours_median = statistics.median(ours)
    return {
        "what": job["what"],
        "attention": job["attention"],
        "patch": job["patch"],
        "pytorch_attention": job["pytorch"],
        "pytorch_images_per_second": medians[best],
        "pytorch_threads": best,
        "asap_images_per_second": ours_median,
        "asap_threads": arguments.threads,
        "ratio": ours_median / medians[best],
        "rounds": {"pytorch": {str(key): value for key, value in theirs.items()}, "asap": ours},
    }


def sinkhorn_over_softmax(rows):
    """Our training speeds with Sinkhorn attention relative to softmax attention, by patch size."""
    speeds = {(row["patch"], row["attention"]): row["asap_images_per_second"] for row in rows if row["what"] == "train"}
    return {patch: speeds[patch, "sinkhorn"] / speeds[patch, "softmax"] for patch, kind in speeds if kind == "softmax"}


def print_table(rows):
    print(f"{'':44}{'PyTorch ' + torch.__version__:>20}{'ASAP':>16}{'ratio':>8}")
    print(f"{'':44}{'images/s (threads)':>20}{'images/s':>16}")
    for row in rows:
        label = f"{row['what']}, patch {row['patch']}, {row['attention']}"
        if row["attention"] != row["pytorch_attention"]:
            label += f" / {row['pytorch_attention']}"
        theirs = f"{row['pytorch_images_per_second']:.0f} ({row['pytorch_threads']})"
        ours = f"{row['asap_images_per_second']:.0f} ({row['asap_threads']})"
        print(f"{label:44}{theirs:>20}{ours:>16}{row['ratio']:>8.2f}")
    for patch, ratio in sinkhorn_over_softmax(rows).items():
        print(f"our training at patch {patch}: Sinkhorn (T = 10) runs at {ratio:.2f} times the speed of softmax")


def main():
    arguments = parse_arguments()
    if arguments.turn:
        what, attention, patch, threads = arguments.turn
        speed = {"train": torch_training_speed, "infer": torch_inference_speed}[what]
        print(speed(attention, int(patch), int(threads), arguments.seconds))
        return
    blas = require_fast_blas()
    rows = [measure(arguments, job) for job in jobs_of(arguments)]
    if arguments.json:
        ratios = {str(patch): ratio for patch, ratio in sinkhorn_over_softmax(rows).items()}
        result = {"torch": torch.__version__, "blas": blas, "batch": BATCH, "rows": rows}
        print(json.dumps(result | {"sinkhorn_over_softmax": ratios}, indent=2))
    else:
        print_table(rows)


if __name__ == "__main__":
    main()

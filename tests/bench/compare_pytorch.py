#!/usr/bin/python3
"""Training and inference speed of the toolkit against PyTorch: the same Vision Transformer, the same batch
size, the same machine, measured by turns in one run so that both see the same noise.

  scripts/setup.sh --developer
  tests/bench/compare_pytorch.py                  training, Sinkhorn and softmax
  tests/bench/compare_pytorch.py --run RUN        also inference, with a trained model
  tests/bench/compare_pytorch.py --json

PyTorch gets the best of its thread settings and a fast BLAS; the median over rounds counts, for both sides. Its
Sinkhorn attention is the log-domain one with every iteration recorded by autograd (tests/reference/vit.py). The
model is that of configs/train/fashion_mnist_sinkhorn.json; its speed does not depend on the pixels, so PyTorch is
fed noise. Measure on a machine that does nothing else.
"""

import argparse
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


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=root / "build" / "bin", help="folder of asap-train")
    parser.add_argument("--run", type=Path, help="trained Sinkhorn run: measure inference too")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default 5)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a turn of PyTorch (default 3)")
    parser.add_argument("--steps", type=int, default=100, help="length of a turn of ours (default 100 steps)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of ours (default all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    # One turn of PyTorch runs in a process of its own, so that its waiting threads disturb nobody.
    parser.add_argument("--turn", nargs=3, metavar=("WHAT", "ATTENTION", "THREADS"), help=argparse.SUPPRESS)
    return parser.parse_args()


def torch_training_speed(attention, threads, seconds):
    """Images per second of forward, backward, clipping and AdamW."""
    torch.set_num_threads(threads)
    config = vit.Config(attention=attention)
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


def torch_inference_speed(attention, threads, seconds):
    torch.set_num_threads(threads)
    config = vit.Config(attention=attention)
    parameters = vit.new_parameters(config, torch.Generator().manual_seed(1))
    images = torch.randn(BATCH, 28, 28)

    def step():
        with torch.no_grad():
            vit.forward(config, parameters, images)

    return speed_of(step, seconds)


def speed_of(step, seconds):
    """Images per second over at least that many seconds."""
    for _ in range(WARM_UP_STEPS):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return BATCH * steps / (time.perf_counter() - start)


def torch_turn(arguments, what, attention, threads):
    """One turn of PyTorch in a process of its own."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, __file__, "--seconds", str(arguments.seconds), "--turn", what, attention, str(threads)]
    finished = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
    if finished.returncode != 0:
        sys.exit(finished.stderr.strip())
    return float(finished.stdout)


def require_fast_blas():
    """The reference BLAS that Debian installs when nothing else asks for one is ten times slower than others;
    beating it would prove nothing."""
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


def our_training_speed(arguments, attention):
    config = f"configs/train/fashion_mnist_{attention}.json"
    summary = run_ours(
        arguments, "asap-train", "--config", config, "--max-steps", str(arguments.steps),
        "--set", f"train.batch={BATCH}", "--set", "data.test_examples=64",
    )
    return summary["train"]["examples_per_second"]


def our_inference_speed(arguments, attention):
    method = {"sinkhorn": "teacher", "softmax": "softmax"}[attention]
    summary = run_ours(
        arguments, "asap-eval", "compare", "--run", arguments.run.resolve(), "--methods", method,
    )
    return summary["methods"][0]["examples_per_second"]


def measure(arguments, what, attention):
    """Turns: each PyTorch thread setting, then ours, as often as there are rounds."""
    our_speed = {"train": our_training_speed, "infer": our_inference_speed}[what]
    settings = sorted({1, os.cpu_count()})
    theirs = {threads: [] for threads in settings}
    ours = []
    for _ in range(arguments.rounds):
        for threads in settings:
            theirs[threads].append(torch_turn(arguments, what, attention, threads))
        ours.append(our_speed(arguments, attention))
    medians = {threads: statistics.median(values) for threads, values in theirs.items()}
    best = max(medians, key=medians.get)
    ours_median = statistics.median(ours)
    return {
        "what": what,
        "attention": attention,
        "pytorch_images_per_second": medians[best],
        "pytorch_threads": best,
        "asap_images_per_second": ours_median,
        "asap_threads": arguments.threads,
        "ratio": ours_median / medians[best],
        "rounds": {"pytorch": {str(key): value for key, value in theirs.items()}, "asap": ours},
    }


def print_table(rows):
    print(f"{'':26}{'PyTorch ' + torch.__version__:>20}{'ASAP':>16}{'ratio':>8}")
    print(f"{'':26}{'images/s (threads)':>20}{'images/s':>16}")
    for row in rows:
        label = f"{row['what']}, {row['attention']}" + (" T = 10" if row["attention"] == "sinkhorn" else "")
        theirs = f"{row['pytorch_images_per_second']:.0f} ({row['pytorch_threads']})"
        ours = f"{row['asap_images_per_second']:.0f} ({row['asap_threads']})"
        print(f"{label:26}{theirs:>20}{ours:>16}{row['ratio']:>8.2f}")


def main():
    arguments = parse_arguments()
    if arguments.turn:
        what, attention, threads = arguments.turn
        speed = {"train": torch_training_speed, "infer": torch_inference_speed}[what]
        print(speed(attention, int(threads), arguments.seconds))
        return
    blas = require_fast_blas()
    jobs = [("train", "sinkhorn"), ("train", "softmax")]
    if arguments.run:
        jobs += [("infer", "sinkhorn"), ("infer", "softmax")]
    rows = [measure(arguments, *job) for job in jobs]
    if arguments.json:
        print(json.dumps({"torch": torch.__version__, "blas": blas, "batch": BATCH, "rows": rows}, indent=2))
    else:
        print_table(rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One turn of compare_pytorch.py: runs under the interpreter whose PyTorch is measured, in a process of its own, and
prints JSON.

  pytorch_turn.py about                                      {"version": ..., "blas": ..., "modes": [...]}
  pytorch_turn.py WHAT ATTENTION PATCH THREADS MODE SECONDS  {"images_per_second": ...}

WHAT is train or infer; MODE is eager or compiled (torch.compile), perhaps with _bfloat16: under autocast, which chooses
the precision of every operation. From version 2 on, softmax is scaled_dot_product_attention."""

import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reference"))
import vit  # noqa: E402  (found through the line above)

BATCH = 64
WARM_UP_STEPS = 3


def recent():
    return int(torch.__version__.partition(".")[0]) >= 2


def blas():
    """The name of the BLAS that the process has loaded, or holds within PyTorch."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    maps = Path("/proc/self/maps").read_text()
    loaded = next((name for name in ("openblas", "libmkl", "blis") if name in maps), None)
    return loaded or ("mkl" if torch.backends.mkl.is_available() else "reference")


def speed_of(step, seconds):
    """Images per second, measured for at least `seconds` after a warm-up."""
    for _ in range(WARM_UP_STEPS):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return BATCH * steps / (time.perf_counter() - start)


def training_step(forward, parameters, images):
    """Forward, backward, clipping and AdamW."""
    for value in parameters.values():
        value.requires_grad_()
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3, weight_decay=0.05)
    labels = torch.randint(0, 10, (BATCH,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(forward(parameters, images), labels).backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()

    return step


def inference_step(forward, parameters, images):
    def step():
        with torch.no_grad():
            forward(parameters, images)

    return step


def turn(what, attention, patch, threads, mode, seconds):
    torch.set_num_threads(int(threads))
    config = vit.Config(attention=attention, patch=int(patch), fused=recent())
    parameters = vit.new_parameters(config, torch.Generator().manual_seed(1))

    def forward(parameters, images):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode.endswith("_bfloat16")):
            return vit.forward(config, parameters, images)

    make = training_step if what == "train" else inference_step
    step = make(torch.compile(forward) if mode.startswith("compiled") else forward, parameters, torch.randn(BATCH, 28, 28))
    return {"images_per_second": speed_of(step, float(seconds))}


def main(words):
    if words == ["about"]:
        modes = ["eager", "compiled"] if recent() else ["eager"]
        print(json.dumps({"version": torch.__version__, "blas": blas(), "modes": modes}))
    else:
        print(json.dumps(turn(*words)))


if __name__ == "__main__":
    main(sys.argv[1:])

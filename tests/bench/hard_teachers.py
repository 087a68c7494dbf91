#!/usr/bin/env python3
"""Trains teachers that are hard to imitate (sharp, one-to-one, or far from converged), compiles each, and measures the
compiled operator beside truncated loops: agreement with the teacher, plan L1, loss of accuracy, and attention time over
softmax's in the same run. Nothing is retrained.

  tests/bench/hard_teachers.py [--teachers NAME;...] [--maps NAME;...] [--seeds N] [--examples N] [--out DIR] [--threads N]
                               [--figure FILE.svg] [--again]

Stages that are finished are skipped on a second run; with --again everything but the training is repeated. --maps adds
operators with the same map in every layer (MAPS below). --figure draws disagreement over attention time for the
teachers of at least 196 tokens. Needs the executables in build/bin (or ASAP_BINARY_DIR); mnist and cifar10 need
ASAP_DATA_DIR, cifar10 unpacked as train/CLASS/*.jpg and test/CLASS/*.jpg in its folder cifar10. Writes DIR/SEED/NAME,
and prints a table in Markdown: means over the seeds that are there."""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

from frontier_figure import frontier_figure

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build/bin"))
CONFIGS = ROOT / "configs/train"
LONG = ["model.patch=2", "train.batch=32", "train.epochs=1"]
TEACHERS = {  # name: (configuration, settings)
    "matching_hard": ("matching_hard_sinkhorn", []),
    "listops": ("listops_sinkhorn", []),
    "mnist": ("mnist_sinkhorn", []),
    "fashion, epsilon .25": ("fashion_mnist_sinkhorn", ["model.attention.epsilon=0.25"]),
    "fashion, 196 tokens, epsilon .25": ("fashion_mnist_sinkhorn", [*LONG, "model.attention.epsilon=0.25"]),
    "fashion, 196 tokens, learning rate .002": ("fashion_mnist_sinkhorn", [*LONG, "train.learning_rate=0.002"]),
    "cifar10": ("cifar10_sinkhorn", []),
    "cifar10, 256 tokens": ("cifar10_sinkhorn", LONG),
    "agnews": ("agnews_sinkhorn", []),
    "fashion": ("fashion_mnist_sinkhorn", []),
}
DEFAULT_TEACHERS = [name for name in TEACHERS if name not in ("cifar10, 256 tokens", "agnews", "fashion")]
LOOPS = ["sinkhorn:2", "sinkhorn:3", "sinkhorn:5", "sinkhorn_bf16:2", "sinkhorn_bf16:3", "sinkhorn_bf16:5",
         "sinkhorn_bf16:10"]
CHOSEN = ["compiled", "compiled:cascade", "guarded", "warm"]
MAPS = {  # name: words of asap-compile
    "relaxed+2": ["--features", "start,it:2"],
    "relaxed+3": ["--features", "start,it:3"],
    "relaxed+4": ["--features", "start,it:4"],
    "LL+2": ["--features", "lse,lse0,it:2"],
    "G+2": ["--features", "gau,lin,tilt,lse,lse0,it:2"],
    "landmarks LL+1": ["--features", "lse,lse0,landmarks:16,it:1"],
    "key bias": ["--mode", "key_bias"],
    "key bias, one pass": ["--mode", "key_bias", "--features", "gau,lin,tilt"],
}


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def folder_of(out, seed, name):
    return out / str(seed) / name.replace(", ", "-").replace(" ", "_")


def set_words(settings):
    return [word for setting in settings for word in ("--set", setting)]


def train(name, seed, folder, threads):
    """Trains a teacher unless its run is finished."""
    config, settings = TEACHERS[name]
    if not (folder / "teacher/summary.json").exists():
        run(BIN / "asap-train", "--config", CONFIGS / f"{config}.json", *set_words(settings), "--seed", seed, "--out",
            folder / "teacher", "--resume", "--threads", threads, "--quiet")


def compile_operator(folder, operator, words, options):
    if options.again or not (folder / operator / "summary.json").exists():
        run(BIN / "asap-compile", "--run", folder / "teacher", "--out", folder / operator, "--overwrite", "--threads",
            options.threads, "--quiet", *words)


def compare(folder, operator, methods, options, stage="", words=()):
    """The methods of a comparison by name, measured on one thread."""
    out = folder / f"{operator}-compare{stage}"
    if options.again or not (out / "summary.json").exists():
        run(BIN / "asap-eval", "compare", "--run", folder / "teacher", "--compiled", folder / operator, "--methods",
            ",".join(methods), "--examples", options.examples, "--out", out, "--overwrite", "--threads", 1, "--quiet",
            *words)
    return {method["name"]: method for method in json.loads((out / "summary.json").read_text())["methods"]}


def operators_of(folder, operator):
    """What the layers of an operator run, in words."""
    layers = json.loads((folder / operator / "operator.json").read_text())["choice"]["layers"]
    return "; ".join(dict.fromkeys(layer["operator"] for layer in layers))


def measure(name, seed, options):
    """Rows of one teacher: {method: numbers}."""
    folder = folder_of(options.out, seed, name)
    train(name, seed, folder, options.threads)
    compile_operator(folder, "operator", [], options)
    measured = compare(folder, "operator", ["teacher", "softmax", "softmax_bf16", *LOOPS, *CHOSEN], options)
    measured["compiled"]["operators"] = operators_of(folder, "operator")
    for map_name in options.maps:
        place = map_name.replace(", ", "-").replace(" ", "_")
        compile_operator(folder, place, MAPS[map_name], options)
        forced = compare(folder, place, ["teacher", "softmax", "compiled", "compiled:cascade"], options)
        measured[map_name], measured[f"{map_name}, cascade"] = forced["compiled"], forced["compiled:cascade"]
        for row in (measured[map_name], measured[f"{map_name}, cascade"]):
            row["over_softmax"] = row["attention_milliseconds"] / forced["softmax"]["attention_milliseconds"]
    for row in measured.values():
        row.setdefault("over_softmax", row["attention_milliseconds"] / measured["softmax"]["attention_milliseconds"])
        row["loss"] = 100 * (measured["teacher"]["accuracy"] - row["accuracy"])
    return measured


def means(measured):
    """{method: means over seeds}."""
    result = {}
    for method in measured[0]:
        rows = [one[method] for one in measured]
        result[method] = {key: statistics.mean(row[key] for row in rows)
                          for key in ("agreement", "plan_l1", "loss", "over_softmax")}
        result[method]["least"] = min(row["agreement"] for row in rows)
        if "cascade" in rows[0]:
            result[method]["share"] = statistics.mean(row["cascade"]["rerun_share"] for row in rows)
        elif "guard" in rows[0]:
            result[method]["share"] = statistics.mean(row["guard"]["iterated"] / row["guard"]["heads"] for row in rows)
    return result


def print_rows(name, measured):
    notes = list(dict.fromkeys(one["compiled"]["operators"] for one in measured))
    for method, row in means(measured).items():
        if method in ("teacher", "softmax"):
            continue
        note = f" ({' / '.join(notes)})" if method == "compiled" else ""
        share = f"{100 * row['share']:.1f} %" if "share" in row else ""
        print(f"| {name} | {method}{note} | {row['agreement']:.4f} | {row['least']:.4f} | {row['plan_l1']:.4f} | "
              f"{row['loss']:.2f} | {row['over_softmax']:.2f} | {share} |", flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/hard_teachers"))
    parser.add_argument("--teachers", type=lambda text: text.split(";"), default=DEFAULT_TEACHERS,
                        help=f"separated by semicolons: any of {'; '.join(TEACHERS)}")
    parser.add_argument("--maps", type=lambda text: text.split(";"), default=[],
                        help=f"separated by semicolons: any of {'; '.join(MAPS)}")
    parser.add_argument("--seeds", type=lambda text: range(1, int(text) + 1), default=range(1, 4))
    parser.add_argument("--examples", type=int, default=2000, help="test examples; 0: all")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    for kind, chosen, known in (("teacher", options.teachers, TEACHERS), ("map", options.maps, MAPS)):
        for name in chosen:
            if name not in known:
                parser.error(f"unknown {kind} '{name}'; known are {'; '.join(known)}")
    return options


def main():
    options = parse_options()
    print("| teacher | method | agreement | least | plan L1 | loss of accuracy, points | attention time / softmax's | "
          "examples run again, or heads left to the teacher |\n|---|---|---|---|---|---|---|---|", flush=True)
    panels = {}
    for name in options.teachers:
        measured = [measure(name, seed, options) for seed in options.seeds]
        print_rows(name, measured)
        if "tokens" in name:
            panels[name] = means(measured)
    if options.figure:
        options.figure.write_text(frontier_figure(panels))


if __name__ == "__main__":
    main()

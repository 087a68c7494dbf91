#!/usr/bin/env python3
"""Inputs that have shifted since calibration: what a guard, a cascade and both together keep of the agreement, at which
price, and whether asap-eval drift notices.

  tests/bench/shifted_inputs.py [--teachers NAME;...] [--seeds N] [--drift-seeds N] [--examples N] [--out DIR] [--again]

Trains as hard_teachers.py does, into the same folders. Prints two tables in Markdown: agreement, attention time over the
compiled operator's and shares, means over the seeds; and how often drift raises an alarm, over drawings of 300 test
examples of the first seed."""

import argparse
import json
import os
import statistics
from pathlib import Path

from hard_teachers import BIN, compare, compile_operator, folder_of, run, set_words, train

METHODS = ["teacher", "compiled", "guarded", "compiled:cascade", "guarded:cascade"]
IMAGES = {  # name: (settings of the calibration, settings of the test)
    "none": ([], []),
    "noise .1": ([], ["data.shift.noise=0.1"]),
    "noise .3": ([], ["data.shift.noise=0.3"]),
    "negatives": ([], ["data.shift.negative=true"]),
    "other classes": (["data.shift.classes=[0,1,2,3,4]"], ["data.shift.classes=[5,6,7,8,9]"]),
}
SHIFTS = {
    "mnist": IMAGES,
    "fashion, epsilon .25": IMAGES,
    "cifar10": IMAGES,
    "matching_hard": {"none": ([], []), "noise .3": ([], ["data.shift.noise=0.3"])},
    "listops": {"none": ([], []), "four times as long": (["data.shift.max_tokens=24"], ["data.shift.min_tokens=96"])},
    "agnews": {"none": ([], []), "four times as long": (["data.text.max_tokens=12"], ["data.shift.min_tokens=48"]),
               "other classes": (["data.shift.classes=[0,1]"], ["data.shift.classes=[2,3]"])},
}


def place_of(shift):
    return shift.replace(" ", "_")


def operator_for(folder, shift, calibration, options):
    """The operator of the calibration; shifts of the test alone share one."""
    operator = f"operator-{place_of(shift)}" if calibration else "operator"
    compile_operator(folder, operator, set_words(calibration), options)
    return operator


def measure(name, shift, seed, options):
    calibration, test = SHIFTS[name][shift]
    folder = folder_of(options.out, seed, name)
    train(name, seed, folder, options.threads)
    operator = operator_for(folder, shift, calibration, options)
    methods = compare(folder, operator, METHODS, options, f"-{place_of(shift)}", set_words(test))
    for row in methods.values():
        row["extra"] = row["attention_milliseconds"] / methods["compiled"]["attention_milliseconds"] - 1
        if "guard" in row:
            row["left"] = row["guard"]["iterated"] / row["guard"]["heads"]
        if "cascade" in row:
            row["again"] = row["cascade"]["rerun_share"]
    return methods


def print_shift(name, shift, options):
    measured = [measure(name, shift, seed, options) for seed in options.seeds]
    cells = []
    for method in METHODS[1:]:
        def mean(key):
            return statistics.mean(one[method][key] for one in measured)
        text = f"{mean('agreement'):.4f}"
        if method != "compiled":
            text += f" (+{100 * mean('extra'):.0f} %"
            text += f"; {100 * mean('left'):.0f} % of heads" if "guard" in measured[0][method] else ""
            text += f"; {100 * mean('again'):.0f} % again" if "cascade" in measured[0][method] else ""
            text += ")"
        cells.append(text)
    print(f"| {name} | {shift} | " + " | ".join(cells) + " |", flush=True)


def alarms(name, shift, options):
    calibration, test = SHIFTS[name][shift]
    folder = folder_of(options.out, options.seeds[0], name)
    operator = operator_for(folder, shift, calibration, options)
    count = 0
    for seed in range(1, options.drift_seeds + 1):
        out = folder / f"drift-{place_of(shift)}/{seed}"
        if options.again or not (out / "summary.json").exists():
            run(BIN / "asap-eval", "drift", "--run", folder / "teacher", "--compiled", folder / operator, "--examples",
                300, "--seed", seed, "--out", out, "--overwrite", "--threads", 1, "--quiet", *set_words(test))
        count += json.loads((out / "summary.json").read_text())["shifted"]
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/hard_teachers"))
    parser.add_argument("--teachers", type=lambda text: text.split(";"), default=list(SHIFTS))
    parser.add_argument("--seeds", type=lambda text: range(1, int(text) + 1), default=range(1, 4))
    parser.add_argument("--drift-seeds", type=int, default=20)
    parser.add_argument("--examples", type=int, default=2000, help="test examples of a comparison; 0: all")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print("| teacher | shift | compiled | guarded | cascade | guarded, cascade |\n|---|---|---|---|---|---|", flush=True)
    for name in options.teachers:
        for shift in SHIFTS[name]:
            print_shift(name, shift, options)
    if options.drift_seeds == 0:
        return
    print("\n| teacher | shift | alarms of drift |\n|---|---|---|", flush=True)
    for name in options.teachers:
        for shift in SHIFTS[name]:
            print(f"| {name} | {shift} | {alarms(name, shift, options)} of {options.drift_seeds} |", flush=True)


if __name__ == "__main__":
    main()

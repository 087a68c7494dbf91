"""Makes the tables of the paper and their report; scripts/reproduce.sh documents its options."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reproduce.ablations.ablation_points import ABLATION_SETS, run_ablations
from reproduce.claims.claims_table import write_claims
from reproduce.report.numbers_of_runs import collect
from reproduce.report.page import write_report
from reproduce.stages.experiments import Experiments, Settings
from reproduce.stages.runner import Failed, Runner, Unavailable, say
from reproduce.stages.sources import how_to_get
from reproduce.studies.rank_collapse import run_rank
from reproduce.studies.relu_networks import run_functions, run_heads, run_regions

ROOT = Path(__file__).resolve().parent.parent.parent
# The data sets of the paper, or stand-ins for them; those of --quick come first.
QUICK_SETS = ["fashion_mnist", "agnews", "modelnet10", "matching"]
# Long sequences have a table of their own, and only the experiments `training` and `long`.
LONG_SETS = ["fashion_mnist_patch2", "modelnet10_points512", "cats_dogs_patch4", "fashion_mnist_patch1", "imdb_bytes",
             "cats_dogs_patch2", "listops_long"]
EXPERIMENTS = ["training", "slack", "retraining", "levels", "frozen", "replacement", "imitation", "shift", "cost",
               "linear", "kinds", "temperature", "relu", "heads", "ablations", "rank", "long"]
SLOW_EXPERIMENTS = ["kinds", "temperature", "heads", "rank"]  # --quick leaves them out
# These train networks of their own; all others need those of `training`.
ALONE = {"cost", "kinds", "temperature", "relu", "heads", "rank"}
ALL_SETS = [*QUICK_SETS, "mnist", "dbpedia14", "imdb", "tweeteval_emotion", "yelp5", "cifar10", "cifar100", "cats_dogs",
            "listops", "matching_hard", *LONG_SETS]
FIRST_SEED_ONLY = ("cost", "linear")
# Experiments that only some sets take: ESPFormer's temperature is chosen on these, and ReLU networks need images.
ONLY_ON = {"temperature": ["fashion_mnist", "agnews", "dbpedia14", "tweeteval_emotion", "matching"],
           "relu": ["fashion_mnist"], "heads": ["fashion_mnist", "cifar10"], "ablations": ABLATION_SETS,
           "rank": ABLATION_SETS}


def share_of(text):
    """2/6: the second of six shares, as its number from 0 and the number of shares."""
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a share such as 2/6 (hint: the second of six)")
    return int(number) - 1, int(count)


def parse_options(words):
    parser = argparse.ArgumentParser(prog="scripts/reproduce.sh")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=lambda text: text.split(","))
    parser.add_argument("--experiments", type=lambda text: text.split(","))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--update-readme", action="store_true")
    parser.add_argument("--share", type=share_of)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--caller", type=Path, default=Path.cwd(), help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.experiments = options.experiments or [name for name in EXPERIMENTS
                                                  if not (options.quick and name in SLOW_EXPERIMENTS)]
    unknown = [name for name in options.experiments if name not in EXPERIMENTS]
    if unknown:
        parser.error(f"--experiments: there is no '{unknown[0]}' (hint: some of {','.join(EXPERIMENTS)})")
    if options.update_readme and (options.quick or options.share):
        parser.error("--update-readme takes the results of a whole run (hint: leave out --quick and --share)")
    options.seeds = options.seeds or (1 if options.quick else 3)
    default = ROOT / "runs" / ("reproduce-quick" if options.quick else "reproduce")
    options.out = (options.caller / options.out).resolve() if options.out else default
    options.data = options.data or (QUICK_SETS if options.quick else ALL_SETS)
    return options


def keep_settings(options):
    """Keeps quick results out of full tables: a folder holds only one kind of results."""
    path = options.out / "settings.json"
    settings = {"quick": options.quick}
    options.out.mkdir(parents=True, exist_ok=True)
    if path.is_file() and json.loads(path.read_text()) != settings:
        sys.exit(f"reproduce: error: {options.out} holds results made {'without' if options.quick else 'with'} --quick "
                 "(hint: choose another --out)")
    written = path.with_suffix(f".{os.getpid()}")  # other shares may begin at the same moment
    written.write_text(json.dumps(settings) + "\n")
    written.replace(path)


def set_of(what):
    """The set of 'SET' or 'SET, seed N: experiment'."""
    return re.split("[,:]", what)[0]


def lacks_data(error):
    return "not found" in str(error) or "has no file" in str(error)


def reason_of(what, error):
    """The error and, where data are missing, how to get them."""
    hint = how_to_get(set_of(what)) if lacks_data(error) else ""
    return f"{error}. {hint}" if hint else str(error)


class Log:
    """The stages that were skipped or failed, and why."""

    def __init__(self):
        self.skipped = []
        self.failed = []
        self.absent = []  # sets whose data were not found

    def attempt(self, name, stage):
        """Runs a stage; returns False if it was skipped or failed."""
        try:
            stage()
            return True
        except Unavailable as error:
            say(f"{name}: skipped: {error}")
            self.skipped.append({"what": name, "reason": reason_of(name, error)})
            if lacks_data(error) and set_of(name) not in self.absent:
                self.absent.append(set_of(name))
        except Failed as error:
            say(f"{name}: failed: {error}")
            self.failed.append({"what": name, "reason": str(error)})
        return False


def seeds_of_share(options, name):
    """The seeds of a set that this share runs: sets and seeds are dealt out like cards, all sets of seed 1 first."""
    number, count = options.share or (0, 1)
    place = options.data.index(name)
    return [seed for seed in range(1, options.seeds + 1) if ((seed - 1) * len(options.data) + place) % count == number]


def stages_of(stages):
    """Experiment, title and stage, in the order in which they run."""
    return [("slack", "slack", stages.slack), ("retraining", "retraining", stages.retraining),
            ("levels", "noise levels", stages.noise_levels), ("frozen", "frozen layer", stages.frozen_layer),
            ("replacement", "replacement", stages.replacement), ("imitation", "imitation", stages.imitation),
            ("shift", "class shift", stages.shift_classes), ("shift", "noise shift", stages.shift_noise),
            ("shift", "length shift", stages.shift_lengths), ("cost", "training cost", stages.cost),
            ("linear", "linear baseline", stages.linear), ("kinds", "attention kinds", stages.kinds),
            ("temperature", "ESPFormer's temperature", stages.temperature),
            ("relu", "convex functions", partial(run_functions, stages)),
            ("relu", "regions of activations", partial(run_regions, stages)),
            ("heads", "heads behind convolutions", partial(run_heads, stages)),
            ("ablations", "ablations", partial(run_ablations, stages)),
            ("rank", "rank collapse", partial(run_rank, stages))]


def takes_part(experiment, options, name, seed):
    """Whether a set takes an experiment with a seed."""
    return (experiment in options.experiments and name in ONLY_ON.get(experiment, [name])
            and (seed == 1 or experiment not in FIRST_SEED_ONLY))


def run_set(options, runner, log, name):
    """Runs all experiments on one data set."""
    configs = ROOT / "configs" / "train"
    if not (configs / f"{name}_sinkhorn.json").is_file():
        log.skipped.append({"what": name, "reason": f"there is no configs/train/{name}_sinkhorn.json"})
        say(f"{name}: skipped: {log.skipped[-1]['reason']}")
        return
    for seed in seeds_of_share(options, name):
        stages = Experiments(runner, Settings(options.quick, options.steps), configs, name, seed)
        title = name if seed == 1 else f"{name}, seed {seed}"
        if not ALONE.issuperset(options.experiments) and not log.attempt(title, stages.training):
            return
        if name in LONG_SETS:
            if "long" in options.experiments:
                log.attempt(f"{name}, seed {seed}: long sequences", stages.long_sequences)
            continue
        for experiment, title, stage in stages_of(stages):
            if takes_part(experiment, options, name, seed):
                log.attempt(f"{name}, seed {seed}: {title}", stage)


def machine():
    model = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    version = subprocess.run([ROOT / "build/bin/asap-train", "--version"], stdout=subprocess.PIPE, text=True)
    return {"processor": model, "system": platform.platform(), "toolkit": version.stdout.strip()}


def command_line(words):
    """The command as a reader would give it: not where its results are, nor that it updates the README."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in ("--caller", "--out", "--update-readme"):
            kept.append(word)
        skip = word in ("--caller", "--out")
    return " ".join(["scripts/reproduce.sh", *kept])


def main(words):
    options = parse_options(words)
    keep_settings(options)
    start = time.monotonic()
    runner = Runner(options.out, ROOT / "build" / "bin", options.threads)
    log = Log()
    for name in options.data:
        run_set(options, runner, log, name)
    if options.share:  # others may still be at work
        say(f"share {options.share[0] + 1} of {options.share[1]} is done ({time.monotonic() - start:.0f} s)")
        return 1 if log.failed else 0
    summary = collect(options.out, options.data)
    summary |= {"quick": options.quick, "seeds": options.seeds, "machine": machine(), "skipped": log.skipped,
                "failed": log.failed, "command": command_line(words),
                "absent": log.absent, "unmeasured": [name for name in options.data if name not in summary["sets"]
                                                     and name not in log.absent]}
    write_report(options.out, summary)
    write_claims(options.out, summary, options.update_readme)
    say(f"report: {options.out}/report.html ({time.monotonic() - start:.0f} s)")
    return 1 if log.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("reproduce: interrupted; run the same command again to continue", file=sys.stderr)
        sys.exit(130)

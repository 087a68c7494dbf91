#!/usr/bin/env python3
"""Predicts the time of a training step on 1 to 512 ranks, and compares the prediction with measurements.

    scripts/slurm/scaling_model.py measure [--build build-mpi] [--out runs/scaling] [--part here|link] [--ranks 1,2,4]
        measures the constants of the model, and steps of 1, 2 and 4 ranks on this machine (here), and of two ranks behind a
        link of 1 Gbit/s and 1 ms (link; needs root)
    scripts/slurm/scaling_model.py compare [--seconds 50]
        two threads, two ranks and two ranks with --fast-reduction, interleaved; repeated calls add to the same rounds
    scripts/slurm/scaling_model.py draw [--out runs/scaling] [--picture FILE]
        draws the prediction for 1 to 512 ranks

The model, for S shards of a batch, P ranks of one thread, and N numbers in the gradient, which travel in segments of 15,360:

    step     = (fixed + seconds per shard * ceil(S / P)) * slowest + the larger of gather and chain + relay
    slowest  = for equal work, the time of the slowest rank over that of the mean rank: ranks wait for each other in each step
    gather   = ceil(log2 P) * latency + 512 bytes * P / bandwidth
    chain    = max((segments - 1) * slower - backward, 0) + 2 (P - 1) * (latency + segment bytes / bandwidth),   0 on one rank
    slower   = the larger of: a segment's bytes / bandwidth, and the time a rank takes to add and copy it
    backward = what the backward pass takes of the time of a shard: the chain begins with that of a rank's last shard
    relay    = processor time per byte of a process that plays the link, times the bytes, both ways, that travel during that
               backward pass, when all processors have other work; 0 on a real network

The constants fixed and seconds per shard are those of P processes at once on this machine, each of which trains alone, so
that they share processors, caches and memory as ranks do.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import one_machine
from shaped_link import ShapedLink

ROOT = Path(__file__).resolve().parent.parent.parent
SEGMENT, FLOAT, OPENING = 15360, 4, 512
BACKWARD = 2 / 3  # of a shard: two matrix products for one of the forward pass
SHARD, STEPS = 8, 24
SETTINGS = ["data.kind=shapes", "data.shapes.examples=2048", "data.shapes.test_examples=16", "model.heads=4",
            "model.layers=2", "model.attention.kind=sinkhorn", f"train.shard={SHARD}", f"train.max_steps={STEPS}",
            "train.checkpoint_every=0"]
# Which computes for long, and which exchanges for long: its settings and shards a batch.
NETWORKS = {"network": (["data.shapes.image_size=16", "model.patch=2", "model.width=128"], 8),
            "wide network": (["data.shapes.image_size=8", "model.patch=4", "model.width=256"], 2)}
ENVIRONMENT = one_machine.environment()


def segments(numbers):
    return math.ceil(numbers / SEGMENT)


def segment_seconds(numbers, link):
    """The time of a segment on the link, and at the slowest place of the chain."""
    size = min(numbers, SEGMENT) * FLOAT
    return size / link["bandwidth"], max(size / link["bandwidth"], link["segment_seconds"])


def chain_seconds(numbers, ranks, link, hidden=0.0):
    """Without what is `hidden` behind the backward pass."""
    if ranks == 1:
        return 0.0
    on_link, slower = segment_seconds(numbers, link)
    return max((segments(numbers) - 1) * slower - hidden, 0.0) + 2 * (ranks - 1) * (link["latency"] + on_link)


def step_seconds(model, ranks, link, shards=None):
    compute = model["fixed_seconds"] + model["shard_seconds"] * math.ceil((shards or model["shards"]) / ranks)
    if ranks == 1:
        return compute
    compute *= link.get("slowest", 1.0)
    numbers, slower = model["numbers"], segment_seconds(model["numbers"], link)[1]
    gather = math.ceil(math.log2(ranks)) * link["latency"] + OPENING * ranks / link["bandwidth"]
    hidden = min(BACKWARD * model["shard_seconds"], (segments(numbers) - 1) * slower)
    relay = link.get("relay_seconds_per_byte", 0.0) * 2 * min(numbers, SEGMENT) * FLOAT * hidden / slower
    return compute + max(gather, chain_seconds(numbers, ranks, link, hidden)) + relay


def link_of(bench):
    """Latency, bandwidth and time of a segment, from the times of exchanges between ranks."""
    sums = {row["numbers"]: row["fixed_seconds"] for row in bench["sums"]}
    large, larger = 1 << 20, 1 << 22
    slower = (sums[larger] - sums[large]) / (segments(larger) - segments(large))
    # There and back: two small messages, and two segments.
    latency = sums[1 << 10] / 2 / (bench["ranks"] - 1)
    return {"latency": latency, "bandwidth": SEGMENT * FLOAT / slower, "segment_seconds": slower, "slowest": bench["slowest"]}


class Measurement:
    def __init__(self, build, out):
        self.train, self.bench, self.out = build / "bin/asap-train", build / "bin/mpi_exchange_bench", out
        out.mkdir(parents=True, exist_ok=True)
        self.count = 0

    def line(self, network, shards, threads=1, steps=STEPS):
        self.count += 1
        folder = self.out / f"run{self.count}"
        shutil.rmtree(folder, ignore_errors=True)
        changes = [*SETTINGS, *NETWORKS[network][0], f"train.batch={SHARD * shards}", f"train.max_steps={steps}"]
        words = [word for assignment in changes for word in ("--set", assignment)]
        return folder, [str(self.train.resolve()), *words, "--threads", str(threads), "--quiet", "--out",
                        str(folder.resolve())]

    def seconds_of(self, folder):
        summary = json.loads((folder / "summary.json").read_text())
        return summary["train"]["seconds"] / summary["train"]["steps"], summary["model"]["parameters"]

    def step(self, ranks, network, shards, more=(), threads=1):
        folder, line = self.line(network, shards, threads)
        subprocess.run(["mpirun", "-np", str(ranks), *line, *more], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        return self.seconds_of(folder)[0]

    def ratios(self, seconds):
        """Rounds of two threads, two ranks, and two ranks in any order: seconds of a step."""
        end = time.monotonic() + seconds
        rounds = []
        while time.monotonic() < end:
            ways = [("threads", lambda: self.step(1, "network", 8, threads=2)), ("fixed", lambda: self.step(2, "network", 8)),
                    ("any", lambda: self.step(2, "network", 8, more=["--fast-reduction"]))]
            turn = len(rounds) % 3
            rounds.append({name: way() for name, way in ways[turn:] + ways[:turn]})
        return rounds

    def exchange(self, ranks):
        return json.loads(subprocess.run(["mpirun", "-np", str(ranks), str(self.bench), "0.1"], env=ENVIRONMENT, check=True,
                                         stdout=subprocess.PIPE, text=True).stdout)

    def side_by_side(self, network, shards, processes):
        """Seconds of a step of processes that train at the same time and know nothing of each other: their mean."""
        lines = [self.line(network, shards) for _ in range(processes)]
        running = [subprocess.Popen(line, env=ENVIRONMENT, stdout=subprocess.DEVNULL) for _, line in lines]
        for process in running:
            if process.wait() != 0:
                raise RuntimeError("a training failed")
        return statistics.mean(self.seconds_of(folder)[0] for folder, _ in lines)

    def model_and_step(self, network, processes, repeats, step):
        """What a shard takes when that many processes compute at once, and what does not depend on shards; and, measured
        alternately with them, the seconds of step(): all medians."""
        shards = NETWORKS[network][1]
        own = max(shards // processes, 1)
        rounds = [(self.side_by_side(network, own, processes), step(), self.side_by_side(network, 2 * own, processes))
                  for _ in range(repeats)]
        some, measured, more = (statistics.median(column) for column in zip(*rounds))
        seconds = (more - some) / own
        model = {"shards": shards, "shard_seconds": seconds, "fixed_seconds": max(some - own * seconds, 0),
                 "numbers": self.seconds_of(self.out / f"run{self.count}")[1]}
        return model, measured


def measure(options):
    here = Measurement(options.build, options.out)
    result = {"processors": os.cpu_count(), "models": {}, "links": {}, "steps": []}

    def compare_step(network, ranks, link, step):
        model, measured = here.model_and_step(network, ranks, options.repeats, step)
        predicted = step_seconds(model, ranks, result["links"][link])
        result["models"][f"{network}, {ranks}"] = model
        result["steps"].append({"network": network, "ranks": ranks, "measured": measured, "predicted": predicted, "link": link})
        print(f"{network:13} {ranks} ranks, {link:24} measured {1e3 * measured:7.2f} ms, "
              f"predicted {1e3 * predicted:7.2f} ms ({100 * (measured / predicted - 1):+.0f} %)", flush=True)

    if options.part in ("all", "here"):
        for ranks in options.ranks:
            link = f"shared memory, {ranks} ranks"
            result["links"][link] = link_of(here.exchange(max(ranks, 2)))
            compare_step("network", ranks, link, lambda ranks=ranks: here.step(ranks, "network", 8))
    if options.part in ("all", "link"):
        # What the link is made to be, not what is measured on it: the prediction is one.
        nominal = {"latency": 1e-3, "bandwidth": 1e9 / 8, "segment_seconds": 0}
        result["links"]["1 Gbit/s, 1 ms"] = nominal
        with ShapedLink(1e9, 1e-3) as link:
            result["link_exchange"] = json.loads(link.mpirun([str(here.bench.resolve()), "0.1"]))
            seconds, carried = link.relayed()
            nominal |= {"relay_seconds_per_byte": seconds / carried, "slowest": here.exchange(2)["slowest"]}
            print(f"  the link's process takes {1e9 * seconds / carried:.2f} ms for a MB; "
                  f"the slowest rank takes {nominal['slowest']:.3f} times the mean one's time")
            for row in result["link_exchange"]["sums"]:
                print(f"  sum of {row['numbers']:8} numbers: measured {1e3 * row['fixed_seconds']:7.2f} ms, "
                      f"predicted {1e3 * chain_seconds(row['numbers'], 2, nominal):7.2f} ms; "
                      f"in any order {1e3 * row['any_seconds']:7.2f} ms")

            def step(network):
                folder, line = here.line(network, NETWORKS[network][1])
                link.mpirun(line)
                return here.seconds_of(folder)[0]

            for network in NETWORKS:
                compare_step(network, 2, "1 Gbit/s, 1 ms", lambda network=network: step(network))
    path = options.out / "scaling.json"
    if path.exists():  # another part
        before = json.loads(path.read_text())
        for key in ("models", "links"):
            result[key] = before[key] | result[key]
        new = {(row["network"], row["ranks"], row["link"]) for row in result["steps"]}
        result["steps"] += [row for row in before["steps"] if (row["network"], row["ranks"], row["link"]) not in new]
        result = before | result
    path.write_text(json.dumps(result, indent=1) + "\n")


def compare(options):
    """Appends rounds of the three ways to compare.json, and prints the median and quartiles of all of them."""
    path = options.out / "compare.json"
    rounds = json.loads(path.read_text()) if path.exists() else []
    rounds += Measurement(options.build, options.out).ratios(options.seconds)
    path.write_text(json.dumps(rounds) + "\n")
    for title, ratio in (("2 ranks reach, of the speed of 2 threads", lambda one: one["threads"] / one["fixed"]),
                         ("time in the fixed order, of that in any order", lambda one: one["fixed"] / one["any"])):
        quarter, half, three = statistics.quantiles([ratio(one) for one in rounds], n=4)
        print(f"{title}: median {half:.3f}, quartiles {quarter:.3f} and {three:.3f}, {len(rounds)} rounds")


def draw(options):
    result = json.loads((options.out / "scaling.json").read_text())
    model, picture = result["models"]["network, 2"], options.picture or options.out / "scaling.svg"
    curves = [("10 Gbit/s, 30 µs", {"latency": 3e-5, "bandwidth": 1.25e9, "segment_seconds": 0}),
              ("1 Gbit/s, 100 µs", {"latency": 1e-4, "bandwidth": 1.25e8, "segment_seconds": 0}),
              ("1 Gbit/s, 1 ms", {"latency": 1e-3, "bandwidth": 1.25e8, "segment_seconds": 0})]
    ranks = [2**k for k in range(10)]
    shards = 512

    def speedup(link, count):
        return step_seconds(model, 1, link, shards) / step_seconds(model, count, link, shards)

    left, top, width, height = 60, 30, 480, 300
    x = lambda count: left + width * math.log2(count) / 9
    y = lambda value: top + height * (1 - math.log2(max(value, 1)) / 9)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 150} {top + height + 50}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{left + width + 150}" height="{top + height + 50}" fill="white"/>',
           f'<text x="{left}" y="18">Speed of {shards} shards a batch, over that of one rank of one thread</text>']
    for k in range(10):
        out += [f'<line x1="{x(2**k):.1f}" x2="{x(2**k):.1f}" y1="{top}" y2="{top + height}" stroke="#e5e5e5"/>',
                f'<line x1="{left}" x2="{left + width}" y1="{y(2**k):.1f}" y2="{y(2**k):.1f}" stroke="#e5e5e5"/>',
                f'<text x="{x(2**k):.1f}" y="{top + height + 18}" text-anchor="middle">{2**k}</text>',
                f'<text x="{left - 8}" y="{y(2**k) + 4:.1f}" text-anchor="end">{2**k}</text>']
    out.append(f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">ranks</text>')
    lines = [("ideal", [float(count) for count in ranks], "#999999")]
    lines += [(name, [speedup(link, count) for count in ranks], colour)
              for (name, link), colour in zip(curves, ("#1b7837", "#2166ac", "#b2182b"))]
    for name, values, colour in lines:
        points = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in zip(ranks, values))
        dash = ' stroke-dasharray="4 4"' if name == "ideal" else ""
        out += [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
                f'<text x="{left + width + 8}" y="{y(values[-1]) + 4:.1f}" fill="{colour}">{name}</text>']
        print(f"{name:20}", " ".join(f"{count}: {value:.1f}" for count, value in zip(ranks, values)))
    Path(picture).write_text("\n".join([*out, "</svg>"]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("measure", "compare", "draw"))
    parser.add_argument("--build", type=Path, default=ROOT / "build-mpi")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/scaling")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--part", choices=("all", "here", "link"), default="all",
                        help="ranks on this machine, or two behind the link, which needs root")
    parser.add_argument("--ranks", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2, 4],
                        help="on this machine")
    parser.add_argument("--seconds", type=float, default=50, help="of compare")
    options = parser.parse_args()
    {"measure": measure, "compare": compare, "draw": draw}[options.action](options)


if __name__ == "__main__":
    sys.exit(main())

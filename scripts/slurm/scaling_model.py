#!/usr/bin/env python3
"""Predicts the time of a training step on 1 to 512 ranks, and compares the prediction with measurements.

    scripts/slurm/scaling_model.py measure [--build build-mpi] [--out runs/scaling] [--part here|link]
        measures the constants of the model, and steps of 1, 2 and 4 ranks on this machine (here), and of two ranks behind a
        link of 1 Gbit/s and 1 ms (link; needs root)
    scripts/slurm/scaling_model.py draw [--out runs/scaling] [--picture FILE]
        draws the prediction for 1 to 512 ranks

The model, for S shards of a batch, P ranks of one thread, and N numbers in the gradient, which travel in segments of 15,360:

    step     = fixed + compute + gather + chain
    compute  = seconds per shard * ceil(S / P); where ranks share C < P processors, S / C instead, and P / C times fixed
    gather   = ceil(log2 P) * latency + 512 bytes * P / bandwidth
    chain    = (segments - 1) * slower(segment) + 2 (P - 1) * (latency + segment bytes / bandwidth),   0 on one rank
    slower   = the larger of: a segment's bytes / bandwidth, and the time a rank takes to add and copy it
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

from shaped_link import ShapedLink

ROOT = Path(__file__).resolve().parent.parent.parent
SEGMENT, FLOAT, OPENING = 15360, 4, 512
SHARD, STEPS = 8, 25
SETTINGS = ["data.kind=shapes", "data.shapes.examples=2048", "data.shapes.test_examples=16", "model.heads=4",
            "model.layers=2", "model.attention.kind=sinkhorn", f"train.shard={SHARD}", f"train.max_steps={STEPS}",
            "train.checkpoint_every=0"]
# Which computes for long, and which exchanges for long: its settings and shards a batch.
NETWORKS = {"network": (["data.shapes.image_size=16", "model.patch=2", "model.width=128"], 8),
            "wide network": (["data.shapes.image_size=8", "model.patch=4", "model.width=256"], 2)}
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none",
                   OMPI_MCA_btl_vader_single_copy_mechanism="none", OMP_WAIT_POLICY="passive")


def segments(numbers):
    return math.ceil(numbers / SEGMENT)


def chain_seconds(numbers, ranks, link):
    if ranks == 1:
        return 0.0
    size = min(numbers, SEGMENT) * FLOAT
    slower = max(size / link["bandwidth"], link["segment_seconds"])
    return (segments(numbers) - 1) * slower + 2 * (ranks - 1) * (link["latency"] + size / link["bandwidth"])


def step_seconds(model, ranks, link, shards=None, processors=math.inf):
    shards = shards or model["shards"]
    gather = math.ceil(math.log2(ranks)) * link["latency"] + OPENING * ranks / link["bandwidth"] if ranks > 1 else 0.0
    crowd = max(ranks / processors, 1)
    compute = model["shard_seconds"] * (math.ceil(shards / ranks) if crowd == 1 else shards / processors)
    return crowd * model["fixed_seconds"] + compute + gather + chain_seconds(model["numbers"], ranks, link)


def link_of(bench):
    """Latency, bandwidth and time of a segment, from the times of exchanges between two ranks."""
    sums = {row["numbers"]: row["fixed_seconds"] for row in bench["sums"]}
    large, larger = 1 << 20, 1 << 22
    slower = (sums[larger] - sums[large]) / (segments(larger) - segments(large))
    # There and back: two small messages, and two segments.
    latency = sums[1 << 10] / 2
    return {"latency": latency, "bandwidth": SEGMENT * FLOAT / slower, "segment_seconds": slower}


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

    def exchange(self, ranks):
        return json.loads(subprocess.run(["mpirun", "-np", str(ranks), str(self.bench), "0.1"], env=ENVIRONMENT, check=True,
                                         stdout=subprocess.PIPE, text=True).stdout)

    def model(self, network, repeats):
        """The time of a shard with two processors busy, as when two ranks compute, and what does not depend on shards."""
        shards = NETWORKS[network][1]
        some, twice = (min(self.step(1, network, count, threads=2) for _ in range(repeats)) for count in (shards, 2 * shards))
        seconds = (twice - some) / (shards / 2)
        folder, line = self.line(network, shards, steps=1)
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        return {"shards": shards, "shard_seconds": seconds, "fixed_seconds": max(some - shards / 2 * seconds, 0),
                "numbers": self.seconds_of(folder)[1]}


def measure(options):
    here = Measurement(options.build, options.out)
    result = {"processors": os.cpu_count(), "models": {}, "links": {}, "steps": []}

    def note(network, ranks, seconds, link):
        predicted = step_seconds(result["models"][network], ranks, result["links"][link], processors=os.cpu_count())
        result["steps"].append({"network": network, "ranks": ranks, "measured": seconds, "predicted": predicted,
                                "link": link})
        print(f"{network:13} {ranks} ranks, {link:15} measured {1e3 * seconds:7.2f} ms, "
              f"predicted {1e3 * predicted:7.2f} ms "
              f"({100 * (seconds / predicted - 1):+.0f} %)", flush=True)

    if options.part in ("all", "here"):
        result["links"]["shared memory"] = link_of(here.exchange(2))
        result["models"]["network"] = here.model("network", options.repeats)
        times = {name: [] for name in ("threads", "fixed", "any", "alone", "four")}
        for _ in range(options.repeats):
            times["threads"].append(here.step(1, "network", 8, threads=2))
            times["fixed"].append(here.step(2, "network", 8))
            times["any"].append(here.step(2, "network", 8, more=["--fast-reduction"]))
            times["alone"].append(here.step(1, "network", 8))
            times["four"].append(here.step(4, "network", 8))
        best = {name: min(values) for name, values in times.items()}
        result["two_threads"], result["two_ranks"], result["two_ranks_any_order"] = list(best.values())[:3]
        note("network", 1, best["alone"], "shared memory")
        note("network", 2, best["fixed"], "shared memory")
        note("network", 4, best["four"], "shared memory")
        print(f"2 ranks reach {best['threads'] / best['fixed']:.2f} of the speed of 2 threads; "
              f"the fixed order takes {100 * (best['fixed'] / best['any'] - 1):+.1f} % more time than any order", flush=True)
    if options.part in ("all", "link"):
        result["models"]["wide network"] = model = here.model("wide network", options.repeats)
        # What the link is made to be, not what is measured on it: the prediction is one.
        nominal = {"latency": 1e-3, "bandwidth": 1e9 / 8, "segment_seconds": 0}
        result["links"]["1 Gbit/s, 1 ms"] = nominal
        with ShapedLink(1e9, 1e-3) as link:
            result["link_exchange"] = json.loads(link.mpirun([str(here.bench.resolve()), "0.2"]))
            for row in result["link_exchange"]["sums"]:
                print(f"  sum of {row['numbers']:8} numbers: measured {1e3 * row['fixed_seconds']:7.2f} ms, "
                      f"predicted {1e3 * chain_seconds(row['numbers'], 2, nominal):7.2f} ms; "
                      f"in any order {1e3 * row['any_seconds']:7.2f} ms")
            times = []
            for _ in range(options.repeats):
                folder, line = here.line("wide network", model["shards"])
                link.mpirun(line)
                times.append(here.seconds_of(folder)[0])
            note("wide network", 2, min(times), "1 Gbit/s, 1 ms")
    path = options.out / "scaling.json"
    if path.exists():  # the other part
        for key, value in json.loads(path.read_text()).items():
            if isinstance(value, dict):
                result[key] = {**value, **result.get(key, {})}
            elif isinstance(value, list):
                result[key] = [row for row in value if row not in result[key]] + result[key]
            else:
                result.setdefault(key, value)
    path.write_text(json.dumps(result, indent=1) + "\n")


def draw(options):
    result = json.loads((options.out / "scaling.json").read_text())
    model, picture = result["models"]["network"], options.picture or options.out / "scaling.svg"
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
    parser.add_argument("action", choices=("measure", "draw"))
    parser.add_argument("--build", type=Path, default=ROOT / "build-mpi")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/scaling")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--part", choices=("all", "here", "link"), default="all",
                        help="ranks on this machine, or two behind the link, which needs root")
    options = parser.parse_args()
    (measure if options.action == "measure" else draw)(options)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Compares the toolkit's attention with other libraries in one run: milliseconds per head, and ratios of times with
their bounds.

  scripts/setup.sh --developer       installs Debian's PyTorch
  tests/bench/peers_setup.sh         makes .venv with ONNX Runtime, JAX, OTT-JAX and the newest PyTorch
  tests/bench/compare_peers.py --out runs/peers
  tests/bench/compare_peers.py --sizes 196x32 --threads 1 --rounds 1 --out runs/peers    a quick first run

Peers (peers.py) and our forms (asap-eval bench) run interleaved. Each peer has a process of its own, which is stopped
between its turns. Every turn draws fresh data; all sides get the same number of heads and the same processors. The
report takes medians over rounds and names the peers that are missing or too slow. Writes peers.txt, peers.md and
summary.json into --out. Measure on an otherwise idle machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peer_report
from peer_worker import PeerError, PeerWorker, processors

root = Path(__file__).resolve().parent.parent.parent
DEBIAN_PYTHON, VENV_PYTHON = "/usr/bin/python3", root / ".venv" / "bin" / "python"
PEERS = {
    "debian_torch_softmax": DEBIAN_PYTHON,
    "debian_torch_sinkhorn": DEBIAN_PYTHON,
    "torch_softmax": VENV_PYTHON,
    "torch_sinkhorn": VENV_PYTHON,
    "onnx_softmax": VENV_PYTHON,
    "onnx_sinkhorn": VENV_PYTHON,
    "jax_softmax": VENV_PYTHON,
    "ott_sinkhorn": VENV_PYTHON,
}
DEFAULT_SIZES = "196x32,512x32,512x64,1024x64,2048x64,4096x64"
LONG_SIZES = "8192x64,16384x64"


def parse_size(text):
    tokens, cross, width = text.partition("x")
    if not (cross and tokens.isdigit() and width.isdigit() and int(tokens) > 0 and int(width) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 512x64")
    return int(tokens), int(width)


def parse_sizes(text):
    return sorted((parse_size(part) for part in text.split(",")), key=lambda size: (size[1], size[0]))


def parse_threads(text):
    counts = text.split(",")
    if not all(count.isdigit() and int(count) > 0 for count in counts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of thread counts such as 1,2")
    most = len(os.sched_getaffinity(0))
    if max(map(int, counts)) > most:
        raise argparse.ArgumentTypeError(f"'{text}' exceeds this machine's {most} processors")
    return [int(count) for count in counts]


def parse_peers(text):
    names = text.split(",") if text else []
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"unknown peer '{name}' (one of {', '.join(PEERS)})")
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=root / "build" / "bin", help="folder of asap-eval")
    parser.add_argument("--sizes", type=parse_sizes, default=DEFAULT_SIZES, help=f"default {DEFAULT_SIZES}")
    parser.add_argument("--long", action="store_true", help=f"also {LONG_SIZES}, where most peers are too slow")
    parser.add_argument("--threads", type=parse_threads, default="1,2", help="thread counts, default 1,2")
    parser.add_argument("--peers", type=parse_peers, default=list(PEERS), help="peers to run, default all; '' for none")
    parser.add_argument("--rounds", type=int, default=5, help="turns each side gets (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds a peer's turn lasts (default 0.5)")
    parser.add_argument("--time-bound", type=float, default=20, help="seconds a call may take (default 20)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    arguments = parser.parse_args()
    if arguments.long:
        arguments.sizes = sorted({*arguments.sizes, *parse_sizes(LONG_SIZES)}, key=lambda size: (size[1], size[0]))
    if not (arguments.binaries / "asap-eval").exists():
        parser.error(f"--binaries: no asap-eval in {arguments.binaries} (hint: cmake --build --preset release)")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def head_count(tokens):
    """Heads per call, the same for all sides, so that a call takes about a tenth of a second."""
    count = 2**23 // tokens**2
    return min(64, count // 4 * 4) if count >= 4 else 4 if tokens <= 4096 else 2


def our_turn(arguments, size, threads, turn):
    """Runs one turn of all our forms. Returns the row of asap-eval bench and the peak speed."""
    tokens, width = size
    rounds = 3 if tokens < 4096 else 1
    checked = 2 if turn == 0 else 0  # the error of a form is the same in every turn
    with tempfile.TemporaryDirectory() as folder:
        command = [
            arguments.binaries / "asap-eval", "bench", "--sizes", str(tokens), "--head-width", str(width),
            "--iterations", "10", "--slices", "4", "--heads", str(head_count(tokens)), "--rounds", str(rounds),
            "--threads", str(threads), "--seed", str(turn + 1), "--set", f"checked_heads={checked}",
            "--set", f"turn_seconds={arguments.seconds / rounds / 2}", "--json", "--out", folder,
        ]
        finished = subprocess.run(
            command, capture_output=True, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, processors(threads)),
        )
    if finished.returncode != 0:
        sys.exit(finished.stderr.strip())
    summary = json.loads(finished.stdout)
    return summary["rows"][0], summary["peak_gflops"]


class Competition:
    """All peers and our forms at one thread count."""

    def __init__(self, arguments, threads):
        self.arguments = arguments
        self.threads = threads
        self.workers, self.versions = {}, {}
        self.out = {}  # name -> why the peer is out
        for name in arguments.peers:
            try:
                if not Path(PEERS[name]).exists():
                    raise PeerError("there is no .venv (hint: tests/bench/peers_setup.sh)")
                say(f"{peer_report.thread_label(threads)}: starting {name}")
                self.workers[name] = PeerWorker(name, PEERS[name], threads)
                self.versions[name] = self.workers[name].versions
            except PeerError as problem:
                self.out[name] = f"missing: {problem}"

    def measure(self, size):
        """Runs all rounds at one size. Returns a row of the summary."""
        times, ours, peaks = {name: [] for name in self.workers}, [], []
        skipped = dict(self.out)
        for turn in range(self.arguments.rounds):
            say(f"{peer_report.thread_label(self.threads)}, {size[0]}x{size[1]}: round {turn + 1} of {self.arguments.rounds}")
            row, peak = our_turn(self.arguments, size, self.threads, turn)
            ours.append(row)
            peaks.append(peak)
            for name in list(self.workers):
                self.peer_turn(name, size, turn, times, skipped)
        milliseconds = {name: statistics.median(values) for name, values in times.items() if values}
        # A skipped form has no time.
        for form in ours[0]["forms"]:
            if form in ours[0]:
                milliseconds[form] = statistics.median(row[form] for row in ours)
        return {
            "tokens": size[0], "width": size[1], "heads": head_count(size[0]), "threads": self.threads,
            "milliseconds": milliseconds, "skipped": skipped, "forms": ours[0]["forms"],
            "peak_gflops": max(peaks), "turns": times | {f: [r[f] for r in ours] for f in milliseconds if f in ours[0]},
        }

    def peer_turn(self, name, size, turn, times, skipped):
        if name in skipped:
            return
        request = {
            "tokens": size[0], "width": size[1], "heads": head_count(size[0]), "seed": 1000 + turn,
            "seconds": self.arguments.seconds,
        }
        # The limit also covers warm-up, compilation and drawing data.
        limit = 3 * self.arguments.time_bound + self.arguments.seconds + 120
        try:
            answer = self.workers[name].ask(request, limit)
        except PeerError as problem:
            self.leave(name, f"{problem} at {size[0]}x{size[1]}", skipped)
            return
        times[name].append(answer["milliseconds"])
        if answer["milliseconds"] * request["heads"] > 1e3 * self.arguments.time_bound:
            self.leave(name, f"takes over {self.arguments.time_bound:g} s per call from {size[0]}x{size[1]} on", skipped)

    def leave(self, name, why, skipped):
        say(f"{name}: {why}")
        self.workers.pop(name).close()
        self.out[name] = skipped[name] = why

    def close(self):
        for worker in self.workers.values():
            worker.close()


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    arguments = parse_arguments()
    rows, versions = [], {}
    for threads in arguments.threads:
        competition = Competition(arguments, threads)
        try:
            for size in arguments.sizes:
                rows.append(competition.measure(size))
        finally:
            competition.close()
        versions |= competition.versions
    command = "tests/bench/compare_peers.py " + " ".join(sys.argv[1:])
    peer_report.write(arguments.out, rows, versions, command)
    print((arguments.out / "peers.txt").read_text(), end="")


if __name__ == "__main__":
    main()

"""Jobs of several ranks, for the tests of this folder."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts" / "slurm"))

import one_machine

BINARIES = Path(os.environ["ASAP_BINARY_DIR"])
MPIRUN = os.environ.get("ASAP_MPIRUN", "mpirun")
ENVIRONMENT = one_machine.environment()
TINY = ["data.kind=shapes", "data.classes=4", "data.shapes.examples=192", "data.shapes.test_examples=64",
        "data.shapes.image_size=8", "model.patch=2", "model.width=16", "model.heads=2", "model.layers=2",
        "model.attention.iterations=4", "train.batch=16", "train.shard=2", "train.epochs=2", "train.learning_rate=0.01",
        "train.checkpoint_every=5"]


def settings(assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


def training(folder, *more, threads=1):
    """The command line of a tiny training into `folder`: 24 steps in a fraction of a second."""
    return [str(BINARIES / "asap-train"), *settings(TINY), "--threads", str(threads), "--out", str(folder),
            *more]


def command(ranks, *parts):
    """mpirun with this many ranks of each command line."""
    words = [MPIRUN]
    for part in parts:
        words += [*([":"] if len(words) > 1 else []), "-np", str(ranks), *part]
    return words


def run(words, **options):
    return subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, **options)


def run_ranks(ranks, line):
    """Without mpirun if there is to be no job at all: ranks = 0."""
    return run(line if ranks == 0 else command(ranks, line))


def results(folder):
    """Every file whose bytes a training determines, by name."""
    files = [folder / "config.json", folder / "metrics.jsonl", *sorted(folder.glob("checkpoint/**/*"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.is_file()}


class RunningJob:
    """A job whose ranks can be found and hurt. Its stderr is in a file."""

    def __init__(self, ranks, line):
        self.log = tempfile.NamedTemporaryFile(mode="w+", suffix=".log")
        self.process = subprocess.Popen(command(ranks, [*line, "--verbose"]), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                        stderr=self.log)
        self.ranks = ranks

    def text(self):
        return Path(self.log.name).read_text()

    def wait_for(self, met, what, seconds=60):
        end = time.monotonic() + seconds
        while not met():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"the job did not come to {what}: {self.text()}")
            time.sleep(0.01)

    def process_of(self, rank):
        pattern = re.compile(rf"rank {rank} of {self.ranks} on \S+, process (\d+)")
        self.wait_for(lambda: pattern.search(self.text()), f"start rank {rank}")
        return int(pattern.search(self.text()).group(1))

    def wait_for_step(self, folder, step):
        metrics = Path(folder) / "metrics.jsonl"
        self.wait_for(lambda: metrics.exists() and metrics.read_text().count('"loss"') >= step, f"step {step}")

    def end(self, seconds):
        """Waits for the end; returns the exit code and the time it took."""
        begin = time.monotonic()
        code = self.process.wait(seconds)
        return code, time.monotonic() - begin

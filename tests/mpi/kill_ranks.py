#!/usr/bin/env python3
"""Kills random ranks of trainings at random moments and resumes them: each job must end within 10 seconds and name the rank,
and the resumed training must have the bytes of one that nobody disturbed.

    ASAP_BINARY_DIR=build-mpi/bin tests/mpi/kill_ranks.py [--kills 20] [--ranks 2] [--seed 1]
"""

import argparse
import os
import random
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import job

SETTINGS = job.settings(["train.epochs=12", "train.checkpoint_every=7"])
STEPS = 144


def kill_and_resume(folder, kills, ranks, seed):
    """Yields the seconds from each kill to the end of the job."""
    rng = random.Random(seed)
    untouched = folder / "untouched"
    job.run_ranks(0, job.training(untouched, *SETTINGS)).check_returncode()
    expected = job.results(untouched)
    done = 0
    while done < kills:
        out = folder / "killed"
        shutil.rmtree(out, ignore_errors=True)
        running = job.RunningJob(ranks, job.training(out, *SETTINGS))
        victim = rng.randrange(ranks)
        process = running.process_of(victim)
        running.wait_for_step(out, rng.randrange(1, STEPS // 2))
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:  # it had ended
            running.end(60)
            continue
        code, seconds = running.end(60)
        text = running.text()
        if code == 0 or f"process rank {victim} " not in text or socket.gethostname() not in text:
            raise AssertionError(f"exit code {code}; rank {victim} is not named: {text}")
        # A resumed job has another number of ranks now and then.
        job.run_ranks(rng.choice((0, ranks)), job.training(out, *SETTINGS, "--resume")).check_returncode()
        if job.results(out) != expected:
            raise AssertionError("the resumed training has other bytes")
        done += 1
        yield seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = list(kill_and_resume(Path(folder), arguments.kills, arguments.ranks, arguments.seed))
    print(f"{len(times)} ranks killed: every job was over within {max(times):.1f} s, every resumed training has the same bytes")


if __name__ == "__main__":
    main()

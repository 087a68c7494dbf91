"""Runs stages. A stage is one command that leaves a summary.json in a folder of its own."""

import json
import subprocess
import time
from pathlib import Path

DATA_ERROR = 3  # exit code of the toolkit's commands


class Unavailable(Exception):
    """A stage lacks data or a library that it needs."""


class Failed(Exception):
    """A stage ended with an error other than missing data."""


def say(text):
    print(f"== {text}", flush=True)


def last_error(text):
    """The line of a command's stderr that states the error."""
    lines = [line for line in text.splitlines() if "error:" in line]
    return (lines[-1] if lines else text.strip()[-300:]).strip()


class Runner:
    """Runs stages below one folder with the executables of one build."""

    def __init__(self, out, binaries, threads=None):
        self.out = Path(out)
        self.binaries = Path(binaries)
        self.threads = threads

    def folder(self, *parts):
        return self.out.joinpath(*parts)

    def finished(self, folder):
        return (folder / "summary.json").is_file()

    def summary(self, folder):
        return json.loads((folder / "summary.json").read_text())

    def run(self, folder, words):
        """Runs a command of the toolkit with --out FOLDER unless its summary is already there. Raises Unavailable for
        missing data and Failed for any other error."""
        if self.finished(folder):
            return
        command = [str(self.binaries / words[0]), *words[1:], "--out", str(folder), "--quiet"]
        if self.threads:
            command += ["--threads", str(self.threads)]
        self.run_command(folder, command)

    def run_command(self, folder, command, unavailable=DATA_ERROR):
        """Runs any command that writes FOLDER/summary.json. `unavailable`: its exit code for missing data."""
        name = folder.relative_to(self.out)
        start = time.monotonic()
        say(f"{name}: {' '.join(command)}")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode == unavailable:
            raise Unavailable(last_error(done.stderr))
        if done.returncode != 0:
            raise Failed(f"{name}: exit code {done.returncode}: {last_error(done.stderr)}")
        seconds = time.monotonic() - start
        (folder / "seconds.json").write_text(json.dumps({"seconds": seconds, "command": command}) + "\n")
        say(f"{name}: {seconds:.0f} s")

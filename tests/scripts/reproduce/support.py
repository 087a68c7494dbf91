"""What several tests of scripts/reproduce use. Each test puts scripts in sys.path before it imports this."""

import json
from pathlib import Path

from reproduce.stages.experiments import Experiments, Settings


class Recorder:
    """Stands in for the runner: keeps the commands."""

    def __init__(self):
        self.commands = {}

    def folder(self, *parts):
        return Path("out", *parts)

    def run(self, folder, words):
        self.commands[folder.as_posix()] = " ".join(words)


def commands(run, name, quick=False):
    """The command of every stage by the stage's name, with seed 2."""
    recorder = Recorder()
    run(Experiments(recorder, Settings(quick), "configs", name, 2))
    return {path.removeprefix(f"out/{name}/seed-2/"): words for path, words in recorder.commands.items()}


def leave(folder, **summary):
    """The summary.json of a finished stage."""
    folder.mkdir(parents=True)
    folder.joinpath("summary.json").write_text(json.dumps(summary))


def report_of(sets, **more):
    """What main.py adds to the numbers of these sets."""
    return {"sets": sets, "quick": False, "seeds": 3, "machine": {"processor": "a < b", "toolkit": "asap-train"},
            "skipped": [], "failed": [], "command": "scripts/reproduce.sh"} | more

#!/usr/bin/env python3
"""Reads the event file of `asap-train --tensorboard` with the package tensorboard and compares it with metrics.jsonl.

A training is stopped, loses its last checkpoint, and is resumed, so that there would be duplicates if the file were only
appended to. The test makes a virtual environment with tensorboard from PyPI, unless the Python that runs it has it. Exit
code 77: nothing was tested, and why is printed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import packages

BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", Path(__file__).resolve().parents[2] / "build" / "bin"))
SETTINGS = ["data.kind=shapes", "data.classes=4", "data.shapes.examples=96", "data.shapes.test_examples=32",
            "data.shapes.image_size=8", "model.patch=2", "model.width=16", "model.heads=2", "model.layers=1",
            "model.attention.iterations=4", "train.batch=16", "train.epochs=2", "train.checkpoint_every=5"]


class EventFileTest(unittest.TestCase):
    def train(self, *words):
        settings = [word for setting in SETTINGS for word in ("--set", setting)]
        subprocess.run([BINARIES / "asap-train", *settings, "--out", self.run_folder, "--quiet", *words], check=True)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="asap-tensorboard-")
        self.addCleanup(folder.cleanup)
        self.run_folder = Path(folder.name, "run")

    def test_the_package_reads_every_number_once(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        self.train("--tensorboard", "--max-steps", "8")
        shutil.rmtree(self.run_folder / "checkpoint" / "step-00000008")
        self.train("--tensorboard", "--resume")
        events = EventAccumulator(str(self.run_folder / "tensorboard"), size_guidance={"scalars": 0})
        events.Reload()
        expected = {}
        for line in map(json.loads, (self.run_folder / "metrics.jsonl").read_text().splitlines()):
            for name, value in line.items():
                if name != "step":
                    tag = f"test/{name[5:]}" if name.startswith("test_") else f"train/{name}"
                    expected.setdefault(tag, []).append((line["step"], value))
        self.assertEqual(set(events.Tags()["scalars"]), set(expected))
        self.assertLess({"train/loss", "train/learning_rate", "train/gradient_norm", "test/accuracy"}, set(expected))
        for tag, numbers in expected.items():
            got = events.Scalars(tag)
            self.assertEqual([event.step for event in got], [step for step, _ in numbers], tag)
            self.assertEqual([event.wall_time for event in got], [float(step) for step, _ in numbers], tag)
            for event, (_, value) in zip(got, numbers):
                self.assertAlmostEqual(event.value, value, delta=1e-6 * max(1, abs(value)))


if __name__ == "__main__":
    if not (BINARIES / "asap-train").exists():
        packages.skip(f"asap-train is not built in {BINARIES}")
    packages.run_with(__file__, ["tensorboard"], ["tensorboard", "setuptools<81"])
    unittest.main()

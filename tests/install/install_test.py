#!/usr/bin/env python3
"""Installs the build into an empty prefix and runs all four commands from another folder."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["ASAP_BUILD_DIR"])
CMAKE = os.environ.get("ASAP_CMAKE", "cmake")
TRAINING = ["data.shapes.examples=192", "data.shapes.test_examples=64", "data.shapes.image_size=8", "model.patch=2",
            "model.width=16", "model.heads=2", "model.layers=2", "model.attention.iterations=4", "train.batch=16",
            "train.epochs=1"]


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = Path(cls.folder.name) / "a prefix"
        # As after a build of some targets: help files that are not there are made.
        (BUILD / "share/fish/vendor_completions.d/relu-fit.fish").unlink(missing_ok=True)
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def run_command(self, name, *words):
        elsewhere = Path(self.folder.name) / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        done = subprocess.run([self.prefix / "bin" / name, *words], cwd=elsewhere, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_all_four_commands_run_from_another_folder(self):
        config = self.prefix / "share/asap/configs/train/shapes_sinkhorn.json"
        settings = [word for assignment in TRAINING for word in ("--set", assignment)]
        self.run_command("asap-train", "--config", config, *settings, "--out", "run", "--quiet")
        self.run_command("asap-compile", "--run", "run", "--calibration", "32", "--set", "held_out=16", "--out", "operator")
        compared = json.loads(self.run_command("asap-eval", "compare", "--run", "run", "--compiled", "operator",
                                               "--methods", "teacher, compiled", "--out", "compare", "--json"))
        self.assertIsInstance(compared, dict)
        self.run_command("relu-fit", "fit", "--function", "x^2", "--method", "free", "--depth", "2", "--out", "fit")
        for result in ("run", "operator", "compare", "fit"):
            self.assertTrue((Path(self.folder.name) / "elsewhere" / result / "summary.json").is_file())

    def test_manual_pages_completions_and_configurations_are_installed(self):
        for name in ("asap-train", "asap-compile", "asap-eval", "relu-fit"):
            for file in (f"man/man1/{name}.1", f"bash-completion/completions/{name}", f"zsh/site-functions/_{name}",
                         f"fish/vendor_completions.d/{name}.fish"):
                self.assertIn(name, (self.prefix / "share" / file).read_text(), file)
        installed = self.prefix / "share/asap/configs/train"
        self.assertGreater(len(list(installed.glob("*.json"))), 20)


if __name__ == "__main__":
    unittest.main()

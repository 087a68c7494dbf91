#!/usr/bin/env python3
"""Lets optimisers of Python packages minimise networks that relu-fit exports. Their packages are large, so these tests run
with ASAP_TEST_SOLVERS=1; they skip, with pip's message, without a package index."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "network_minimum.py"
RELU_FIT = Path(os.environ.get("ASAP_BINARY_DIR", SCRIPT.parents[1] / "build/bin")) / "relu-fit"
SKIPPED = 77


def minimum(*arguments):
    return subprocess.run([sys.executable, SCRIPT, "--relu-fit", RELU_FIT, *arguments], capture_output=True, text=True)


class NetworkMinimumTest(unittest.TestCase):
    def find(self, solver, title):
        if not os.environ.get("ASAP_TEST_SOLVERS"):
            self.skipTest("downloads the solvers' packages (hint: ASAP_TEST_SOLVERS=1)")
        finished = minimum("--solvers", solver)
        if finished.returncode == SKIPPED:
            self.assertIn("pip cannot install", finished.stdout)
            self.skipTest(finished.stdout.strip().splitlines()[-1])
        self.assertEqual(finished.returncode, 0, finished.stdout + finished.stderr)
        self.assertEqual(finished.stdout.count(title), 3)

    def test_omlt_with_highs_finds_the_exact_minimum(self):
        self.find("omlt", "OMLT with HiGHS")

    def test_gurobi_machinelearning_finds_the_exact_minimum(self):
        self.find("gurobi", "gurobi-machinelearning")

    def test_an_unknown_solver_is_named(self):
        finished = minimum("--solvers", "simplex")
        self.assertNotEqual(finished.returncode, 0)
        self.assertIn("unknown solver 'simplex'", finished.stderr)


if __name__ == "__main__":
    unittest.main()

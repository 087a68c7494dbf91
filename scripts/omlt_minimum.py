#!/usr/bin/env python3
"""Checks that optimisers read the exported networks: OMLT loads the ONNX file and its bounds, HiGHS finds the network's
minimum, and it must agree with the least knot of the exported segments to 1e-8.

  scripts/omlt_minimum.py [--relu-fit FILE]

Makes a virtual environment with omlt, onnx and highspy in a temporary folder. Exits with code 77 and says why when the
packages cannot be installed."""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["omlt==1.2.2", "onnx", "highspy"]
SKIPPED = 77
TOLERANCE = 1e-8

# Formula, interval and further options of each fit.
CASES = [
    ("sin(3*x)", ("-1", "2"), ["--windows", "1", "--depth", "3"]),
    ("x^3-x", ("-1.5", "1.5"), ["--windows", "2", "--depth", "3"]),
    ("abs(x-0.3)+0.1*x", ("-1", "1"), ["--depth", "2"]),
]

SOLVE = """
import sys
import pyomo.environ as pyo
from omlt import OmltBlock
from omlt.io.onnx import load_onnx_neural_network_with_bounds
from omlt.neuralnet import ReluBigMFormulation

model = pyo.ConcreteModel()
model.network = OmltBlock()
model.network.build_formulation(ReluBigMFormulation(load_onnx_neural_network_with_bounds(sys.argv[1])))
model.objective = pyo.Objective(expr=model.network.outputs[0])
solver = pyo.SolverFactory("appsi_highs")
solver.highs_options = {"mip_rel_gap": 0.0, "mip_abs_gap": 1e-10, "mip_feasibility_tolerance": 1e-9,
                        "primal_feasibility_tolerance": 1e-9}
solver.solve(model)
print(repr(pyo.value(model.objective)))
"""


def make_environment(folder):
    """The Python of an environment with the packages, or None with a message."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], capture_output=True, text=True)
    if installed.returncode == 0:
        return python
    print("omlt_minimum: skipped, pip cannot install " + ", ".join(PACKAGES) + ": "
          + (installed.stderr.strip().splitlines() or ["no message"])[-1])
    return None


def run(*command):
    finished = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"omlt_minimum: error: {command[0]} failed: {finished.stderr.strip()}")
    return finished.stdout


def check(case, relu_fit, python, folder):
    """Whether both minima agree."""
    formula, interval, options = case
    run(relu_fit, "fit", "--function", formula, "--interval", *interval, *options, "--quiet", "--out", folder / "fit")
    run(relu_fit, "export", "--network", folder / "fit/network.json", "--formats", "onnx,segments", "--quiet", "--out",
        folder / "export")
    least = min(json.loads((folder / "export/relu_fit_segments.json").read_text())["y"])
    found = float(run(python, "-c", SOLVE, folder / "export/relu_fit.onnx"))
    print(f"{formula:18} on {interval}: least knot {least:.12g}, OMLT with HiGHS {found:.12g}, "
          f"difference {abs(found - least):.1e}")
    return abs(found - least) <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relu-fit", type=Path, default=ROOT / "build/bin/relu-fit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        python = make_environment(Path(name) / "environment")
        if python is None:
            sys.exit(SKIPPED)
        agreed = [check(case, arguments.relu_fit, python, Path(name) / str(number)) for number, case in enumerate(CASES)]
    if not all(agreed):
        sys.exit(f"omlt_minimum: error: a minimum differs by more than {TOLERANCE}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks that optimisers read exported networks: each loads the ONNX file and its bounds and finds the network's minimum,
which must agree with the least knot of the exported segments to 1e-8.

  scripts/network_minimum.py [--solvers omlt,gurobi] [--relu-fit FILE]

omlt is OMLT with HiGHS, gurobi is gurobi-machinelearning with Gurobi; the licence that comes with gurobipy is enough for
these networks. Makes a virtual environment with the packages of each in a temporary folder. Exits with code 77 and says
why when they cannot be installed."""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = 77
TOLERANCE = 1e-8

# Formula, interval and further options of each fit.
CASES = [
    ("sin(3*x)", ("-1", "2"), ["--windows", "1", "--depth", "3"]),
    ("x^3-x", ("-1.5", "1.5"), ["--windows", "2", "--depth", "3"]),
    ("abs(x-0.3)+0.1*x", ("-1", "1"), ["--depth", "2"]),
]

OMLT = """
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

GUROBI = """
import json
import sys
import gurobipy
import onnx
from gurobi_ml.onnx import add_onnx_constr

with gurobipy.Env(params={"OutputFlag": 0}) as environment, gurobipy.Model(env=environment) as model:
    for name in ("FeasibilityTol", "IntFeasTol", "OptimalityTol"):
        model.setParam(name, 1e-9)
    model.setParam("MIPGap", 0)
    model.setParam("MIPGapAbs", 1e-10)
    bounds = json.load(open(sys.argv[1] + ".bounds.json"))
    x = model.addMVar((1, len(bounds)), lb=[[bound["lower_bound"] for bound in bounds]],
                      ub=[[bound["upper_bound"] for bound in bounds]])
    y = model.addMVar((1, 1), lb=-gurobipy.GRB.INFINITY)
    add_onnx_constr(model, onnx.load(sys.argv[1]), x, y)
    model.setObjective(y.sum(), gurobipy.GRB.MINIMIZE)
    model.optimize()
    print(repr(model.ObjVal))
"""

# Packages of each solver, its name and a program that prints the minimum of an ONNX file.
SOLVERS = {
    "omlt": (["omlt==1.2.2", "onnx", "highspy"], "OMLT with HiGHS", OMLT),
    "gurobi": (["gurobi-machinelearning==1.7.0", "gurobipy", "onnx"], "gurobi-machinelearning", GUROBI),
}


def make_environment(folder, packages):
    """The Python of an environment with the packages, or None with a message."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    installed = subprocess.run([python, "-m", "pip", "install", "--quiet", "--retries", "1", *packages],
                               capture_output=True, text=True)
    if installed.returncode == 0:
        return python
    print("network_minimum: skipped, pip cannot install " + ", ".join(packages) + ": "
          + (installed.stderr.strip().splitlines() or ["no message"])[-1])
    return None


def run(*command):
    finished = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"network_minimum: error: {command[0]} failed: {finished.stderr.strip()}")
    return finished.stdout


def export(case, relu_fit, folder):
    """Fits and exports a network. Returns its exact minimum."""
    formula, interval, options = case
    run(relu_fit, "fit", "--function", formula, "--interval", *interval, *options, "--quiet", "--out", folder / "fit")
    run(relu_fit, "export", "--network", folder / "fit/network.json", "--formats", "onnx,segments", "--quiet", "--out",
        folder / "export")
    return min(json.loads((folder / "export/relu_fit_segments.json").read_text())["y"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solvers", default=",".join(SOLVERS))
    parser.add_argument("--relu-fit", type=Path, default=ROOT / "build/bin/relu-fit")
    arguments = parser.parse_args()
    agreed, skipped = True, False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        least = [export(case, arguments.relu_fit, folder / str(number)) for number, case in enumerate(CASES)]
        for solver in arguments.solvers.split(","):
            if solver not in SOLVERS:
                sys.exit(f"network_minimum: error: unknown solver '{solver}' (hint: one of {', '.join(SOLVERS)})")
            packages, title, program = SOLVERS[solver]
            python = make_environment(folder / solver, packages)
            if python is None:
                skipped = True
                continue
            for number, (formula, interval, _) in enumerate(CASES):
                printed = run(python, "-c", program, folder / str(number) / "export/relu_fit.onnx")
                found = float(printed.split()[-1])
                agreed = agreed and abs(found - least[number]) <= TOLERANCE
                print(f"{formula:18} on {interval}: least knot {least[number]:.12g}, {title} {found:.12g}, "
                      f"difference {abs(found - least[number]):.1e}")
    if not agreed:
        sys.exit(f"network_minimum: error: a minimum differs by more than {TOLERANCE}")
    if skipped:
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()

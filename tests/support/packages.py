"""Python packages that a test needs and this Python may lack."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
INSTALLED = "ASAP_TEST_PACKAGES_INSTALLED"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def run_with(file, modules, requirements):
    """Returns if this Python has the modules. Otherwise runs `file` again by that of a temporary virtual environment into which
    pip has installed the requirements, and ends as it does; exit code 77, and why, if that cannot be made."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if INSTALLED in os.environ:
        sys.exit(f"installed, but not found: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="asap-packages-") as folder:
        if subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True).returncode != 0:
            skip("there is no python3-venv (hint: apt-get install python3-venv)")
        python = Path(folder, "bin", "python")
        installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], capture_output=True, text=True)
        if installed.returncode != 0:
            skip(f"pip cannot install {', '.join(missing)}: " + (installed.stderr.strip().splitlines() or ["?"])[-1])
        sys.exit(subprocess.run([python, file], env={**os.environ, INSTALLED: "1"}).returncode)

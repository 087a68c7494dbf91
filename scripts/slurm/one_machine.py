"""The environment of several ranks on one machine: one_machine.env, which CMake reads too."""

import os
from pathlib import Path


def environment():
    """The environment of this process and what one_machine.env adds."""
    lines = Path(__file__).with_name("one_machine.env").read_text().splitlines()
    return dict(os.environ, **dict(line.split("=", 1) for line in lines if line and not line.startswith("#")))

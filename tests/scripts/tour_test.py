"""Runs every command in the console blocks of the README's tour, in order, and compares its output with the README.

`…` in the README stands for any characters within a word. Other words must be equal. Numbers may differ by 2 % plus
0.02, and numbers below 0.01 by half, because other instruction sets add in another order and training amplifies the
differences."""

import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGS = Path(os.environ.get("ASAP_CONFIG_DIR", ROOT / "configs"))
BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build" / "bin"))


def tour_of(readme):
    """(command, expected lines) of every `$` line in the console blocks of the tour; `>` continues a line after a \\."""
    section = readme.split("## A five-minute tour\n", 1)[1].split("\n## ", 1)[0]
    steps = []
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        for line in re.sub(r"\\\n> *", "", block).splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return steps


def as_number(word):
    try:
        return float(word.replace(",", ""))
    except ValueError:
        return None


def same_word(expected, found):
    if "…" in expected:
        return re.fullmatch(".+".join(re.escape(part) for part in expected.split("…")), found) is not None
    if expected == found or set(expected) == set(found) == {"-"}:  # a rule is as wide as its column
        return True
    left, right = as_number(expected.strip(",()")), as_number(found.strip(",()"))
    if left is None or right is None:
        return False
    return abs(left - right) <= (0.02 + 0.02 * abs(left) if abs(left) >= 0.01 else 0.5 * abs(left))


def same_line(expected, found):
    left, right = expected.split(), found.split()
    return len(left) == len(right) and all(same_word(a, b) for a, b in zip(left, right))


class Tour(unittest.TestCase):
    def test_what_counts_as_the_same(self):
        self.assertTrue(same_line("loss 1.0155 after 248 steps (… …, … images/s)",
                                  "loss 1.0160 after 248 steps (3.7 s, 2,149 images/s)"))
        self.assertTrue(same_line("----  ---", "----  ------"))
        self.assertFalse(same_line("----  ---", "----  -1"))
        self.assertFalse(same_line("loss 1.0155 after 248 steps", "loss 1.2155 after 248 steps"))
        self.assertFalse(same_line("loss 1.0155", "accuracy 1.0155"))
        self.assertFalse(same_line("mse 1.8e-07", "mse 1.8e-06"))
        self.assertFalse(same_line("written to runs/sine", "written to runs/sine now"))

    def test_commands_print_what_the_readme_says(self):
        steps = tour_of((ROOT / "README.md").read_text(encoding="utf-8"))
        self.assertEqual([shlex.split(command)[0] for command, _ in steps],
                         [f"build/bin/{name}" for name in ("asap-train", "asap-compile", "asap-eval", "relu-fit", "relu-fit")])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "build").mkdir()
            (folder / "build" / "bin").symlink_to(BINARIES)
            (folder / "configs").symlink_to(CONFIGS)
            for command, expected in steps:
                done = subprocess.run(shlex.split(command), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, encoding="utf-8")
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stderr}")
                found = done.stdout.rstrip("\n").splitlines()
                self.assertEqual(len(found), len(expected), f"{command}\n{done.stdout}")
                for left, right in zip(expected, found):
                    self.assertTrue(same_line(left, right), f"{command}\nREADME: {left}\nprinted: {right}")


if __name__ == "__main__":
    unittest.main()

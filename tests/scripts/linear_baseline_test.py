"""Runs scripts/linear_baseline.py as a user would, with or without scikit-learn."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "linear_baseline.py"
# The interpreter that Debian's python3-sklearn installs for.
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
GOOD = "0\tgood and nice\n1\tbad and sad\n" * 10


class LinearBaseline(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "text").mkdir()

    def write(self, name, text):
        with gzip.open(self.folder / "text" / name, "wt", encoding="utf-8") as file:
            file.write(text)

    def call(self, *words):
        environment = os.environ | {"ASAP_DATA_DIR": str(self.folder)}
        return subprocess.run([PYTHON, SCRIPT, *words], capture_output=True, text=True, env=environment)

    def test_learns_what_words_tell_or_says_what_is_missing(self):
        self.write("toy_val20.tsv.gz", GOOD)
        self.write("toy_test4.tsv.gz", "0\tnice\n1\tsad\n")
        done = self.call("toy", "--out", str(self.folder / "result.json"))
        if subprocess.run([PYTHON, "-c", "import sklearn"], capture_output=True).returncode != 0:
            self.assertEqual(done.returncode, 69)
            self.assertIn("python3-sklearn", done.stderr)
        else:
            self.assertEqual(json.loads(done.stdout)["test"]["accuracy"], 1)
            self.assertEqual(json.loads((self.folder / "result.json").read_text()), json.loads(done.stdout))

    def test_names_file_and_line_of_bad_data(self):
        self.write("toy_train.tsv.gz", "0\tgood\nno label\n")
        self.write("toy_test.tsv.gz", GOOD)
        done = self.call("toy")
        self.assertEqual(done.returncode, 3)
        self.assertIn("toy_train.tsv.gz:2: expected LABEL<TAB>TEXT", done.stderr)
        missing = self.call("other")
        self.assertEqual(missing.returncode, 3)
        self.assertIn("ASAP_DATA_DIR", missing.stderr)


if __name__ == "__main__":
    unittest.main()

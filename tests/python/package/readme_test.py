"""The examples of src/python/README.md run as they stand."""

import importlib.util
import io
import os
import re
import shutil
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

import trained

README = Path(__file__).resolve().parents[3] / "src" / "python" / "README.md"


class ReadmeTest(unittest.TestCase):
    def test_examples(self):
        blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.S | re.M)
        self.assertGreaterEqual(len(blocks), 4)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(trained.texts() / "reviews.safetensors", folder)
            before = os.getcwd()
            os.chdir(folder)
            self.addCleanup(os.chdir, before)
            for block in blocks:
                if "torch" in block and importlib.util.find_spec("torch") is None:
                    print("skipped: an example that needs PyTorch")
                    continue
                if "import ot\n" in block and importlib.util.find_spec("ot") is None:
                    print("skipped: an example that needs POT")
                    continue
                with redirect_stdout(io.StringIO()) as printed:
                    exec(compile(block, str(README), "exec"), {})
                # What an example prints stands behind print(...) as a comment.
                expected = re.findall(r"print\(.*\)  # (.*)$", block, re.M)
                self.assertEqual(printed.getvalue().splitlines(), expected, block)


if __name__ == "__main__":
    unittest.main()

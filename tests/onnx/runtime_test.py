#!/usr/bin/env python3
"""Runs exported networks in ONNX Runtime and compares their logits with those of the toolkit.

onnx_cases writes small networks of every kind, with every attention that can be exported, three batches of different
sizes and lengths each, and our logits. Every file must pass onnx.checker, use the operator set 17 of the standard alone, and
give logits within 1e-4. relu-fit's export is checked the same way. The test makes a virtual environment with onnx and
onnxruntime from PyPI, unless the Python that runs it has them. Exit code 77: nothing was tested, and why is printed.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", Path(__file__).resolve().parents[2] / "build" / "bin"))
PACKAGES = ("numpy", "onnx", "onnxruntime")
TOLERANCE = 1e-4  # of logits around 1, in float32 on both sides


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def run_with_packages():
    """Runs this file by a Python that has the packages."""
    with tempfile.TemporaryDirectory(prefix="asap-onnx-") as folder:
        if subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True).returncode != 0:
            skip("there is no python3-venv (hint: apt-get install python3-venv)")
        python = Path(folder, "bin", "python")
        installed = subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], capture_output=True, text=True)
        if installed.returncode != 0:
            skip("pip cannot install onnxruntime: " + (installed.stderr.strip().splitlines() or ["?"])[-1])
        sys.exit(subprocess.run([python, __file__], env={**os.environ, "ASAP_ONNX_PACKAGES": "installed"}).returncode)


class ExportedNetworks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="asap-onnx-")
        cls.folder = Path(cls.temporary.name)
        subprocess.run([BINARIES / "onnx_cases", cls.folder], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def load(self, path):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        self.assertEqual({node.domain for node in model.graph.node}, {""})
        return model, onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def test_logits_are_ours_at_every_length(self):
        networks = sorted(self.folder.glob("*.onnx"))
        self.assertGreater(len(networks), 30)
        for path in networks:
            with self.subTest(network=path.stem):
                model, session = self.load(path)
                self.assertEqual([entry.version for entry in model.opset_import], [17])
                for number in range(3):
                    arrays = {file.name.split(".")[2]: np.load(file)
                              for file in self.folder.glob(f"{path.stem}.{number}.*.npy")}
                    expected = arrays.pop("logits")
                    (logits,) = session.run(["logits"], arrays)
                    self.assertEqual(logits.shape, expected.shape)
                    counts = ~np.isnan(expected)
                    self.assertTrue(counts.any())
                    difference = np.abs(logits - expected)[counts].max()
                    self.assertLess(difference, TOLERANCE, f"batch {number}")

    def test_padding_changes_nothing(self):
        _, session = self.load(self.folder / "texts_all_features.onnx")
        ids, lengths = np.array([[3, 1, 4, 1, 5]]), np.array([5])
        (alone,) = session.run(["logits"], {"ids": ids, "lengths": lengths})
        for filler in (0, 7):
            padded = np.pad(ids, ((0, 0), (0, 9)), constant_values=filler)
            (logits,) = session.run(["logits"], {"ids": padded, "lengths": lengths})
            self.assertLess(np.abs(logits - alone).max(), TOLERANCE)

    def test_an_empty_example_gives_finite_logits(self):
        _, session = self.load(self.folder / "texts_all_features.onnx")
        (logits,) = session.run(["logits"], {"ids": np.array([[3, 1], [2, 2]]), "lengths": np.array([2, 0])})
        self.assertTrue(np.isfinite(logits).all())

    def test_networks_of_relu_fit(self):
        _, session = self.load(self.folder / "relu" / "curve.onnx")
        x, y = (np.load(self.folder / "relu" / f"{name}.npy") for name in "xy")
        (values,) = session.run(["y"], {"x": x})
        self.assertLess(np.abs(values - y).max(), 1e-12)


if __name__ == "__main__":
    if not (BINARIES / "onnx_cases").exists():
        skip(f"onnx_cases is not built in {BINARIES}")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing and "ASAP_ONNX_PACKAGES" in os.environ:
        sys.exit(f"installed, but not found: {', '.join(missing)}")
    if missing:
        run_with_packages()
    import numpy as np
    import onnx
    import onnxruntime
    unittest.main()

#!/usr/bin/env python3
"""Runs exported networks in ONNX Runtime and compares their logits with those of the toolkit.

onnx_cases writes small networks of every kind, with every attention that can be exported, four batches of different
sizes and lengths each, and our logits. Every file must pass onnx.checker, use the operator set 17 of the standard alone, and
give logits within 1e-4. relu-fit's export is checked the same way. The test makes a virtual environment with onnx and
onnxruntime from PyPI, unless the Python that runs it has them. Exit code 77: nothing was tested, and why is printed.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import packages

BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", Path(__file__).resolve().parents[2] / "build" / "bin"))
PACKAGES = ("numpy", "onnx", "onnxruntime")
TOLERANCE = 1e-4  # of logits around 1, in float32 on both sides


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
                for number in range(4):
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

    def test_an_empty_example_changes_no_other_however_wide_the_scores(self):
        for name in ("f0", "lse_it", "lse_lse0", "landmarks", "key_bias", "loop", "slack"):
            with self.subTest(network=name):
                _, session = self.load(self.folder / f"wide_texts_{name}.onnx")
                ids, lengths = np.array([[3, 1, 4, 1, 5, 9, 2], [6] * 7, [2, 7, 1, 8, 2, 8, 1]]), np.array([7, 0, 1])
                (logits,) = session.run(["logits"], {"ids": ids, "lengths": lengths})
                self.assertTrue(np.isfinite(logits).all())
                for row in (0, 2):
                    alone = {"ids": ids[row:row + 1, :lengths[row]], "lengths": lengths[row:row + 1]}
                    (expected,) = session.run(["logits"], alone)
                    self.assertLess(np.abs(logits[row] - expected).max(), TOLERANCE)

    def test_only_scores_out_of_range_take_logarithms(self):
        for name, expected in (("texts_f0", False), ("wide_texts_f0", True), ("images_f0", False), ("wide_images_f0", True)):
            with self.subTest(network=name):
                options = onnxruntime.SessionOptions()
                options.enable_profiling, options.profile_file_prefix = True, str(self.folder / name)
                session = onnxruntime.InferenceSession(str(self.folder / f"{name}.onnx"), options,
                                                       providers=["CPUExecutionProvider"])
                arrays = {file.name.split(".")[2]: np.load(file) for file in self.folder.glob(f"{name}.2.*.npy")}
                arrays.pop("logits")
                session.run(["logits"], arrays)
                events = json.loads(Path(session.end_profiling()).read_text())
                computed = {event.get("args", {}).get("op_name") for event in events}
                self.assertIn("If", computed)
                self.assertEqual("Log" in computed, expected)  # the only logarithms of f0

    def test_logarithms_give_ordinary_networks_the_same_logits(self):
        taken = 0
        for path in sorted(self.folder.glob("[!w]*.onnx")):
            model, _ = self.load(path)
            if all(node.op_type != "If" for node in model.graph.node):
                continue
            taken += 1
            for constant in model.graph.initializer:  # the largest scaling, so that none is in range
                if constant.name.startswith("scalar.") and onnx.numpy_helper.to_array(constant) == np.float32(1e15):
                    constant.CopyFrom(onnx.numpy_helper.from_array(np.array(0, np.float32), constant.name))
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            for number in range(4):
                arrays = {file.name.split(".")[2]: np.load(file) for file in self.folder.glob(f"{path.stem}.{number}.*.npy")}
                expected = arrays.pop("logits")
                (logits,) = session.run(["logits"], arrays)
                with self.subTest(network=path.stem, batch=number):
                    self.assertLess(np.abs(logits - expected)[~np.isnan(expected)].max(), TOLERANCE)
        self.assertGreater(taken, 25)

    def test_networks_of_relu_fit(self):
        _, session = self.load(self.folder / "relu" / "curve.onnx")
        x, y = (np.load(self.folder / "relu" / f"{name}.npy") for name in "xy")
        (values,) = session.run(["y"], {"x": x})
        self.assertLess(np.abs(values - y).max(), 1e-12)


if __name__ == "__main__":
    if not (BINARIES / "onnx_cases").exists():
        packages.skip(f"onnx_cases is not built in {BINARIES}")
    packages.run_with(__file__, PACKAGES, PACKAGES)
    import numpy as np
    import onnx
    import onnxruntime
    unittest.main()

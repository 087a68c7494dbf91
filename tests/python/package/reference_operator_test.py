"""The files of asap-compile say all there is to know: tests/reference/compiled_operator.py computes an operator from them
alone, in NumPy."""

import importlib.util
import tempfile
import unittest
from pathlib import Path

import numpy as np

import asap
import trained

PATH = Path(__file__).resolve().parents[2] / "reference" / "compiled_operator.py"
SPECIFICATION = importlib.util.spec_from_file_location("compiled_operator", PATH)
reference = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(reference)

MAPS = ["pot,gau,lin,tilt,lse", "gau,lin,tilt", "lse,lse0,it:2", "tilt,lse,landmarks:5,it:1",
        "pot,lin,lse,lse0,landmarks:3,it:3", "start,it:3"]


class ReferenceOperatorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random = np.random.default_rng(6)
        cls.q = random.standard_normal((40, 2, 19, 8)).astype(np.float32)
        cls.k = (random.standard_normal((40, 2, 23, 8)) + 0.4 * cls.q[:, :, :1]).astype(np.float32)
        cls.v = random.standard_normal((40, 2, 23, 5)).astype(np.float32)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)

    def check(self, folder, example=3, tolerance=1e-6):
        operator, layer = asap.CompiledOperator.load(folder), reference.read_layer(folder, 0)
        got = operator(self.q[example], self.k[example], self.v[example])
        for head in range(2):
            q, k, v = (array[example, head].astype(float) for array in (self.q, self.k, self.v))
            expected = reference.attend(layer, head, q, k, v)
            self.assertLess(np.abs(got[head] - expected).max(), tolerance * np.abs(v).max())

    def test_maps_of_all_features(self):
        for features in MAPS:
            with self.subTest(features):
                operator = asap.CompiledOperator.fit(self.q, self.k, iterations=6, features=features, slices=3,
                                                     calibration=24, held_out=16)
                operator.save(self.work / features)
                self.check(self.work / features)

    def test_a_loop(self):
        operator = asap.CompiledOperator.fit(self.q, self.k, self.v, iterations=2, calibration=24, held_out=16)
        operator.save(self.work / "chosen")
        layer = reference.read_layer(self.work / "chosen", 0)
        self.assertIn("iterations", layer, "so few tokens keep the loop")
        self.check(self.work / "chosen", tolerance=1e-6 if layer.get("precision", "single") == "single" else 1e-2)

    def test_a_key_bias(self):
        from compiled_test import write_safetensors
        arrays = {name: np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(40, -1, 16)
                  for name, array in (("layers.0.queries", self.q), ("layers.0.keys", self.k))}
        write_safetensors(self.work / "qk.safetensors", arrays)
        trained.command("asap-compile", "--activations", "qk.safetensors", "--heads", "2", "--mode", "key_bias",
                        "--features", "pot,gau,lin,tilt,landmarks:4", "--calibration", "24", "--set", "held_out=16",
                        "--out", "bias", cwd=self.work)
        self.check(self.work / "bias")


if __name__ == "__main__":
    unittest.main()

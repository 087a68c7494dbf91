"""Compiled operators: those of asap-compile, to the last byte."""

import json
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

import asap
import trained
from reference import attention


def write_safetensors(path, tensors):
    header, content = {}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(content), len(content) + tensor.nbytes]}
        content += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


class CompiledTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random = np.random.default_rng(4)
        cls.q, cls.k, cls.v = (random.standard_normal((48, 2, 16, 4)).astype(np.float32) for _ in range(3))
        cls.options = {"iterations": 10, "features": "lse,lin", "slices": 2, "calibration": 32, "held_out": 16}
        cls.operator = asap.CompiledOperator.fit(cls.q, cls.k, **cls.options)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)

    def test_an_operator_is_that_of_asap_compile_from_the_same_arrays(self):
        side_by_side = {name: np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(48, 16, 8)
                        for name, array in (("layers.0.queries", self.q), ("layers.0.keys", self.k))}
        write_safetensors(self.work / "qk.safetensors", side_by_side)
        trained.command("asap-compile", "--activations", "qk.safetensors", "--heads", "2", "--features", "lse,lin",
                        "--calibration", "32", "--set", "held_out=16", "--set", "slices=2", "--set",
                        "activations.iterations=10", "--out", "command", cwd=self.work)
        self.operator.save(self.work / "python")
        files = [self.work / name / "operator.safetensors" for name in ("command", "python")]
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
        loaded = asap.CompiledOperator.load(self.work / "command")
        self.assertEqual(loaded(self.q, self.k, self.v).tobytes(), self.operator(self.q, self.k, self.v).tobytes())

    def test_it_is_close_to_what_it_imitates_and_reads_every_layout(self):
        got = self.operator(self.q, self.k, self.v)
        expected = attention(self.q, self.k, self.v, 10)
        softmax = attention(self.q, self.k, self.v, 0)
        self.assertLess(np.abs(got - expected).mean(), 0.25 * np.abs(softmax - expected).mean())
        tokens_first = np.ascontiguousarray(self.q.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
        self.assertEqual(self.operator(tokens_first, self.k, self.v).tobytes(), got.tobytes())
        one = self.operator(self.q[0], self.k[0], self.v[0])
        self.assertEqual(one.tobytes(), got[0].tobytes())
        short = self.operator(self.q[:2], self.k[:2], self.v[:2], query_lengths=[9, 16], key_lengths=[9, 16])
        self.assertTrue((short[0, :, 9:] == 0).all())
        self.assertEqual(short[1].tobytes(), got[1].tobytes())
        self.assertEqual(short[0, :, :9].tobytes(),
                         self.operator(self.q[0, :, :9], self.k[0, :, :9], self.v[0, :, :9]).tobytes())

    def test_with_values_the_choice_is_described(self):
        operator = asap.CompiledOperator.fit(self.q, self.k, self.v, calibration=32, held_out=16)
        description = operator.description
        self.assertEqual((description["format"], description["layers"], description["heads"]), ("asap-operator", 1, 2))
        self.assertIn("why", description["choice"]["layers"][0])
        self.assertEqual(repr(operator), "<asap.CompiledOperator of 1 layer>")

    def test_a_network_s_operator_serves_each_of_its_layers(self):
        operator = asap.CompiledOperator.load(trained.texts() / "operator")
        self.assertEqual(operator.layers, 2)
        q, k, v = (np.ones((1, 2, 3, 8), np.float32),) * 3
        for layer in range(2):
            self.assertEqual(operator(q, k, v, layer=layer).shape, (1, 2, 3, 8))
        with self.assertRaisesRegex(ValueError, "^layer is 2, expected 0 to 1"):
            operator(q, k, v, layer=2)

    def test_errors_name_the_argument(self):
        fit, q, k = asap.CompiledOperator.fit, self.q, self.k
        cases = [
            (lambda: fit(q, k, slices=0), ValueError, "^slices is 0, expected at least 1"),
            (lambda: fit(q, k, held_out=1.5), TypeError, "^held_out must be a whole number, not float"),
            (lambda: fit(q, k, epsilon=-1), ValueError, "^epsilon is -1, expected a positive number"),
            (lambda: fit(q, k, features="lse,potential"), ValueError, "unknown feature 'potential'"),
            (lambda: fit(q.astype(np.float64), k), ValueError, "^q is of float64, expected float32"),
            (lambda: fit(q, k[:, :, :, :2]), ValueError, "^k has shape"),
            (lambda: fit(q[:0], k[:0]), ValueError, "example"),
            (lambda: self.operator(q[:, :1], k[:, :1], self.v[:, :1]), ValueError,
             "^the operator has 2 heads of width 4, not 1 of width 4"),
            (lambda: asap.CompiledOperator.load(self.work / "none"), asap.DataError, "^cannot open .*none/operator"),
        ]
        for call, error, message in cases:
            with self.assertRaisesRegex(error, message):
                call()


if __name__ == "__main__":
    unittest.main()

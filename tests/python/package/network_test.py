"""asap.torch: from a PyTorch network to an operator and back, and Sinkhorn attention away from the CPU."""

import importlib.util
import io
import os
import runpy
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

import trained

import asap

HAS_TORCH = importlib.util.find_spec("torch") is not None
EXAMPLE = Path(__file__).resolve().parent / "ten_lines.py"


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed (hint: ASAP_TEST_TORCH=1)")
class PlainSinkhornTest(unittest.TestCase):
    """What other devices compute, on the CPU."""

    @classmethod
    def setUpClass(cls):
        global torch
        import torch

        import asap.torch

        torch.manual_seed(4)

    def plain(self, q, k, v, iterations, epsilon, **live):
        from asap._torch_attention import _attend_anywhere

        return _attend_anywhere(q, k, v, iterations, epsilon, live)

    def test_values_and_gradients_are_those_of_the_kernels(self):
        live = {"query_lengths": torch.tensor([6, 4, 0]), "key_mask": torch.rand(3, 5) > 0.3}
        for iterations in (0, 1, 7):
            leaves = [torch.randn(3, 2, n, width, dtype=torch.float64) for n, width in ((6, 4), (5, 4), (5, 7))]
            weight = torch.randn(3, 2, 6, 7, dtype=torch.float64)
            results = []
            for function in (lambda *a: asap.torch.sinkhorn_attention(*a, iterations=iterations, epsilon=0.5, **live),
                             lambda *a: self.plain(*a, iterations, 0.5, **live)):
                own = [leaf.clone().requires_grad_() for leaf in leaves]
                out = function(*own)
                (out * weight).sum().backward()
                results.append([out.detach(), *(leaf.grad for leaf in own)])
            for got, expected in zip(results[1], results[0]):
                torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)  # double, another order of sums

    def test_gradients_pass_gradcheck(self):
        leaves = [torch.randn(2, 2, n, 3, dtype=torch.float64, requires_grad=True) for n in (4, 5, 5)]
        self.assertTrue(torch.autograd.gradcheck(
            lambda *a: self.plain(*a, 3, 1.0, key_lengths=torch.tensor([5, 3])), leaves))

    def test_padding_may_hold_anything(self):
        q = torch.randn(1, 1, 3, 2)
        padded = torch.cat([q, torch.full((1, 1, 2, 2), torch.nan)], 2)
        live = {"query_lengths": [3], "key_lengths": [3]}
        torch.testing.assert_close(self.plain(padded, padded, padded, 5, 1.0, **live)[:, :, :3],
                                   self.plain(q, q, q, 5, 1.0))

    def test_half_precision_and_fewer_axes(self):
        q, k, v = (torch.randn(2, 9, 4) for _ in range(3))
        exact = asap.torch.sinkhorn_attention(q, k, v)
        for dtype in (torch.float16, torch.bfloat16):
            tensors = [tensor.to(dtype).requires_grad_() for tensor in (q, k, v)]
            for got in (asap.torch.sinkhorn_attention(*tensors), self.plain(*tensors, 10, 1.0)):
                self.assertEqual(got.dtype, dtype)
                self.assertEqual(got.shape, exact.shape)
                torch.testing.assert_close(got.float(), exact, rtol=0, atol=3e-2)  # 2 ulp of bfloat16 at 2
                got.float().sum().backward()
                self.assertEqual(tensors[0].grad.dtype, dtype)

    def test_errors_name_the_argument(self):
        q = torch.randn(1, 1, 3, 2)
        for words, message in (({"key_mask": torch.ones(1, 4)}, r"^key_mask has shape \[1, 4\], expected \[1, 3\]"),
                               ({"key_mask": torch.ones(1, 3), "key_lengths": [3]}, "^key_lengths and key_mask say")):
            with self.assertRaisesRegex(ValueError, message):
                self.plain(q, q, q, 2, 1.0, **words)
        with self.assertRaisesRegex(ValueError, r"^k has shape \[1, 1, 3, 1\], expected \[1, 1, 3, 2\] to fit q"):
            self.plain(q, q[..., :1], q, 2, 1.0)


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed (hint: ASAP_TEST_TORCH=1)")
class NetworkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        global torch, nn
        import torch
        from torch import nn

        import asap.torch

    def setUp(self):
        torch.manual_seed(7)

    def encoder(self, heads=4):
        layer = nn.TransformerEncoderLayer(16, heads, 32, 0.1, batch_first=True)
        return nn.TransformerEncoder(layer, 2).eval()

    def block(self):
        """Softmax attention that projects its input itself."""
        class Attention(nn.Module):
            def __init__(self):
                super().__init__()
                self.query, self.key, self.value, self.out = (nn.Linear(16, 16) for _ in range(4))

            def forward(self, x):
                q, k, v = (f(x).unflatten(-1, (4, 4)).transpose(1, 2) for f in (self.query, self.key, self.value))
                heads = nn.functional.scaled_dot_product_attention(q, k, v)
                return self.out(heads.transpose(1, 2).flatten(2))

        return nn.Sequential(nn.Linear(8, 16), Attention(), nn.LayerNorm(16), Attention()).eval()

    def test_sinkhorn_attention_to_an_operator_and_back(self):
        model = asap.torch.replace(self.encoder(), asap.torch.SinkhornAttention(iterations=6))
        before = {name: value.clone() for name, value in model.state_dict().items()}
        inputs = torch.randn(64, 12, 16)
        captured = asap.torch.capture(model, None, inputs.split(16))
        self.assertEqual([tuple(q.shape) for q in captured.q], [(64, 4, 12, 4)] * 2)
        self.assertEqual((captured.iterations, captured.epsilon, captured.key_mask), (6, 1.0, None))
        operator = asap.torch.compile(captured, features="lse,lse0,it:2")
        self.assertEqual(operator.layers, 2)
        self.assertEqual(operator.description["teacher_iterations"], 6)
        inputs = torch.randn(8, 12, 16)
        with torch.no_grad():
            expected = model(inputs)
            cut = asap.torch.replace(model, asap.torch.SinkhornAttention(iterations=0))(inputs)
            got = asap.torch.replace(model, operator)(inputs)
            native = asap.torch.replace(model, operator, form=asap.torch.CompiledAttention)(inputs)
        error = (got - expected).norm() / expected.norm()
        self.assertLess(error, 0.01)
        self.assertLess(error, 0.3 * (cut - expected).norm() / expected.norm())  # than that of softmax
        torch.testing.assert_close(native, got, rtol=0, atol=1e-4)
        after = model.state_dict()
        self.assertEqual(set(before), {name for name in after if ".core." not in name})
        for name, value in before.items():
            self.assertTrue(torch.equal(value, after[name]), name)

    def test_a_network_is_as_before_after_capture(self):
        model, inputs = self.encoder(), torch.randn(4, 5, 16)
        model.train()
        model.layers[1].eval()
        modules = dict(model.named_modules())
        modes = {name: module.training for name, module in modules.items()}
        captured = asap.torch.capture(model, ["layers.1.self_attn"], [inputs])
        self.assertEqual(dict(model.named_modules()), modules)
        self.assertEqual({name: module.training for name, module in model.named_modules()}, modes)
        self.assertTrue(model.use_nested_tensor)
        model.eval()
        normed = model.layers[0](inputs)
        weights = model.layers[1].self_attn.in_proj_weight[:16], model.layers[1].self_attn.in_proj_bias[:16]
        q = nn.functional.linear(normed, *weights).unflatten(-1, (4, 4)).transpose(1, 2)
        torch.testing.assert_close(captured.q[0], q.detach(), rtol=1e-5, atol=1e-5)
        with self.assertRaises(RuntimeError):  # in the network, whose modules are back all the same
            asap.torch.capture(model, None, [torch.randn(4, 5, 3)])
        self.assertEqual(dict(model.named_modules()), modules)

    def test_padding_masks_and_batches_of_different_lengths(self):
        model = asap.torch.replace(self.encoder(), asap.torch.SinkhornAttention(iterations=4))
        batches = []
        for length in (7, 5):
            lengths = torch.randint(2, length + 1, (24,))
            lengths[0] = length
            batches.append({"src": torch.randn(24, length, 16),
                            "src_key_padding_mask": torch.arange(length) >= lengths[:, None]})
        captured = asap.torch.capture(model, None, batches)
        self.assertEqual(tuple(captured.q[1].shape), (48, 4, 7, 4))
        live = torch.cat([~batches[0]["src_key_padding_mask"],
                          nn.functional.pad(~batches[1]["src_key_padding_mask"], (0, 2))])
        self.assertTrue(torch.equal(captured.key_mask, live))
        self.assertTrue(torch.equal(captured.query_mask, live))
        operator = asap.torch.compile(captured, features="lse,lse0,it:2")
        with torch.no_grad():
            expected = [model(**batch) for batch in batches]
            asap.torch.replace(model, operator)
            for batch, answer in zip(batches, expected):
                kept = ~batch["src_key_padding_mask"][..., None]
                self.assertLess(((model(**batch) - answer) * kept).norm() / (answer * kept).norm(), 0.02)

    def test_layouts_of_multihead_attention(self):
        for words in ({"batch_first": False}, {"batch_first": True, "bias": False},
                      {"batch_first": True, "kdim": 6, "vdim": 5}):
            original = nn.MultiheadAttention(16, 4, **words).eval()
            key, value = torch.randn(4, 3, words.get("kdim", 16)), torch.randn(4, 3, words.get("vdim", 16))
            query, mask = torch.randn(4, 2, 16), torch.tensor([[False, False, True]] * 4)
            if not words["batch_first"]:
                query, key, value = (tensor.transpose(0, 1) for tensor in (query, key, value))
            expected = original(query, key, value, key_padding_mask=mask)[0]
            model = asap.torch.replace(nn.ModuleDict({"a": original}), asap.torch.SinkhornAttention(iterations=0))
            got, none = model["a"](query, key, value, key_padding_mask=mask)  # 0 iterations: softmax
            self.assertIsNone(none)
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
        with self.assertRaisesRegex(ValueError, "^attn_mask: attention between chosen pairs"):
            model["a"](query, key, value, attn_mask=torch.zeros(2, 3))
        single = nn.MultiheadAttention(16, 4).eval()
        query = torch.randn(5, 16)
        expected = single(query, query, query)[0]
        model = asap.torch.replace(nn.ModuleDict({"a": single}), asap.torch.SinkhornAttention(iterations=0))
        torch.testing.assert_close(model["a"](query, query, query)[0], expected, rtol=1e-4, atol=1e-5)

    def test_modules_with_projections(self):
        model, inputs = self.block(), torch.randn(48, 6, 8)
        layers = [asap.torch.Projections(name, "query", "key", "value", heads=4, out="out") for name in ("1", "3")]
        mask = torch.ones(48, 6, dtype=torch.bool)
        mask[::2, 4:] = False
        captured = asap.torch.capture(model, layers, [inputs], key_mask=lambda batch: mask)
        self.assertTrue(torch.equal(captured.key_mask, mask))
        expected = model[1].query(model[0](inputs)).unflatten(-1, (4, 4)).transpose(1, 2).detach()
        self.assertTrue(torch.equal(captured.q[0], expected))
        softmax = model(inputs)
        asap.torch.replace(model, asap.torch.SinkhornAttention(iterations=0), layers)
        torch.testing.assert_close(model(inputs), softmax, rtol=1e-4, atol=1e-5)
        asap.torch.replace(model, asap.torch.SinkhornAttention(iterations=5), ["1", "3"])
        expected = model(inputs)
        operator = asap.torch.compile(asap.torch.capture(model, ["1", "3"], [inputs]), features="lse,lse0,it:2")
        got = asap.torch.replace(model, operator, ["1", "3"])(inputs)
        self.assertLess((got - expected).norm() / expected.norm(), 0.01)

    def test_one_module_in_several_places_and_one_place_with_several_names(self):
        class Layer(nn.Module):
            def __init__(self, attention):
                super().__init__()
                self.attention = attention

            def forward(self, x):
                return x + self.attention(x, x, x)

        shared = asap.torch.SinkhornAttention(iterations=3)
        model = nn.Sequential(Layer(shared), Layer(shared))
        inputs = torch.randn(6, 2, 5, 3)
        captured = asap.torch.capture(model, None, [inputs])
        self.assertEqual(captured.layers, ("0.attention", "1.attention"))
        self.assertTrue(torch.equal(captured.q[1], inputs + shared(inputs, inputs, inputs)))
        self.assertIs(model[0].attention, shared)
        layer = Layer(shared)
        captured = asap.torch.capture(nn.Sequential(layer, layer), None, [inputs])
        self.assertEqual((captured.layers, len(captured)), (("0.attention",), 12))  # both depths are examples of it
        self.assertIs(layer.attention, shared)

    def test_any_function_may_record(self):
        q = torch.randn(6, 2, 4, 3)

        def network(batch, record):
            record(1, batch, batch + 1, batch, key_lengths=[4] * len(batch))
            record(0, batch, batch, batch)

        captured = asap.torch.capture(network, 2, q.split(3))
        self.assertTrue(torch.equal(captured.k[1], q + 1))
        self.assertIsNone(captured.key_mask)
        self.assertEqual(repr(captured), "<6 examples of 4 tokens, 2 layers of 2 heads, width 3>")
        operator = asap.torch.compile(captured, features="lse")
        self.assertEqual((operator.layers, operator.description["teacher_iterations"]), (2, 10))

    def test_asap_compile_reads_what_was_captured(self):
        model = asap.torch.replace(self.encoder(), asap.torch.SinkhornAttention(iterations=10))
        mask = torch.arange(5) >= torch.randint(1, 6, (40, 1))
        mask[0] = False
        captured = asap.torch.capture(model, None, [{"src": torch.randn(40, 5, 16), "src_key_padding_mask": mask}])
        with tempfile.TemporaryDirectory() as folder:
            captured.save(Path(folder, "qk.npz"))
            trained.command("asap-compile", "--activations", "qk.npz", "--features", "lse,lse0,it:1", "--calibration", "28",
                            "--set", "held_out=12", "--out", "operator", cwd=folder)
            asap.torch.compile(captured, features="lse,lse0,it:1", calibration=28, held_out=12).save(Path(folder, "own"))
            self.assertEqual(Path(folder, "operator/operator.safetensors").read_bytes(),
                             Path(folder, "own/operator.safetensors").read_bytes())

    def test_the_example_of_ten_lines(self):
        code = [line for line in EXAMPLE.read_text(encoding="utf-8").split('"""')[2].splitlines() if line.strip()]
        self.assertLessEqual(len([line for line in code if not line.startswith("import")]), 10)
        with redirect_stdout(io.StringIO()) as printed, tempfile.TemporaryDirectory() as folder:
            self.addCleanup(os.chdir, os.getcwd())
            os.chdir(folder)
            runpy.run_path(str(EXAMPLE))
            os.chdir(EXAMPLE.parent)
        error = float(printed.getvalue().split()[-1])
        self.assertLess(error, 0.03)

    def test_refuses_what_does_not_fit(self):
        model, inputs = self.encoder(), torch.randn(4, 5, 16)
        sinkhorn = asap.torch.SinkhornAttention()
        capture, replace = asap.torch.capture, asap.torch.replace
        captured = capture(model, None, [inputs])
        operator = asap.torch.compile(captured, features="lse")
        for call, error, message in (
                (lambda: capture(model, ["layers.0.self_atn"], [inputs]), ValueError,
                 r"^layers: the network has no module 'layers.0.self_atn' \(hint: did you mean 'layers.0.self_attn'\?\)"),
                (lambda: capture(nn.Linear(3, 3), None, [inputs]), ValueError, "^layers: the network has no nn.Multihead"),
                (lambda: capture(model, None, []), ValueError, "^layers: layers.0.self_attn was never called"),
                (lambda: capture(model, [3], [inputs]), TypeError, "^layers must be names or Projections, not int"),
                (lambda: capture(model, ["layers.0.linear1"], [inputs]), ValueError,
                 "^layers: layers.0.linear1 is of Linear, which is not called with q, k and v"),
                (lambda: capture(lambda batch, record: None, None, [inputs]), ValueError, "^layers must be the number"),
                (lambda: capture(model, None, [inputs * torch.inf]), ValueError,
                 r"^layers.0.self_attn: q is not finite at \[0, 0, 0, 0\]"),
                (lambda: replace(model, operator, ["layers.0.self_attn"]), ValueError,
                 "^the operator has 2 layers, the layers to be replaced are "),
                (lambda: replace(self.encoder(heads=2), operator), ValueError,
                 "^layers.0.self_attn has 2 heads, but the operator 4"),
                (lambda: replace(model, "operator"), TypeError, "^attention must be a CompiledOperator or a module"),
                (lambda: asap.torch.compile(inputs), TypeError, "^captured must come from asap.torch.capture"),
                (lambda: asap.torch.compile(captured, calibration=3, held_out=2), ValueError, "4 examples"),
                (lambda: asap.torch.compile(capture(model, None, [inputs[:1]])), ValueError, "^captured has 1 example,")):
            with self.assertRaisesRegex(error, message):
                call()
        replace(model, sinkhorn, ["layers.0.self_attn"])
        replace(model, asap.torch.SinkhornAttention(iterations=3), ["layers.1.self_attn"])
        with self.assertRaisesRegex(ValueError, "^layers have different iterations and epsilon"):
            capture(model, None, [inputs])
        with self.assertRaisesRegex(ValueError, "cannot be replaced"):
            replace(nn.ModuleList([nn.MultiheadAttention(8, 2, add_zero_attn=True)]), sinkhorn)
        with self.assertRaisesRegex(ValueError, "has other heads, width, tokens or masks than layer 0"):
            capture(lambda batch, record: [record(layer, *[torch.randn(2, 1 + layer, 3, 4)] * 3) for layer in (0, 1)], 2, [0])


if __name__ == "__main__":
    unittest.main()

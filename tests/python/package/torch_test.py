"""asap.torch: gradients, layouts, both orders of import, and what happens without PyTorch."""

import importlib.util
import subprocess
import sys
import unittest

import numpy as np

import asap

HAS_TORCH = importlib.util.find_spec("torch") is not None
BOTH_RUNTIMES = """
import {first}
import {second}
import numpy as np, torch, asap, asap.torch
asap.set_threads(2)
torch.set_num_threads(2)
torch.manual_seed(1)
q, k, v = (torch.randn(4, 4, 64, 16, requires_grad=True) for _ in range(3))
results = []
for _ in range(5):
    out = asap.torch.sinkhorn_attention(q, k, v)
    (out @ torch.randn(16, 600).fill_(.1)).sum().backward()
    results.append(out.detach().numpy().tobytes() + q.grad.numpy().tobytes())
    q.grad = None
    torch.randn(300, 300) @ torch.randn(300, 300)
assert len(set(results)) == 1
import hashlib
print(hashlib.sha256(results[0]).hexdigest())
"""


def run_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


class WithoutTorchTest(unittest.TestCase):
    def test_the_package_needs_no_torch_and_says_what_its_module_needs(self):
        code = "import sys; sys.modules['torch'] = None; import asap; print(asap.threads() > 0)\ntry:\n  import asap.torch\n" \
               "except ImportError as error: print(error)"
        self.assertEqual(run_python(code).splitlines(),
                         ["True", "asap.torch needs PyTorch (hint: pip install torch)"])


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed (hint: ASAP_TEST_TORCH=1)")
class TorchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        global torch
        import torch

        import asap.torch

        torch.manual_seed(2)

    def reference(self, q, k, v, iterations, epsilon):
        scores = q @ k.transpose(-1, -2) / (q.shape[-1] ** 0.5 * epsilon)
        n, m = scores.shape[-2:]
        f, g = -torch.logsumexp(scores, -1, keepdim=True), 0
        for _ in range(iterations):
            g = np.log(n / m) - torch.logsumexp(scores + f, -2, keepdim=True)
            f = -torch.logsumexp(scores + g, -1, keepdim=True)
        return torch.exp(scores + f + g) @ v

    def test_values_and_gradients_are_those_of_torch(self):
        for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-10)):
            leaves = [torch.randn(2, 3, n, width, dtype=dtype) for n, width in ((6, 4), (5, 4), (5, 7))]
            weight = torch.randn(2, 3, 6, 7, dtype=dtype)
            results = []
            for function in (lambda *a: asap.torch.sinkhorn_attention(*a, iterations=6, epsilon=0.5),
                             lambda *a: self.reference(*a, 6, 0.5)):
                own = [leaf.clone().requires_grad_() for leaf in leaves]
                out = function(*own)
                (out * weight).sum().backward()
                results.append([out.detach(), *(leaf.grad for leaf in own)])
            for got, expected in zip(*results):
                self.assertEqual(got.dtype, dtype)
                torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)

    def test_gradients_pass_gradcheck_with_masks(self):
        leaves = [torch.randn(2, 2, n, 3, dtype=torch.float64, requires_grad=True) for n in (4, 5, 5)]
        live = {"key_lengths": torch.tensor([5, 3]), "query_mask": torch.tensor([[True] * 4, [True, False, True, True]])}
        self.assertTrue(torch.autograd.gradcheck(
            lambda *a: asap.torch.sinkhorn_attention(*a, iterations=3, **live), leaves))
        self.assertTrue(torch.autograd.gradcheck(lambda *a: asap.torch.softmax_attention(*a, **live), leaves))

    def test_layouts_that_are_not_contiguous(self):
        packed = torch.randn(2, 6, 3, 3, 4)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        self.assertFalse(q.is_contiguous())
        expected = asap.torch.sinkhorn_attention(q.contiguous(), k.contiguous(), v.contiguous())
        self.assertTrue(torch.equal(asap.torch.sinkhorn_attention(q, k, v), expected))
        transposed = torch.randn(2, 3, 4, 6).transpose(-1, -2).requires_grad_()
        asap.torch.sinkhorn_attention(transposed, k, v).sum().backward()  # the gradient has strides of 0
        contiguous = transposed.detach().contiguous().requires_grad_()
        asap.torch.sinkhorn_attention(contiguous, k, v).sum().backward()
        self.assertTrue(torch.equal(transposed.grad, contiguous.grad))

    def test_tensors_share_memory_with_arrays(self):
        q = torch.randn(1, 1, 3, 2)
        self.assertTrue(np.shares_memory(asap._arrays.heads("q", q), q.numpy()))
        got = asap.sinkhorn_attention(q, q, q)
        self.assertEqual(torch.from_dlpack(got).data_ptr(), got.ctypes.data)
        with self.assertRaisesRegex(ValueError, r"^q requires a gradient \(hint: asap.torch"):
            asap.sinkhorn_attention(q.clone().requires_grad_(), q, q)

    def test_modules(self):
        q, k, v = (torch.randn(24, 2, 8, 4) for _ in range(3))
        module = asap.torch.SinkhornAttention(iterations=4, epsilon=2)
        self.assertTrue(torch.equal(module(q, k, v), asap.torch.sinkhorn_attention(q, k, v, iterations=4, epsilon=2)))
        self.assertEqual(str(module), "SinkhornAttention(iterations=4, epsilon=2)")
        operator = asap.CompiledOperator.fit(q, k, features="lse", calibration=16, held_out=8)
        compiled = asap.torch.CompiledAttention(operator)
        self.assertEqual(compiled(q, k, v).numpy().tobytes(), operator(q, k, v).tobytes())
        with self.assertRaisesRegex(ValueError, "^this form has no gradient"):
            compiled(q.clone().requires_grad_(), k, v)
        with self.assertRaisesRegex(ValueError, "^layer is 1, but the operator has 1"):
            asap.torch.CompiledAttention(operator, 1)

    def test_errors_name_the_argument(self):
        q, attend = torch.randn(1, 1, 3, 2), asap.torch.sinkhorn_attention
        for call, error, message in ((lambda: attend(q.half(), q, q), ValueError, "^k is of float32, but q of float16"),
                                     (lambda: attend(q, q.to("meta"), q), ValueError, "^k is on meta, but q on cpu"),
                                     (lambda: attend(*[q.int()] * 3), ValueError, "^q is of int32, expected float64"),
                                     (lambda: asap.torch.softmax_attention(*[q.half()] * 3), ValueError,
                                      "^q is of float16, expected float32 or float64"),
                                     (lambda: attend(q, q, q.numpy()), TypeError, "^v must be a tensor, not ndarray"),
                                     (lambda: attend(q, q, q, key_length=[3]), TypeError, "unexpected argument key_length"),
                                     (lambda: attend(q, q.double(), q), ValueError, "^k is of float64, but q of float32")):
            with self.assertRaisesRegex(error, message):
                call()

    def test_both_orders_of_import_give_the_same_bytes(self):
        orders = [run_python(BOTH_RUNTIMES.format(first=first, second=second))
                  for first, second in (("torch", "asap"), ("asap", "torch"))]
        self.assertEqual(orders[0], orders[1])


@unittest.skipUnless(HAS_TORCH, "PyTorch is not installed (hint: ASAP_TEST_TORCH=1)")
class PlainCompiledAttentionTest(unittest.TestCase):
    MAPS = ["pot,gau,lin,tilt,lse", "gau,lin,tilt", "lse,lse0,it:2", "pot,lin,tilt,lse,lse0,landmarks:5,it:2", "start,it:3",
            None]

    @classmethod
    def setUpClass(cls):
        global torch
        import torch

        import asap.torch

        random = np.random.default_rng(6)
        cls.q, cls.k, cls.v = (random.standard_normal((40, 2, n, width)).astype(np.float32)
                               for n, width in ((13, 8), (17, 8), (17, 5)))
        cls.operators = {features: asap.CompiledOperator.fit(
            cls.q, cls.k, None if features else cls.v, iterations=6, features=features, slices=3, calibration=24,
            held_out=16) for features in cls.MAPS}

    def each(self):
        for features, operator in self.operators.items():
            with self.subTest(features):
                yield operator, asap.torch.PlainCompiledAttention(operator)

    def tensors(self, count, dtype=None):
        return [torch.from_numpy(array[:count]).to(dtype or torch.float32) for array in (self.q, self.k, self.v)]

    def test_values_are_those_of_the_operator(self):
        for operator, module in self.each():
            got = module(*self.tensors(5))
            self.assertLess(np.abs(got.numpy() - operator(self.q[:5], self.k[:5], self.v[:5])).max(), 1e-5)

    def test_tokens_that_are_not_live_have_no_effect(self):
        live = {"query_lengths": [13, 3, 7, 1, 0], "key_lengths": [17, 4, 1, 0, 9]}
        q, k, v = (array[:5].copy() for array in (self.q, self.k, self.v))
        for example in range(5):
            q[example, :, live["query_lengths"][example]:] = np.nan
            k[example, :, live["key_lengths"][example]:] = v[example, :, live["key_lengths"][example]:] = np.nan
        places = np.arange(13)[None] < np.array(live["query_lengths"])[:, None]
        for operator, module in self.each():
            expected = operator(q, k, v, **live)
            tensors = [torch.from_numpy(array) for array in (q, k, v)]
            got = module(*tensors, **{name: torch.tensor(lengths) for name, lengths in live.items()})
            self.assertLess(np.abs(got.numpy() - expected).max(), 1e-5)
            masked = module(*tensors, query_mask=torch.from_numpy(places), key_lengths=torch.tensor(live["key_lengths"]))
            self.assertTrue(torch.equal(masked, got))

    def test_rows_that_vanish_in_their_columns_are_those_of_the_operator(self):
        q, k, v = (array[:2].copy() for array in (self.q, self.k, self.v))
        q[0, 0, 3] *= 400  # whose predicted dual is far off: exp(S + f + g) of the row is 0 in float32
        tensors = [torch.from_numpy(array) for array in (q, k, v)]
        for operator, module in self.each():
            self.assertLess(np.abs(module(*tensors).numpy() - operator(q, k, v)).max(), 1e-4)

    def test_half_precision_and_double(self):
        for operator, module in self.each():
            for dtype, tolerance in ((torch.bfloat16, 1e-2), (torch.float16, 1e-2), (torch.float64, 1e-5)):
                tensors = self.tensors(5, dtype)
                got = module(*tensors)
                self.assertEqual(got.dtype, dtype)
                expected = operator(*(tensor.float().numpy() for tensor in tensors))
                self.assertLess(np.abs(got.float().numpy() - expected).max(), tolerance)

    def test_gradients_pass_gradcheck_with_masks(self):
        for _, module in self.each():
            leaves = [tensor[:, :, :5].clone().requires_grad_() for tensor in self.tensors(2, torch.float64)]
            live = {"query_lengths": torch.tensor([5, 4]), "key_lengths": torch.tensor([3, 5])}
            self.assertTrue(torch.autograd.gradcheck(lambda *a: module(*a, **live), leaves))

    def test_graphs_are_captured_whole(self):
        for _, module in self.each():
            tensors = self.tensors(3)
            expected = module(*tensors)
            captured = torch.compile(module, backend="eager", fullgraph=True)
            torch.testing.assert_close(captured(*tensors), expected)
            torch.compiler.reset()
            exported = torch.export.export(module, tuple(tensors)).module()
            torch.testing.assert_close(exported(*tensors), expected)

    def test_refuses_what_does_not_fit(self):
        module = asap.torch.PlainCompiledAttention(self.operators["lse,lse0,it:2"])
        q, k, v = self.tensors(2)
        with self.assertRaisesRegex(ValueError, r"^q is of shape \(2, 1, 13, 8\), expected \[B, 2, N, D\]"):
            module(q[:, :1], k, v)
        with self.assertRaisesRegex(ValueError, "^query_lengths and query_mask say the same"):
            module(q, k, v, query_lengths=torch.tensor([3, 3]), query_mask=torch.ones(2, 13))
        with self.assertRaisesRegex(TypeError, "^operator must be an asap.CompiledOperator, not str"):
            asap.torch.PlainCompiledAttention("folder")


if __name__ == "__main__":
    unittest.main()

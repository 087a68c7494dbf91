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
        with self.assertRaisesRegex(ValueError, "^a compiled operator has no gradient"):
            compiled(q.clone().requires_grad_(), k, v)
        with self.assertRaisesRegex(ValueError, "^layer is 1, but the operator has 1"):
            asap.torch.CompiledAttention(operator, 1)

    def test_errors_name_the_argument(self):
        q, attend = torch.randn(1, 1, 3, 2), asap.torch.sinkhorn_attention
        for call, error, message in ((lambda: attend(q.half(), q, q), ValueError, "^q is of torch.float16"),
                                     (lambda: attend(q, q.to("meta"), q), ValueError, "^k is on meta, expected the CPU"),
                                     (lambda: attend(q, q, q.numpy()), TypeError, "^v must be a tensor, not ndarray"),
                                     (lambda: attend(q, q, q, key_length=[3]), TypeError, "unexpected argument key_length"),
                                     (lambda: attend(q, q.double(), q), ValueError, "^k is of float64, but q of float32")):
            with self.assertRaisesRegex(error, message):
                call()

    def test_both_orders_of_import_give_the_same_bytes(self):
        orders = [run_python(BOTH_RUNTIMES.format(first=first, second=second))
                  for first, second in (("torch", "asap"), ("asap", "torch"))]
        self.assertEqual(orders[0], orders[1])


if __name__ == "__main__":
    unittest.main()

"""Softmax and Sinkhorn attention: values, gradients, arrays, errors, threads."""

import multiprocessing
import threading
import time
import unittest

import numpy as np

import asap
from asap import _arrays
from reference import attention, difference_quotient


def draw(*shapes, dtype=np.float32, seed=1):
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def attend_in_child(arrays, queue):
    queue.put((asap.threads(), asap.sinkhorn_attention(*arrays).tobytes()))


class AttentionTest(unittest.TestCase):
    def test_values_are_those_of_numpy_for_every_shape(self):
        for dtype, tolerance in ((np.float32, 2e-5), (np.float64, 1e-12)):
            for leading, n, m, width, value_width in (((2, 3), 7, 5, 4, 6), ((3,), 1, 9, 8, 1), ((), 16, 16, 2, 3)):
                q, k, v = draw((*leading, n, width), (*leading, m, width), (*leading, m, value_width), dtype=dtype)
                for iterations, epsilon in ((0, 1.0), (1, 1.0), (10, 0.5)):
                    got = asap.sinkhorn_attention(q, k, v, iterations=iterations, epsilon=epsilon)
                    self.assertEqual((got.dtype, got.shape), (dtype, (*leading, n, value_width)))
                    np.testing.assert_allclose(got, attention(q, k, v, iterations, epsilon), rtol=0, atol=tolerance)
                np.testing.assert_allclose(asap.softmax_attention(q, k, v, epsilon=0.5), attention(q, k, v, 0, 0.5),
                                           rtol=0, atol=tolerance)

    def test_gradients_are_those_of_difference_quotients(self):
        q, k, v, weight = draw((2, 2, 4, 3), (2, 2, 5, 3), (2, 2, 5, 2), (2, 2, 4, 2), dtype=np.float64)
        for forward, backward, options in (
                (asap.sinkhorn_attention, asap.sinkhorn_attention_backward, {"iterations": 3, "epsilon": 0.7}),
                (asap.softmax_attention, asap.softmax_attention_backward, {"epsilon": 0.7})):
            options |= {"key_lengths": [5, 4], "query_mask": np.array([[1, 1, 0, 1], [1, 1, 1, 1]], bool)}
            gradients = backward(q, k, v, weight, **options)
            for index, gradient in enumerate(gradients):
                for place in ((0, 0, 0, 0), (0, 1, 2, 1), (1, 1, 3, 1), (1, 0, -1, -1)):
                    expected = difference_quotient(lambda *arrays: (forward(*arrays, **options) * weight).sum(),
                                                   [q, k, v], index, place)
                    self.assertAlmostEqual(gradient[place], expected, delta=1e-8)

    def test_tokens_that_are_not_live_have_no_effect(self):
        q, k, v = draw((2, 1, 4, 3), (2, 1, 6, 3), (2, 1, 6, 2))
        mask = np.array([[1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0]], bool)
        k[:, :, 4:], v[:, :, 4:] = np.nan, np.nan
        got = asap.sinkhorn_attention(q, k, v, key_mask=mask, query_lengths=[2, 4])
        live = [0, 2, 3]
        np.testing.assert_allclose(got[0, 0, :2], attention(q[0, 0, :2], k[0, 0, live], v[0, 0, live], 10), atol=2e-5)
        self.assertTrue((got[0, 0, 2:] == 0).all())
        self.assertEqual(got.tobytes(), asap.sinkhorn_attention(q, k, v, key_mask=mask.astype(np.uint8),
                                                                query_lengths=np.array([2, 4], np.int32)).tobytes())

    def test_arrays_are_read_in_place_and_any_layout_gives_the_same_bytes(self):
        q, k, v = draw((2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 8))
        expected = asap.sinkhorn_attention(q, k, v)
        tokens_first = np.ascontiguousarray(q.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
        packed = np.concatenate([q, q], -1)[..., :8]
        for layout, in_place in ((q, True), (tokens_first, True), (packed, True), (np.asfortranarray(q), False),
                                 (q[..., ::-1].copy()[..., ::-1], False), (q.astype(">f4"), False)):
            self.assertEqual(np.shares_memory(_arrays.heads("q", layout), layout), in_place)
            self.assertEqual(asap.sinkhorn_attention(layout, k, v).tobytes(), expected.tobytes())
        frozen = q.copy()
        frozen.flags.writeable = False
        self.assertEqual(asap.sinkhorn_attention(frozen, k, v).tobytes(), expected.tobytes())
        one_token = np.lib.stride_tricks.as_strided(q[:, :, :1], (2, 3, 1, 8), (384, 128, 4, 4))
        self.assertEqual(asap.sinkhorn_attention(one_token, k, v).tobytes(),
                         asap.sinkhorn_attention(q[:, :, :1], k, v).tobytes())
        broadcast = np.broadcast_to(q[:1], q.shape)
        self.assertEqual(asap.sinkhorn_attention(broadcast, k, v).tobytes(),
                         asap.sinkhorn_attention(broadcast.copy(), k, v).tobytes())

    def test_other_arrays_come_in_and_go_out_by_dlpack_without_a_copy(self):
        class Other:
            """An array of another library."""

            def __init__(self, array):
                self.array, self.shape = array, array.shape

            def __dlpack__(self, **options):
                return self.array.__dlpack__(**options)

            def __dlpack_device__(self):
                return self.array.__dlpack_device__()

        q, k, v = draw((1, 2, 4, 3), (1, 2, 4, 3), (1, 2, 4, 3))
        self.assertTrue(np.shares_memory(_arrays.heads("q", Other(q)), q))
        got = asap.sinkhorn_attention(Other(q), Other(k), Other(v))
        self.assertEqual(got.tobytes(), asap.sinkhorn_attention(q, k, v).tobytes())
        self.assertTrue(np.shares_memory(np.from_dlpack(got), got))

    def test_the_number_of_threads_changes_no_byte(self):
        arrays = draw((3, 4, 33, 8), (3, 4, 33, 8), (3, 4, 33, 8))
        before, results = asap.threads(), []
        for threads in (1, 2, 5):
            asap.set_threads(threads)
            self.assertEqual(asap.threads(), threads)
            results.append(b"".join([asap.sinkhorn_attention(*arrays).tobytes(), *(
                part.tobytes() for part in asap.sinkhorn_attention_backward(*arrays, arrays[0]))]))
        asap.set_threads(before)
        self.assertEqual(len(set(results)), 1)

    def test_other_threads_of_python_run_during_a_call(self):
        arrays = draw((8, 8, 256, 32), (8, 8, 256, 32), (8, 8, 256, 32))
        worker = threading.Thread(target=lambda: asap.sinkhorn_attention_backward(*arrays, arrays[0], iterations=100))
        worker.start()
        turns = 0
        while worker.is_alive():
            time.sleep(0.001)
            turns += 1
        self.assertGreater(turns, 20)  # a call that held the GIL would allow a few

    def test_a_forked_process_computes_with_one_thread(self):
        arrays = draw((2, 2, 32, 8), (2, 2, 32, 8), (2, 2, 32, 8))
        before = asap.threads()
        asap.set_threads(2)
        expected = asap.sinkhorn_attention(*arrays).tobytes()
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=attend_in_child, args=(arrays, queue))
        child.start()
        self.assertEqual(queue.get(timeout=60), (1, expected))
        child.join(60)
        asap.set_threads(before)

    def test_errors_name_the_argument(self):
        q, k, v = draw((2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 6))
        nan = v.copy()
        nan[1, 2, 3, 4] = np.nan
        cases = [
            ((q, k[:, :2], v), {}, ValueError, r"^k has shape \[2, 2, 5, 8\], expected \[2, 3, 5, 8\] to fit q"),
            ((q, k, v[:, :, :4]), {}, ValueError, r"^v has shape \[2, 3, 4, 6\], expected \[2, 3, 5, 6\] to fit k"),
            ((q[0, 0, 0], k, v), {}, ValueError, r"^q has shape \(8,\), expected \[examples, heads, tokens, width\]"),
            ((q[..., :0], k[..., :0], v), {}, ValueError, "^q has shape .* there are no heads or no columns"),
            ((q.astype(np.float16), k, v), {}, ValueError, r"^q is of float16, expected float32 or float64 \(hint"),
            ((q, k.astype(np.float64), v), {}, ValueError, "^k is of float64, but q of float32"),
            ((q.tolist(), k, v), {}, TypeError, "^q must be a NumPy array or support DLPack, not list"),
            ((q, k, nan), {}, asap.NumericalError, "^v: token 3 of head 2 of example 1 has a value that is not finite"),
            ((q, k, v), {"iterations": -1}, ValueError, "^iterations is -1, expected 0 to 10000"),
            ((q, k, v), {"iterations": 2.5}, TypeError, "^iterations must be a whole number, not float"),
            ((q, k, v), {"epsilon": 0}, ValueError, "^epsilon is 0, expected a positive number"),
            ((q, k, v), {"epsilon": float("nan")}, ValueError, "^epsilon is nan"),
            ((q, k, v), {"key_lengths": [5]}, ValueError, r"^key_lengths has shape \[1\].*, expected 2 whole numbers"),
            ((q, k, v), {"key_lengths": [5, 6]}, ValueError, "^key_lengths has 5 to 6, expected 0 to 5 tokens"),
            ((q, k, v), {"query_lengths": [4.0, 4.0]}, ValueError, "^query_lengths has shape .* of float64"),
            ((q, k, v), {"query_mask": np.ones((2, 5), bool)}, ValueError,
             r"^query_mask has shape \[2, 5\] of bool, expected \[2, 4\] of bool"),
            ((q, k, v), {"key_mask": np.ones((2, 5))}, ValueError, "^key_mask has shape .* of float64"),
        ]
        for arguments, options, error, message in cases:
            with self.assertRaisesRegex(error, message):
                asap.sinkhorn_attention(*arguments, **options)
        with self.assertRaisesRegex(ValueError, r"^output_gradient has shape \[2, 3, 5, 6\], expected \[2, 3, 4, 6\]"):
            asap.sinkhorn_attention_backward(q, k, v, v)
        with self.assertRaisesRegex(ValueError, "^threads is 0, expected 1 to 1024"):
            asap.set_threads(0)
        self.assertTrue(issubclass(asap.NumericalError, ValueError) and issubclass(asap.DataError, ValueError))

    def test_no_examples_and_no_tokens_are_no_error(self):
        q, k, v = draw((0, 2, 4, 3), (0, 2, 4, 3), (0, 2, 4, 3))
        self.assertEqual(asap.sinkhorn_attention(q, k, v).shape, (0, 2, 4, 3))
        q, k, v = draw((1, 2, 4, 3), (1, 2, 0, 3), (1, 2, 0, 3))
        self.assertEqual(asap.sinkhorn_attention(q[:, :, :0], q, q).shape, (1, 2, 0, 3))
        self.assertTrue((asap.sinkhorn_attention(q, k, v) == 0).all())


if __name__ == "__main__":
    unittest.main()

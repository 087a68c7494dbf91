"""Predicted duals as warm starts: the plan they stand for, and what POT and OTT-JAX make of them where they are installed."""

import importlib.util
import tempfile
import unittest
import warnings
from pathlib import Path

import numpy as np

import asap
import trained
from compiled_test import write_safetensors

HAS_POT = importlib.util.find_spec("ot") is not None
HAS_OTT = importlib.util.find_spec("ott") is not None
FEATURES = ["gau,lin,tilt,lse", "pot,lse0,landmarks:5,it:2", "start,it:3"]


def costs(q, k, cost):
    q, k = q.astype(float), k.astype(float)
    return -q @ k.T if cost == "dot" else ((q[:, None] - k[None]) ** 2).sum(-1)


def iterations(cost, reg, alpha, tolerance):
    """Of Sinkhorn's algorithm with scalings, as POT has it: columns, then rows."""
    n, m = cost.shape
    kernel, u = np.exp(-cost / reg), np.exp(alpha)
    for t in range(10000):
        v = 1 / m / (kernel.T @ u)
        if np.abs((kernel * u[:, None] * v).sum(1) * n - 1).mean() < tolerance:
            return t
        u = 1 / n / (kernel @ v)
    return 10000


class WarmStartTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random = np.random.default_rng(8)
        cls.q = random.standard_normal((72, 2, 30, 6)).astype(np.float32)
        cls.k = (random.standard_normal((72, 2, 23, 6)) + 0.5 * cls.q[:, :, :1]).astype(np.float32)
        cls.operators = [cls.fit(features) for features in FEATURES]

    @classmethod
    def fit(cls, features, **more):
        return asap.CompiledOperator.fit(cls.q, cls.k, iterations=60, epsilon=0.6, features=features, calibration=48,
                                         held_out=16, **more)

    def test_the_plan_is_the_operators(self):
        identity = np.broadcast_to(np.eye(23, dtype=np.float32), (2, 23, 23)).copy()
        for operator in self.operators:
            expected = operator(self.q[70], self.k[70], identity)
            for head in range(2):
                for cost in ("dot", "sqeuclidean"):
                    with self.subTest(operator=operator.description["operators"][0], head=head, cost=cost):
                        q, k = self.q[70, head], self.k[70, head]
                        start = asap.warm_start(operator, q, k, head=head, cost=cost)
                        self.assertAlmostEqual(start.reg, 6**0.5 * 0.6 * (1 if cost == "dot" else 2), places=5)
                        plan = np.exp(start.alpha[:, None] + start.beta - costs(q, k, cost) / start.reg)
                        np.testing.assert_allclose(plan.sum(0), 1 / 23, rtol=1e-9)
                        rows = plan.sum(1, keepdims=True)
                        np.testing.assert_allclose(plan / rows, expected[head], atol=1e-5)
                        self.assertAlmostEqual(start.alpha.mean(), start.beta.mean(), places=9)

    def test_fewer_iterations_than_from_zero(self):
        for operator in self.operators:
            counts = []
            for example in range(64, 72):
                q, k = self.q[example, 0], self.k[example, 0]
                start, cost = asap.warm_start(operator, q, k), costs(q, k, "dot")
                counts.append((iterations(cost, start.reg, start.alpha, 1e-3),
                               iterations(cost, start.reg, np.zeros(30), 1e-3)))
            warm, cold = np.sum(counts, axis=0)
            self.assertLess(warm, cold)

    def test_a_key_bias(self):
        with tempfile.TemporaryDirectory() as folder:
            write_safetensors(Path(folder, "qk.safetensors"), {"q": self.q, "k": self.k})
            trained.command("asap-compile", "--activations", "qk.safetensors", "--mode", "key_bias", "--features",
                            "gau,lin,tilt", "--calibration", "48", "--set", "held_out=16", "--out", "operator", cwd=folder)
            operator = asap.CompiledOperator.load(Path(folder, "operator"))
        identity = np.broadcast_to(np.eye(23, dtype=np.float32), (2, 23, 23)).copy()
        expected = operator(self.q[70], self.k[70], identity)[1]
        start = asap.warm_start(operator, self.q[70, 1], self.k[70, 1], head=1)
        # A bias ĝ per key gives rows that sum to 1; the warm start holds the row dual of this plan.
        scores = -costs(self.q[70, 1], self.k[70, 1], "dot") / start.reg
        columns = np.exp(scores + start.alpha[:, None])
        np.testing.assert_allclose(columns / columns.sum(0), expected / expected.sum(0), atol=1e-5)

    @unittest.skipUnless(HAS_POT, "POT is not installed (pip install pot)")
    def test_pot_takes_it(self):
        import ot
        q, k = self.q[71, 0], self.k[71, 0]
        a, b = np.full(30, 1 / 30), np.full(23, 1 / 23)
        for cost in ("dot", "sqeuclidean"):
            start = asap.warm_start(self.operators[1], q, k, cost=cost)
            for method in ("sinkhorn", "sinkhorn_log"):
                with self.subTest(cost=cost, method=method), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    def solve(steps, warmstart):
                        return ot.sinkhorn(a, b, costs(q, k, cost), start.reg, method=method, numItermax=steps, stopThr=0,
                                           warmstart=warmstart)
                    exact = solve(2000, None)
                    cold, warm = (np.abs(solve(3, duals) - exact).sum() for duals in (None, start.pot()))
                    self.assertLess(warm, cold / 4)

    @unittest.skipUnless(HAS_OTT, "OTT-JAX is not installed (pip install ott-jax)")
    def test_ott_takes_it(self):
        from ott.geometry import pointcloud
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn
        q, k = self.q[71, 0], self.k[71, 0]
        start = asap.warm_start(self.operators[1], q, k, cost="sqeuclidean")
        problem = linear_problem.LinearProblem(pointcloud.PointCloud(q, k, epsilon=start.reg))
        solver = sinkhorn.Sinkhorn(threshold=1e-3, inner_iterations=1)
        cold, warm = solver(problem), solver(problem, init=tuple(dual.astype(np.float32) for dual in start.ott()))
        self.assertLess(int(warm.n_iters), int(cold.n_iters))
        np.testing.assert_allclose(np.asarray(warm.matrix), np.asarray(cold.matrix), atol=2e-4)

    def test_arguments_that_cannot_be_used(self):
        operator, q, k = self.operators[0], self.q[0, 0], self.k[0, 0]
        loop = asap.CompiledOperator.fit(self.q, self.k, self.q[:, :, :23], iterations=1, calibration=48, held_out=16)
        nan = np.full_like(q, np.nan)
        for arguments, more, error, message in (
            (("x", q, k), {}, TypeError, "^operator must be an asap.CompiledOperator, not str"),
            ((operator, q, k), {"layer": 1}, ValueError, "^layer is 1, but the operator has 1"),
            ((operator, q, k), {"head": 2}, ValueError, "^head is 2, but the operator has 2"),
            ((operator, q, k), {"cost": "l1"}, ValueError, "^cost is 'l1', expected 'dot' or 'sqeuclidean'"),
            ((operator, self.q[0], k), {}, ValueError, r"^q has shape \[2, 30, 6\] of float32, expected \[points, width\]"),
            ((operator, q[:, :3], k), {}, ValueError, "^q has width 3, but the operator 6"),
            ((operator, nan, k), {}, ValueError, "^q has a value that is not finite"),
            ((loop, q, k), {}, ValueError, "^layer 0 runs Sinkhorn's loop and has no map .hint: name features"),
        ):
            with self.subTest(message), self.assertRaisesRegex(error, message):
                asap.warm_start(*arguments, **more)


if __name__ == "__main__":
    unittest.main()

"""Region-constrained networks and one-dimensional potentials."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

import asap
import trained


class ReluFitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        self.x = np.linspace(-1, 2, 60)
        self.y = np.sin(3 * self.x)

    def test_a_fit_is_that_of_the_command_and_the_command_reads_it(self):
        order = np.random.default_rng(5).permutation(60)
        x, y, weight = self.x[order], self.y[order], 1 + order % 3
        lines = [f"{float(a)!r},{float(b)!r},{c}\n" for a, b, c in zip(x, y, weight)]
        (self.work / "points.csv").write_text("x,y,weight\n" + "".join(lines))
        for out, words, options in (
                ("skip", ["--method", "skip", "--depth", "3"], {"method": "skip", "depth": 3}),
                ("pieces", ["--pieces", "5"], {"pieces": 5}),
                ("within", ["--tolerance", "0.05"], {"tolerance": 0.05})):
            trained.command("relu-fit", "fit", "--data", "points.csv", *words, "--out", out, cwd=self.work)
            network = asap.relu_fit.fit(x, y, weight, **options)
            network.save(self.work / "python.json")
            self.assertEqual((self.work / "python.json").read_bytes(), (self.work / out / "network.json").read_bytes())
            summary = trained.read_json(self.work / out / "summary.json")
            for name in ("mse", "max_error", "linear_regions", "parameters", "notes"):
                self.assertEqual(network.summary[name], summary[name])
        printed = trained.command("relu-fit", "eval", "--network", "python.json", "--x=-1,0.25,1.5", cwd=self.work)
        self.assertEqual(list(network([-1, 0.25, 1.5])), [float(line.split()[1]) for line in printed.splitlines()])

    def test_segments_are_the_function(self):
        network = asap.relu_fit.fit(self.x, self.y, pieces=6)
        knots, values = network.segments
        self.assertEqual((len(knots), knots[0], knots[-1]), (7, -1, 2))
        self.assertEqual(network.interval, (-1, 2))
        between = np.linspace(-1, 2, 1001)
        np.testing.assert_allclose(np.interp(between, knots, values), network(between), rtol=0, atol=1e-12)
        network.save(self.work / "network.safetensors")
        again = asap.relu_fit.Network.load(self.work / "network.safetensors")
        self.assertEqual(again(between).tobytes(), network(between).tobytes())
        self.assertEqual((again.inputs, again.depth, again.summary), (1, 1, None))
        self.assertEqual(again.segments.x.tobytes(), knots.tobytes())

    def test_errors_name_the_argument(self):
        fit, x, y = asap.relu_fit.fit, self.x, self.y
        cases = [
            (lambda: fit(x, y[:5]), ValueError, "^y has 5 numbers, but x has 60"),
            (lambda: fit(x[:3], y[:3]), ValueError, "3 points of different x, at least four are needed"),
            (lambda: fit(x, np.where(x > 1, np.nan, y)), ValueError, "`y`: number 40 is nan"),
            (lambda: fit(x, y, -np.ones(60)), ValueError, "`weight`: number 0 is -1"),
            (lambda: fit(x.reshape(2, 30), y), ValueError, r"^x has shape \[2, 30\] .* expected one row of numbers"),
            (lambda: fit(x, y, method="bets"), ValueError, "^method must be one of .*best"),
            (lambda: fit(x, y, tolerance=0), ValueError, "^tolerance is 0, expected a positive number"),
            (lambda: fit(x, y, depth="deep"), ValueError, "^depth"),
            (lambda: fit(x, y, pieces=3, tolerance=0.1), ValueError, "exclude each other"),
            (lambda: fit(x, y, pieces=3)([0, np.inf]), asap.NumericalError, "^x has a value that is not finite"),
            (lambda: fit(x, y, pieces=3)(np.zeros((3, 2))), ValueError, r"^x has shape \[3, 2\], expected \[n\]"),
            (lambda: fit(x, y, pieces=3).save("network.txt"), ValueError, "network.txt: the name must end in .json"),
            (lambda: asap.relu_fit.Network.load(self.work / "none.json"), asap.DataError, "none.json"),
        ]
        for call, error, message in cases:
            with self.assertRaisesRegex(error, message):
                call()


class TransportTest(unittest.TestCase):
    def test_potentials_solve_the_dual_problem(self):
        random = np.random.default_rng(6)
        s, t = random.standard_normal(7), random.standard_normal(7)
        phi, psi = asap.potentials_1d(s, t)
        cost = -np.outer(s, t)
        self.assertTrue((phi[:, None] + psi <= cost + 1e-12).all())
        self.assertAlmostEqual(phi.mean(), 0)
        best = -(np.sort(s) * np.sort(t)).mean()  # the monotone plan is optimal
        self.assertAlmostEqual(phi.mean() + psi.mean(), best)

    def test_errors_name_the_argument(self):
        for arguments, error, message in ((([], [1.0]), ValueError, "^s is empty"),
                                          (([1.0], [[1.0]]), ValueError, r"^t has shape \[1, 1\]"),
                                          (([1.0], [np.nan]), asap.NumericalError, "^t has a value that is not finite")):
            with self.assertRaisesRegex(error, message):
                asap.potentials_1d(*arguments)


if __name__ == "__main__":
    unittest.main()

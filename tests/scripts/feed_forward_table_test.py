"""The table of feed-forward parts: the text of a row, and the refusal of unknown networks."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import feed_forward_table


def summary(accuracy, seconds, steps=100):
    return {"test": {"accuracy": accuracy}, "train": {"seconds": seconds, "steps": steps}, "model": {"parameters": 26506}}


class FeedForwardTable(unittest.TestCase):
    def test_a_row_holds_mean_deviation_and_the_median_time(self):
        row = feed_forward_table.row("ReLU", [summary(0.87, 0.1), summary(0.89, 0.9), summary(0.88, 0.2)])
        self.assertEqual(row, "| ReLU | 26506 | 0.8800 ± 0.0100 | 2.00 |")
        self.assertIn("0.8700 ± 0.0000", feed_forward_table.row("ReLU", [summary(0.87, 0.1)]))

    def test_every_row_sets_what_the_toolkit_knows(self):
        for _, rows in feed_forward_table.NETWORKS.values():
            for assignments in rows.values():
                self.assertTrue(all(a.split("=")[0].startswith(("model.", "train.")) for a in assignments))

    def test_an_unknown_network_is_refused(self):
        done = subprocess.run([sys.executable, str(SCRIPTS / "feed_forward_table.py"), "--networks", "cnn"],
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("hint: perceptron, vit", done.stderr)

    def test_the_accuracy_of_every_epoch_is_a_mean_over_seeds(self):
        table = feed_forward_table.epochs_table({"ReLU": [[0.5, 0.8], [0.6, 0.8]], "region": [[0.6, 0.7], [0.7, 0.9]]})
        self.assertEqual(table.splitlines(), ["| epoch | 1 | 2 |", "|---|---|---|",
                                              "| ReLU | 0.5500 ± 0.0707 | 0.8000 ± 0.0000 |",
                                              "| region | 0.6500 ± 0.0707 | 0.8000 ± 0.1414 |"])

    def test_accuracies_come_from_the_tests_of_a_run(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "metrics.jsonl").write_text('{"step": 1, "loss": 2}\n{"step": 1, "test_accuracy": 0.5}\n'
                                                     '{"step": 2, "test_accuracy": 0.75}\n')
            self.assertEqual(feed_forward_table.accuracy_by_epoch(Path(folder)), [0.5, 0.75])

    def test_every_network_and_row_has_a_name_in_figures(self):
        self.assertEqual(set(feed_forward_table.TITLES), set(feed_forward_table.NETWORKS))
        names = {name for _, rows in feed_forward_table.NETWORKS.values() for name in rows}
        self.assertEqual(names, set(feed_forward_table.KINDS))

    def test_the_curves_are_drawn_with_bands(self):
        figure = feed_forward_table.epochs_figure("ViT: accuracy", {"relu": [[0.5, 0.8], [0.7, 0.8]], "region": [[0.6, 0.8]]})
        root = ElementTree.fromstring(figure)
        bands = [polygon.get("points").split() for polygon in root.iter("{http://www.w3.org/2000/svg}polygon")]
        self.assertEqual(len(bands), 2)
        heights = [[float(point.split(",")[1]) for point in band] for band in bands]
        self.assertAlmostEqual(heights[0][0], heights[0][3], delta=0.11)  # one seed of region: no band
        self.assertGreater(heights[1][3] - heights[1][0], 50)  # ReLU's first epoch: .6 ± .14
        self.assertEqual(heights[1][1], heights[1][2])
        names = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "name"]
        self.assertEqual([text.text for text in names], ["region, peaks", "ReLU"])
        self.assertGreaterEqual(abs(float(names[0].get("y")) - float(names[1].get("y"))), 15)  # both end at .8

    def test_a_whole_table_is_printed_from_finished_trainings(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("relu", "gelu", "region-peaks"):
                for seed in (1, 2):
                    run = Path(folder, "cifar10", name, f"seed-{seed}")
                    run.mkdir(parents=True)
                    (run / "summary.json").write_text(json.dumps(summary(0.7, 1)))
                    (run / "metrics.jsonl").write_text("".join(f'{{"test_accuracy": {a}}}\n' for a in (0.6, 0.7)))
            done = subprocess.run([sys.executable, str(SCRIPTS / "feed_forward_table.py"), "--networks", "cifar10", "--seeds",
                                   "2", "--out", folder], stdout=subprocess.PIPE, text=True, check=True)
            self.assertIn("| region, peaks | 0.6000 ± 0.0000 | 0.7000 ± 0.0000 |", done.stdout)
            self.assertIn("Convolutions on CIFAR-10", Path(folder, "cifar10_epochs.svg").read_text())


if __name__ == "__main__":
    unittest.main()

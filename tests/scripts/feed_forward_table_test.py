"""The table of feed-forward parts: the text of a row, and the refusal of unknown networks."""

import subprocess
import sys
import unittest
from pathlib import Path

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


if __name__ == "__main__":
    unittest.main()

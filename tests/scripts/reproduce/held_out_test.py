"""Settings of scripts/reproduce.sh are chosen on training data alone: what is held out must be apart from the rest."""

import gzip
import json
import struct
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce.stages import held_out
from reproduce.stages.held_out import held_out_settings, split_idx
from reproduce.stages.runner import Unavailable


def idx(sizes, values):
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes(values)


class HeldOut(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_of(self, data):
        """A run that was trained on these data, whose files are in the folder."""
        self.folder.joinpath("config.json").write_text(json.dumps({"data": data}))
        self.folder.joinpath("data.json").write_text(json.dumps({"train": {"folder": str(self.folder)}}))
        return self.folder

    def settings(self, data):
        return held_out_settings(self.run_of(data), self.folder / "made")

    def test_images_are_the_last_of_the_training_files(self):
        before, held_out.IMAGES = held_out.IMAGES, 2
        self.addCleanup(lambda: setattr(held_out, "IMAGES", before))
        self.folder.joinpath("train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx([5, 1, 2], range(10))))
        self.folder.joinpath("train-labels-idx1-ubyte").write_bytes(idx([5], [9, 8, 7, 6, 5]))
        self.folder.joinpath("t10k-images-idx3-ubyte").write_bytes(b"never read")
        self.assertEqual(self.settings({"kind": "idx"}), [f"data.path={self.folder / 'made'}"])
        made = {path.name: path.read_bytes() for path in (self.folder / "made").iterdir()}
        self.assertEqual(made, {"train-images-idx3-ubyte": idx([3, 1, 2], range(6)),
                                "t10k-images-idx3-ubyte": idx([2, 1, 2], range(6, 10)),
                                "train-labels-idx1-ubyte": idx([3], [9, 8, 7]),
                                "t10k-labels-idx1-ubyte": idx([2], [6, 5])})

    def test_both_parts_together_are_the_file(self):
        whole = idx([4, 3], range(12))
        kept, rest = split_idx(whole, 1)
        self.assertEqual(kept[12:] + rest[12:], whole[12:])

    def test_texts_are_parted_by_the_program_and_the_test_file_is_not_named(self):
        for name in ("toy_test9.tsv.gz", "toy_train20.tsv.gz", "toy_val5.tsv.gz"):
            self.folder.joinpath(name).write_text("")
        self.assertEqual(self.settings({"kind": "text", "name": "toy"}),
                         [f"data.path={self.folder}", "data.text.train_file=toy_train20.tsv.gz", "data.test_fraction=0.2"])
        with self.assertRaisesRegex(Unavailable, "no one file"):
            self.settings({"kind": "text", "name": "other"})

    def test_drawn_examples_are_those_of_another_seed(self):
        self.assertEqual(self.settings({"kind": "listops", "listops": {"seed": 7}}), ["data.listops.seed=1007"])

    def test_other_data_are_refused(self):
        with self.assertRaisesRegex(Unavailable, "'points'"):
            self.settings({"kind": "points"})
        with self.assertRaisesRegex(Unavailable, "has no train-images"):
            self.settings({"kind": "idx"})


if __name__ == "__main__":
    unittest.main()

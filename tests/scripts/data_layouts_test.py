"""The shipped configurations train on small files in the layouts in which their distributors bring the data, found below
ASAP_DATA_DIR as data/README.md says; a missing set is told apart from a broken one."""

import gzip
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build" / "bin"))
SMALL = ["model.width=8", "model.heads=2", "model.layers=1", "train.batch=8", "train.max_steps=2"]
DATA_ERROR = 3


def cifar100_record(coarse, fine):
    return bytes([coarse, fine]) + bytes((fine * 31 + at) % 256 for at in range(3 * 32 * 32))


class Layouts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content):
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def train(self, config, *assignments):
        words = [word for assignment in (*SMALL, *assignments) for word in ("--set", assignment)]
        return subprocess.run([BINARIES / "asap-train", "--config", ROOT / f"configs/train/{config}.json", *words,
                               "--quiet", "--threads", "1", "--out", self.folder / "run"], capture_output=True, text=True,
                              env=os.environ | {"ASAP_DATA_DIR": str(self.folder / "data")})

    def origin(self, config, *assignments):
        """What a training on these data remembers of them."""
        done = self.train(config, *assignments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((self.folder / "run/data.json").read_text())

    def test_cifar_100_in_its_binary_version(self):
        missing = self.train("cifar100_sinkhorn")
        self.assertEqual(missing.returncode, DATA_ERROR)
        self.assertIn("the data set 'cifar100' was not found", missing.stderr)
        for part, labels in (("train", range(0, 100, 5)), ("test", range(0, 100, 20))):
            self.write(f"cifar100/{part}.bin", b"".join(cifar100_record(label // 5, label) for label in labels))
        self.write("cifar100/fine_label_names.txt", "".join(f"name {label}\n" for label in range(100)))
        names = self.origin("cifar100_sinkhorn")["class_names"]
        self.assertEqual((len(names), names[99]), (100, "name 99"))
        self.write("cifar100/train.bin", b"".join(cifar100_record(0, 1) for _ in range(3))[:-1])
        broken = self.train("cifar100_softmax", "seed=2")
        self.assertNotEqual(broken.returncode, 0)
        self.assertNotIn("was not found", broken.stderr)

    def test_the_sample_of_yelp_s_reviews(self):
        missing = self.train("yelp5_sinkhorn")
        self.assertEqual(missing.returncode, DATA_ERROR)
        self.assertIn("was not found", missing.stderr)
        lines = "".join(f"{label}\tthe food was good {label} times\n" for label in range(5))
        for part in ("train", "test"):
            self.write(f"text/yelp5_{part}5000.tsv.gz", gzip.compress(lines.encode() * (3 if part == "train" else 1)))
        self.assertEqual(self.origin("yelp5_sinkhorn")["class_names"], ["0", "1", "2", "3", "4"])

    def test_yelp_review_full_as_distributed(self):
        lines = "".join(f'"{stars}","it said ""{stars} stars"", and\\nmore"\n' for stars in range(1, 6))
        self.write("text/yelp_review_full_csv/train.csv", 3 * lines)
        self.write("text/yelp_review_full_csv/test.csv", lines)
        self.assertEqual(self.origin("yelp5_softmax", "data.name=yelp_review_full")["class_names"], ["1", "2", "3", "4", "5"])


if __name__ == "__main__":
    unittest.main()

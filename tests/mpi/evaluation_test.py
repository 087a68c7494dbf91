"""Compilation, comparison and prediction in several ranks: the bytes of one process."""

import json
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import job
import pairs_file


def without_times(value):
    """A summary without what was measured on the clock."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items()
                if not any(word in key for word in ("second", "interval", "overhead", "thread", "peak", "version", "command"))}
    return [without_times(part) for part in value] if isinstance(value, list) else value


class Evaluation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.run_folder = Path(cls.folder.name) / "run"
        job.run_ranks(0, job.training(cls.run_folder)).check_returncode()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def results_of(self, program, *words):
        """The folders that one process and three ranks write."""
        folders = []
        for ranks in (0, 3):
            out = Path(self.folder.name) / f"{words[0].strip('-')}{ranks}-{self.id()}"
            result = job.run_ranks(ranks, [str(job.BINARIES / program), *map(str, words), "--threads", "1", "--out", str(out)])
            self.assertEqual(result.returncode, 0, result.stderr)
            folders.append(out)
        return folders

    def same_files(self, folders, *names):
        for name in names:
            self.assertEqual(*[(folder / name).read_bytes() for folder in folders], name)

    def test_compiled_compared_and_predicted_alike(self):
        operators = self.results_of("asap-compile", "--run", self.run_folder, "--calibration", "64", "--set", "held_out=32")
        self.same_files(operators, "operator.safetensors", "operator.json")
        compared = self.results_of("asap-eval", "compare", "--run", self.run_folder, "--compiled", operators[0], "--methods",
                                   "teacher,softmax,sinkhorn:2,compiled,compiled:cascade,guarded")
        summaries = [without_times(json.loads((folder / "summary.json").read_text())) for folder in compared]
        self.assertEqual(*summaries)
        self.assertIn("agreement", json.dumps(summaries[0]))
        images = Path(self.folder.name) / "images"
        write_images(images, 41)
        predicted = self.results_of("asap-eval", "predict", "--run", self.run_folder, "--compiled", operators[0], "--input",
                                    images, "--embeddings", "--plans", "--certificate")
        self.same_files(predicted, "predictions.csv", "predictions.jsonl", "embeddings.npy", "plans/000041.npy")

    def test_matchers_compared_alike(self):
        pairs = Path(self.folder.name) / "pairs.npz"
        pairs_file.write_pairs(pairs, count=5, keypoints=20)
        calibration = Path(self.folder.name) / "calibration.npz"
        pairs_file.write_pairs(calibration, count=4, keypoints=20)
        run = Path(self.folder.name) / "matcher"
        settings = job.settings(["model.kind=matcher", f"data.train={pairs}", f"data.test={pairs}", "data.descriptors=histogram",
                                 "train.batch=4", "model.matcher.width=16", "model.matcher.layers=1", "train.max_steps=30"])
        job.run_ranks(0, [str(job.BINARIES / "asap-train"), *settings, "--out", str(run)]).check_returncode()
        compared = self.results_of("asap-eval", "compare", "--run", run, "--calibration", calibration)
        summaries = [without_times(json.loads((folder / "summary.json").read_text())) for folder in compared]
        self.assertEqual(*summaries)
        self.assertGreater(max(row["recall"] for row in summaries[0]["files"][0]["methods"]), 0)

    def test_what_works_in_one_process_says_so(self):
        for words in (["asap-eval", "diagnose", "--run", self.run_folder],
                      ["asap-eval", "predict", "--run", self.run_folder, "--input", "-"]):
            result = job.run_ranks(2, [str(job.BINARIES / words[0]), *map(str, words[1:])])
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertEqual(result.stderr.count("works in one process, but 2 were started together"), 1, result.stderr)


def write_images(folder, count):
    """Grey images of 8 x 8 pixels as PNG files."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    folder.mkdir()
    for number in range(count):
        rows = b"".join(b"\0" + bytes((number * 37 + (8 * row + column)**2 * 5) % 256 for column in range(8)) for row in range(8))
        (folder / f"image{number:03}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


if __name__ == "__main__":
    unittest.main(verbosity=2)

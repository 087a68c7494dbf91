"""Runs scripts/make_keypoints.py as a user would, with or without OpenCV."""

import hashlib
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "make_keypoints.py"
# The interpreter that Debian's python3-opencv installs for.
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
SMALL = ("--view", "200", "--keypoints", "64", "--train-keypoints", "32", "--pairs", "3", "--test-pairs", "1")
CHECK = """
import sys, numpy
z = numpy.load(sys.argv[1])
assert len(z["offset0"]) == 4 and z["offset0"][-1] == len(z["keypoints0"]) == len(z["descriptors0"])
assert z["size"].shape == (3, 2, 2) and z["homography"].shape == (3, 3, 3)
for pair in range(3):
    a, b = (slice(*z[f"offset{e}"][pair:pair + 2]) for e in "01")
    first, second = z["matches0"][a], z["matches1"][b]
    assert (first >= 0).sum() >= 2
    for i, j in enumerate(first):
        assert j < 0 or second[j] == i
        if j < 0: continue
        x, y, w = z["homography"][pair] @ [*z["keypoints0"][a][i, :2], 1]
        assert numpy.hypot(x / w - z["keypoints1"][b][j, 0], y / w - z["keypoints1"][b][j, 1]) < 3
"""


def has_opencv():
    return subprocess.run([PYTHON, "-c", "import cv2"], capture_output=True).returncode == 0


class MakeKeypoints(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "photos").mkdir()

    def draw(self, name, seed):
        """A picture of rectangles."""
        side, drawn = 400, random.Random(seed)
        pixels = bytearray(side * side)
        for _ in range(400):
            x, y, width, height, grey = (drawn.randrange(n) for n in (side, side, 40, 40, 256))
            for row in range(y, min(y + height, side)):
                end = min(x + width, side)
                pixels[row * side + x:row * side + end] = bytes([grey]) * (end - x)
        (self.folder / "photos" / name).write_bytes(b"P5 %d %d 255\n" % (side, side) + bytes(pixels))

    def call(self, out, *words):
        return subprocess.run([PYTHON, SCRIPT, "--out", self.folder / out, *SMALL, *words], capture_output=True,
                              text=True)

    def test_pairs_follow_their_homographies_and_the_seed_or_opencv_is_missing(self):
        for index in range(3):
            self.draw(f"{index}.pgm", index)
        done = self.call("a", "--photos", self.folder / "photos")
        if not has_opencv():
            self.assertEqual(done.returncode, 69)
            self.assertIn("python3-opencv", done.stderr)
            return
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 to train on, 1 to test on", done.stdout)
        train = self.folder / "a" / "train.npz"
        checked = subprocess.run([PYTHON, "-c", CHECK, train], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertEqual(self.call("b", "--photos", self.folder / "photos").returncode, 0)
        again = self.folder / "b" / "train.npz"
        self.assertEqual(*(hashlib.sha256(file.read_bytes()).digest() for file in (train, again)))

    def test_too_few_photographs_are_refused(self):
        self.draw("only.pgm", 1)
        done = self.call("a", "--photos", self.folder / "photos")
        self.assertEqual(done.returncode, 3 if has_opencv() else 69)
        self.assertFalse((self.folder / "a").exists())


if __name__ == "__main__":
    unittest.main()

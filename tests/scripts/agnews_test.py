"""The accuracy recomputed from predictions.csv is that of asap-eval compare on AG News, from a run and from its bundle, for
the teacher and the compiled operator. Skipped without the data: ASAP_DATA_DIR names a folder with agnews/ or the files."""

import csv
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build" / "bin"))
TRAINING = ["data.train_examples=2000", "model.width=16", "train.epochs=2", "model.attention.iterations=5"]


def folder_of(name):
    """Where the test texts of a set lie, if they are there."""
    above = os.environ.get("ASAP_DATA_DIR")
    for folder in (Path(above) / name, Path(above) / "text", Path(above)) if above else ():
        if files := sorted(folder.glob(f"{name}_test*.tsv*")):
            return folder, files[0]
    return None


class Agnews(unittest.TestCase):
    def run_command(self, program, *words):
        done = subprocess.run([BINARIES / program, *words], cwd=self.work, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_predictions_have_the_accuracy_of_compare(self):
        found = folder_of("agnews")
        if not found:
            self.skipTest("ASAP_DATA_DIR names no folder with AG News")
        data, texts = found
        with tempfile.TemporaryDirectory() as work:
            self.work = Path(work)
            settings = [word for assignment in (*TRAINING, f"data.path={data}") for word in ("--set", assignment)]
            self.run_command("asap-train", "--config", ROOT / "configs/train/agnews_sinkhorn.json", *settings,
                             "--out", "run")
            self.run_command("asap-compile", "--run", "run", "--calibration", "128", "--set", "held_out=64", "--features",
                             "lse,lse0,it:1", "--out", "operator")
            self.run_command("asap-eval", "bundle", "--run", "run", "--compiled", "operator", "--cascade", "--out",
                             "m.safetensors")
            self.run_command("asap-eval", "compare", "--run", "run", "--compiled", "operator", "--methods",
                             "teacher,compiled,compiled:cascade", "--set", "shown_examples=0", "--out", "compare")
            self.run_command("asap-eval", "compare", "--model", "m.safetensors", "--methods",
                             "teacher,compiled,compiled:cascade", "--set", "shown_examples=0", "--set",
                             f"data.path={data}", "--out", "compare_bundle")
            compared, of_bundle = (json.loads((self.work / folder / "summary.json").read_text())["methods"]
                                   for folder in ("compare", "compare_bundle"))
            self.assertEqual([method["name"] for method in compared], ["teacher", "compiled", "compiled:cascade"])
            for method, again in zip(compared, of_bundle):
                for number in ("accuracy", "agreement", "plan_l1", "column_error"):
                    self.assertEqual(method[number], again[number], (method["name"], number))
                self.assertEqual(self.accuracy_of_predictions(texts, method["name"]), method["accuracy"], method["name"])

    def accuracy_of_predictions(self, texts, method):
        self.run_command("asap-eval", "predict", "--model", "m.safetensors", "--method", method, "--input", texts,
                         "--overwrite", "--out", "answers")
        with open(self.work / "answers" / "predictions.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(len(rows), 7000)
        return sum(row["label"] == row["class"] for row in rows) / len(rows)


if __name__ == "__main__":
    unittest.main()

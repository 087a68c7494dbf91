"""The study of rank collapse of scripts/reproduce.sh: its stages, picture and sentences."""

import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce.report.numbers_of_runs import collect
from reproduce.report.page import write_report
from reproduce.studies.rank_collapse import rank_words, run_rank
from reproduce.studies.rank_figure import rank_figure
from support import commands, leave, report_of

SVG = "{http://www.w3.org/2000/svg}"


class Stages(unittest.TestCase):
    def test_follow_collapse_before_and_after_training(self):
        made = commands(run_rank, "tweeteval_emotion")
        self.assertIn("tweeteval_emotion_softmax.json --seed 2", made["rank/untrained-softmax"])
        self.assertIn("train.learning_rate=1e-30", made["rank/untrained-softmax"])
        self.assertIn("model.layers=12", made["rank/trained-sinkhorn"])
        self.assertIn("--methods teacher,softmax,compiled", made["rank/trained-sinkhorn-diagnose"])
        self.assertEqual(commands(run_rank, "agnews"), {}, "other sets take none")


class Words(unittest.TestCase):
    def rank(self, sinkhorn, softmax, compiled, replaced=0.25):
        def line(end):
            return {"rank_residual": {"1": [0.9, 0.5, 0.4, end]}, "pure_rank_residual": {"1": [0.9, 1e-3, 1e-6, 1e-7]},
                    "pure_rank_bound": {"1": [1.0, 0.1, 1e-4, 1e-13]}}
        return " ".join(rank_words({"rank": {"trained": {
            "softmax": line(softmax), "sinkhorn": line(sinkhorn), "compiled": line(compiled),
            "replaced": line(replaced)}}}))

    def test_sinkhorn_may_slow_collapse_or_not_and_compiling_may_keep_that_or_not(self):
        self.assertIn("Sinkhorn slows rank collapse", self.rank(0.5, 0.3, 0.5))
        self.assertIn("Sinkhorn hastens", self.rank(0.2, 0.3, 0.2))
        self.assertIn("neither slows nor hastens", self.rank(0.3, 0.3, 0.3))
        self.assertIn("compiled attention keeps that", self.rank(0.5, 0.3, 0.5))
        self.assertIn("does not keep that", self.rank(0.5, 0.3, 0.4))

    def test_the_layers_that_attention_alone_takes_to_collapse_are_counted(self):
        self.assertIn("less than 1e-06 after 3 (softmax 3).", self.rank(0.3, 0.3, 0.3))

    def test_what_slows_collapse_is_the_plan_or_the_weights(self):
        self.assertIn("ends at 0.250, so the plan makes a difference", self.rank(0.5, 0.3, 0.5))
        self.assertIn("ends at 0.550, so the trained weights make the difference", self.rank(0.5, 0.3, 0.5, 0.55))
        self.assertIn("ends at 0.100, so the trained weights make the difference", self.rank(0.2, 0.3, 0.2, 0.1))
        self.assertNotIn("in its place", self.rank(0.3, 0.3, 0.3))


class Picture(unittest.TestCase):
    def test_has_a_panel_for_each_state_and_curve(self):
        line = {"rank_residual": {"1": [0.9, 0.5]}, "pure_rank_residual": {"1": [0.9, 0.0]}, "pure_rank_bound": {"1": [1, 0.1]}}
        rank = {state: dict.fromkeys(("softmax", "sinkhorn", "compiled", "replaced"), line) for state in ("untrained", "trained")}
        picture = ElementTree.fromstring(rank_figure("Rank collapse", rank))
        curves = [group.get("class") for group in picture.iter(SVG + "g") if group.find(SVG + "polyline") is not None]
        self.assertEqual(curves.count("softmax"), 4)
        self.assertEqual(curves.count("bound"), 2)


class Report(unittest.TestCase):
    def test_is_made_from_what_the_stages_left(self):
        with tempfile.TemporaryDirectory() as out:
            for state in ("untrained", "trained"):
                for kind, names in (("softmax", ["teacher"]), ("sinkhorn", ["teacher", "softmax", "compiled"])):
                    leave(Path(out, "toy", "seed-1", "rank", f"{state}-{kind}-diagnose"), collapse_base=0.1, theorem_base=9.0,
                          methods=[{"name": name, "rank_residual": [1, 0.5, 0.4], "pure_rank_residual": [1, 0.1, 0.01],
                                    "pure_rank_bound": [1, 0.5, 0.1]} for name in names])
            result = collect(out, ["toy"])["sets"]["toy"]
            self.assertEqual(result["rank"]["trained"]["compiled"]["rank_residual"], {"1": [1, 0.5, 0.4]})
            write_report(out, report_of({"toy": result}))
            words = json.loads(Path(out, "summary.json").read_text())["words"]["toy"]
            page = Path(out, "report.html").read_text(encoding="utf-8")
            self.assertEqual(len(words["rank collapse"]), 2)
            for sentence in words["rank collapse"]:
                self.assertIn(sentence.partition("'")[0], page)
            ElementTree.parse(Path(out, "toy_rank_collapse.svg"))


if __name__ == "__main__":
    unittest.main()

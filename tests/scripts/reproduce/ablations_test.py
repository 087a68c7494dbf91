"""The ablations of scripts/reproduce.sh: their stages, pictures and sentences."""

import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce.ablations import ablation_words
from reproduce.ablations.ablation_figures import lines_figure, marks_figure, ticks
from reproduce.ablations.ablation_points import all_ablations, run_ablations, stage_of
from reproduce.ablations.ablation_report import pictures
from reproduce.figures.svg import apart
from reproduce.report.numbers_of_runs import collect
from reproduce.report.page import write_report
from support import commands, leave, report_of

SVG = "{http://www.w3.org/2000/svg}"
SEEDS = ("1", "2", "3")


def rows(metric, **lines):
    """{line: {at: {metric: {seed: value}}}} from {line: {at: value}}; seeds differ a little."""
    return {line: {str(at): {metric: {seed: value * (1 + 0.001 * int(seed)) for seed in SEEDS}} for at, value in row.items()}
            for line, row in lines.items()}


class Stages(unittest.TestCase):
    def test_change_one_thing_at_a_time_and_force_the_features(self):
        made = commands(run_ablations, "fashion_mnist")
        self.assertIn("--features pot,gau,lin --slices 16 --slice-kind random", made["ablations/slices/random-16/operator"])
        self.assertIn("--features pot,gau,lin,tilt,lse,lse0 --calibration 64", made["ablations/calibration/map-64/operator"])
        self.assertNotIn("--examples", made["ablations/calibration/map-64/compare"])
        self.assertIn("--methods teacher,compiled ", made["ablations/calibration/map-64/compare"])
        self.assertIn("model.attention.epsilon=0.25", made["ablations/epsilon/map-0.25/teacher"])
        self.assertIn("epsilon/map-0.25/teacher", made["ablations/epsilon/map-0.25/operator"])
        for words in made.values():
            if words.startswith("asap-compile"):
                self.assertIn("--features ", words)

    def test_no_two_points_share_a_folder(self):
        stages = [stage_of(ablation, point) for ablation in all_ablations() for point in ablation.points]
        self.assertEqual(len(stages), len(set(stages)))

    def test_quick_takes_few_operators_and_trains_nothing_and_other_sets_take_none(self):
        made = commands(run_ablations, "fashion_mnist", quick=True)
        self.assertLess(len(made), 15)
        self.assertTrue(all(words.startswith("asap-compile") for words in made.values()))
        for words in made.values():
            self.assertEqual(words.count("--calibration"), 1)
        self.assertEqual(commands(run_ablations, "agnews"), {})


class Words(unittest.TestCase):
    def slices(self, canonical, random):
        return ablation_words.slice_words(rows("plan_l1", canonical=canonical, random=random))

    def test_canonical_slices_may_be_four_times_fewer_or_not(self):
        random = {1: 0.2, 4: 0.1, 8: 0.06, 16: 0.04}
        self.assertIn("1 for 4, 2 for 8, 4 for 16; at least 4 times fewer.",
                      self.slices({1: 0.09, 2: 0.05, 4: 0.03}, random))
        self.assertIn("but for 16, where that is missed", self.slices({1: 0.09, 2: 0.05, 8: 0.03}, random))
        self.assertIn("no number for 16", self.slices({1: 0.09, 2: 0.05}, random))
        self.assertIn("so that is missed", self.slices({4: 0.09, 8: 0.05, 16: 0.03}, random))
        self.assertIn("No number of canonical slices", self.slices({1: 0.3}, random))

    def test_few_calibration_examples_may_do_or_not(self):
        def text(few):
            return ablation_words.calibration_words(
                {"map": {"64": {"agreement": few}, "1024": {"agreement": dict.fromkeys(SEEDS, 0.99)}}})
        self.assertIn("is within 0.003", text(dict.fromkeys(SEEDS, 0.988)))
        self.assertIn("at most 0.0020", text(dict.fromkeys(SEEDS, 0.988)))
        self.assertIn("within, on average but not for every seed, 0.003", text({"1": 0.989, "2": 0.990, "3": 0.985}))
        self.assertIn("is not within 0.003", text(dict.fromkeys(SEEDS, 0.98)))

    def test_the_best_feature_and_the_largest_step_are_named(self):
        text = ablation_words.feature_words(rows("plan_l1", **{
            "alone": {"pot": 0.04, "lse": 0.08}, "added to those before": {"+ gau": 0.035, "+ lse": 0.01}}))
        self.assertIn("Of single features pot comes nearest", text)
        self.assertIn("the largest step is lse, which takes off 0.02", text)

    def test_best_and_worst_objective_are_named(self):
        text = ablation_words.objective_words(rows("plan_l1", map={"ridge": 0.03, "kl": 0.02, "dual": 0.05}))
        self.assertIn("Objective kl leaves the least plan L1", text)
        self.assertIn("dual the most", text)

    def test_teachers_may_grow_harder_or_easier(self):
        def text(low, high):
            return ablation_words.teacher_words({"map": {
                at: {"plan_l1": dict.fromkeys(SEEDS, value), "accuracy": dict.fromkeys(SEEDS, 0.5 + float(at) / 10)}
                for at, value in (("0.5", low), ("2", high))}}, "ε")
        self.assertIn("plan L1 falls from 0.0500 to 0.0100", text(0.05, 0.01))
        self.assertIn("plan L1 grows from 0.0100 to 0.0500", text(0.01, 0.05))
        self.assertIn("most accurate at ε = 2 (0.7000", text(0.01, 0.05))
        noisy = {"map": {at: {"plan_l1": {"1": 0.1, "2": 0.1}, "accuracy": {"1": 0.6, "2": high}}
                         for at, high in (("1", 0.7), ("2", 0.71))}}
        self.assertIn("changes by less than its deviation over seeds (0.0778)", ablation_words.teacher_words(noisy, "T"))


class Pictures(unittest.TestCase):
    def test_ticks_are_round_and_labels_stand_apart(self):
        for highest, marks, decimals in ((1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0], 1), (0.137, [0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12], 2),
                                         (45, [0, 10, 20, 30, 40], 0)):
            found, places = ticks(highest)
            self.assertEqual(places, decimals)
            for mark, expected in zip(found, marks, strict=True):
                self.assertAlmostEqual(mark, expected)
        self.assertEqual(apart([100, 95, 200]), [110, 95, 200])

    def test_lines_fall_where_values_do_and_have_bands(self):
        picture = ElementTree.fromstring(lines_figure("Slices", "slices L", "plan L1", [
            ("canonical", [1, 2, 4], [[0.09, 0.11], [0.05, 0.05], [0.02, 0.03]]), ("random", [1, 4], [[0.2], [0.1]])]))
        lines = [group.find(SVG + "polyline").get("points").split() for group in picture.iter(SVG + "g")]
        self.assertEqual([len(points) for points in lines], [3, 2])
        (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in lines[0])
        self.assertTrue(y0 < y1 < y2, "smaller values are lower: larger y")
        self.assertAlmostEqual(x1 - x0, x2 - x1, places=0, msg="the axis is logarithmic")
        band = next(picture.iter(SVG + "polygon")).get("points").split()
        self.assertEqual(len(band), 6)
        self.assertLess(float(band[0].split(",")[1]), float(band[5].split(",")[1]))

    def test_marks_lie_at_their_means(self):
        picture = ElementTree.fromstring(marks_figure("Features", "plan L1", [("alone", [("pot", [0.1, 0.3]), ("lse", [0.4])])]))
        places = [float(mark.get("cx")) for mark in picture.iter(SVG + "circle")]
        self.assertLess(places[0], places[1])
        self.assertAlmostEqual((places[0] - 190) / (places[1] - 190), 0.5, places=2)


class Report(unittest.TestCase):
    def test_is_made_from_what_the_stages_left(self):
        with tempfile.TemporaryDirectory() as out:
            for ablation in all_ablations():
                for number, point in enumerate(ablation.points):
                    stage = Path(out, "toy", "seed-1", stage_of(ablation, point))
                    leave(stage / "operator", mean={"plan_l1": 0.1 / (number + 1), "dual_r2": 0.9})
                    leave(stage / "compare", methods=[{"name": "teacher", "accuracy": 0.8, "agreement": 1.0},
                                                      {"name": "compiled", "accuracy": 0.79, "agreement": 0.99}])
            summary = collect(out, ["toy"])
            result = summary["sets"]["toy"]
            self.assertEqual(result["ablations"]["slices"]["canonical"]["1"]["plan_l1"], {"1": 0.1})
            self.assertEqual(len(pictures("toy", result)), len(all_ablations()))
            write_report(out, report_of(summary["sets"]))
            words = json.loads(Path(out, "summary.json").read_text())["words"]["toy"]
            self.assertEqual(set(words["ablations"]), {ablation.name for ablation in all_ablations()})
            page = Path(out, "report.html").read_text(encoding="utf-8")
            for sentence in words["ablations"].values():
                self.assertIn(sentence.partition("'")[0], page)
            ElementTree.parse(Path(out, "toy_ablation_slices.svg"))


if __name__ == "__main__":
    unittest.main()

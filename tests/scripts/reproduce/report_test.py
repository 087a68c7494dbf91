"""The report of scripts/reproduce.sh must say what its numbers say, whoever wins."""

import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce.figures.accuracy import noise_levels_figure
from reproduce.measured.spread import deviation, spread, verdict
from reproduce.report import words
from reproduce.report.numbers_of_runs import EQUAL, collect
from reproduce.report.page import cost_table, html, write_report
from reproduce.studies.kinds import ESPFORMER_SLICES
from reproduce.studies.long_sequences import long_rows
from support import report_of

SVG = "{http://www.w3.org/2000/svg}"
SEEDS = ("1", "2", "3")


def row(accuracy, agreement, milliseconds, **more):
    """A method's numbers for three seeds that differ a little."""
    result = {"accuracy": {seed: accuracy + 0.001 * int(seed) for seed in SEEDS},
              "agreement": {seed: agreement + 0.0001 * int(seed) for seed in SEEDS},
              "attention_milliseconds": dict.fromkeys(SEEDS, milliseconds), "plan_l1": dict.fromkeys(SEEDS, 0.05)}
    return result | {name: dict.fromkeys(SEEDS, value) for name, value in more.items()}


def one_set(compiled, equal, iterations=3, teacher_time=2.0):
    """A set in which compiled and the truncation of equal latency reach these agreements."""
    rows = {"teacher": row(0.9, 1.0, teacher_time), "sinkhorn:2": row(0.85, 0.9, 0.8), "f0": row(0.8, 0.88, 0.5),
            EQUAL: row(0.88, equal, 1.0, iterations=iterations), "compiled": row(0.899, compiled, 1.0)}
    rows |= {"compiled@0": row(0.9, 0.999, 1.5), "compiled@1": row(0.9, 0.97, 1.5)}
    return {"iterations": 10, "examples": 400, "frozen": rows, "replacement": {"sinkhorn": rows}}


def training(sinkhorn, softmax, linear=None):
    result = {"training": {kind: {"accuracy": {seed: value + 0.002 * int(seed) for seed in SEEDS},
                                  "examples_per_second": dict.fromkeys(SEEDS, 100.0)}
                           for kind, value in (("sinkhorn", sinkhorn), ("softmax", softmax))}}
    return result if linear is None else result | {"linear": linear}


def report(**sets):
    return report_of(sets, skipped=[{"what": "imdb", "reason": "not found"}])


class Differences(unittest.TestCase):
    def test_counts_only_beyond_its_deviation(self):
        self.assertEqual(verdict([0.02, 0.03, 0.025]), 1)
        self.assertEqual(verdict([-0.02, -0.03, -0.025]), -1)
        self.assertEqual(verdict([0.02, -0.03, 0.025]), 0)
        self.assertEqual(verdict([0.0002, 0.0002]), 0)
        self.assertEqual(verdict([0.005]), 0, "one seed says little")
        self.assertEqual(verdict([0.05]), 1)
        self.assertEqual(verdict([]), 0)

    def test_is_shown_with_the_deviation_of_a_sample(self):
        self.assertAlmostEqual(deviation([1, 2, 3]), 1)
        self.assertEqual(spread([0.5]), "0.5000")
        self.assertEqual(spread([1, 2, 3], 1), "2.0 ± 1.0")
        self.assertEqual(spread([]), "-")


class LongSequences(unittest.TestCase):
    def rows(self, **truncations):
        speed = {"teacher": 100.0, "teacher_log": 20.0, "softmax": 220.0, "softmax_bf16": 400.0, "compiled": 300.0}
        rows = {name: row(0.9, 0.99 if name == "compiled" else 1.0, 600 / fast,
                          examples_per_second=fast) for name, fast in speed.items()}
        return rows | {name: row(0.9, agreement, 600 / fast, examples_per_second=fast)
                       for name, (agreement, fast) in truncations.items()}

    def cells(self, **truncations):
        return long_rows({"toy": {"long": self.rows(**truncations)}, "other": {}})[0]

    def test_show_ratios_of_throughput_and_of_time(self):
        cells = self.cells()
        self.assertEqual(cells[0], "toy")
        self.assertEqual([cell.split(" ±")[0] for cell in cells[5:9]], ["300", "3.00", "15.0", "3.00"])
        self.assertIn("1.33", cells[9])
        self.assertIn("(softmax_bf16)", cells[9], "the softmax of the operator's precision, not a slower one")
        self.assertEqual(cells[10], "none")

    def test_name_the_best_loop_that_takes_no_longer(self):
        cells = self.cells(**{"sinkhorn:3": (0.7, 310.0), "sinkhorn_bf16:5": (0.95, 305.0), "sinkhorn:5": (0.999, 200.0)})
        self.assertIn("(sinkhorn_bf16:5)", cells[10])
        self.assertTrue(cells[10].startswith("0.95"))


class Words(unittest.TestCase):
    def frozen(self, *arguments, **more):
        return " ".join(words.frozen_words(one_set(*arguments, **more)))

    def test_compiled_wins(self):
        text = self.frozen(0.99, 0.95)
        self.assertIn("At equal time the compiled operator agrees with the teacher more often", text)
        self.assertIn("K = 3 of 10", text)
        self.assertIn("2.00 times as fast", text)
        self.assertIn("with the teacher more often than two iterations", text)

    def test_compiled_loses(self):
        text = self.frozen(0.95, 0.99)
        self.assertIn("At equal time the compiled operator agrees with the teacher less often", text)
        self.assertNotIn("At equal time the compiled operator agrees with the teacher more often", text)
        self.assertIn("with the teacher less often than two iterations", " ".join(words.frozen_words(one_set(0.85, 0.99))))

    def test_the_truncation_is_as_good(self):
        self.assertIn("At equal time the compiled operator agrees with the teacher as often as Sinkhorn",
                      self.frozen(0.97, 0.97))

    def test_the_whole_loop_is_as_fast(self):
        text = self.frozen(0.99, 1.0, iterations=10, teacher_time=0.8)
        self.assertIn("Compiling gains nothing", text)
        self.assertIn("slower than the teacher's whole loop: it takes 1.25 times", text)

    def test_the_hardest_layer_is_named(self):
        text = " ".join(words.sinkhorn_replacement_words(one_set(0.99, 0.95)))
        self.assertIn("Layer 1 is the hardest to replace: agreement falls to 0.97", text)

    def test_softmax_may_be_better_and_so_may_what_needs_no_attention(self):
        self.assertIn("Softmax is better than Sinkhorn attention by 0.0300", " ".join(
            words.training_words(training(0.85, 0.88))))
        self.assertIn("Sinkhorn attention is better than softmax by 0.0300", " ".join(
            words.training_words(training(0.88, 0.85))))
        self.assertIn("Sinkhorn attention is as good as softmax", " ".join(words.training_words(training(0.88, 0.8805))))
        self.assertIn("beats every network here", " ".join(words.training_words(training(0.85, 0.88, 0.9))))
        self.assertIn("The best network (softmax", " ".join(words.training_words(training(0.85, 0.88, 0.8))))

    def test_slack_may_be_better_or_worse_than_softmax_and_sinkhorn(self):
        result = training(0.80, 0.90)
        result["training"]["slack"] = {"accuracy": {seed: 0.86 + 0.002 * int(seed) for seed in SEEDS},
                                       "examples_per_second": dict.fromkeys(SEEDS, 90.0)}
        text = " ".join(words.training_words(result))
        self.assertIn("with slack is worse than softmax after the same training (-0.0400", text)
        self.assertIn("with slack is better than Sinkhorn without slack after the same training (+0.0600", text)
        self.assertNotIn("slack", " ".join(words.training_words(training(0.80, 0.90))))

    def test_the_agreement_of_compiled_slack_is_told(self):
        result = {"replacement": {"slack": {"teacher": row(0.9, 1.0, 1.0), "compiled": row(0.9, 0.98, 1.0)}}}
        text = " ".join(words.slack_replacement_words(result))
        self.assertIn("gives 0.9802", text)
        self.assertIn("Neither plan is doubly stochastic", text)
        self.assertEqual(words.slack_replacement_words({}), [])

    def test_retraining_a_softmax_network_may_help_or_harm(self):
        def text(retrained):
            result = training(0.8, 0.85)
            result["training"]["retrained"] = training(retrained, 0)["training"]["sinkhorn"]
            return " ".join(words.training_words(result))
        self.assertIn("is better than before (+0.0500", text(0.9))
        self.assertIn("is worse than before (-0.0500", text(0.8))
        self.assertIn("is as good as before", text(0.8505))

    def test_replacing_softmax_may_ruin_a_network(self):
        ruined = {"teacher": row(0.9, 1, 1), "sinkhorn:10": row(0.5, 0.5, 2), "compiled": row(0.51, 0.5, 1)}
        ruined["compiled"]["imitated_agreement"] = dict.fromkeys(SEEDS, 0.98)
        text = " ".join(words.softmax_replacement_words({"iterations": 10, "replacement": {"softmax": ruined}}))
        self.assertIn("lowers accuracy by 0.4000 ± 0.0000, more than the acceptable 0.01", text)
        self.assertIn("in 0.9800", text)
        self.assertIn("Without retraining, a softmax network loses more than 0.01", text)
        kept = {"teacher": row(0.9, 1, 1), "sinkhorn:10": row(0.9, 0.99, 2), "compiled": row(0.9, 0.99, 1)}
        text = " ".join(words.softmax_replacement_words({"iterations": 10, "replacement": {"softmax": kept}}))
        self.assertIn("does not change accuracy measurably", text)
        self.assertNotIn("Without retraining", text)

    def test_cost_may_go_either_way(self):
        def text(espformer):
            cost = {kind: {"milliseconds_per_step": [time, time, 50 * time], "peak_bytes": [2**20]}
                    for kind, time in (("softmax", 10.0), ("sinkhorn", 12.0), ("espformer", espformer))}
            return " ".join(words.cost_words({"cost": cost}))
        self.assertIn("Sinkhorn attention takes 1.20 times the time of one with softmax; the whole process", text(24))
        self.assertIn("Sinkhorn attention trains 2.00 times as fast as ESPFormer", text(24))
        self.assertIn("ESPFormer trains 2.00 times as fast as Sinkhorn attention", text(6))

    def test_espformer_with_few_slices_is_named(self):
        cost = {kind: {"milliseconds_per_step": [time], "peak_bytes": [2**20]}
                for kind, time in (("softmax", 10.0), ("espformer", 80.0), ("espformer_few", 25.0))}
        self.assertIn(f"ESPFormer with {ESPFORMER_SLICES} slices takes 2.50 times", " ".join(words.cost_words({"cost": cost})))
        self.assertIn(f"espformer, {ESPFORMER_SLICES} slices", cost_table({"cost": cost}))

    def test_memory_of_a_step_is_told_apart_from_that_of_the_process(self):
        cost = {kind: {"milliseconds_per_step": [10.0], "peak_bytes": [100 * 2**20], "step_peak_bytes": [step * 2**20]}
                for kind, step in (("softmax", 10), ("sinkhorn", 15))}
        self.assertIn("1.00 times the time and 1.50 times the memory of one with softmax; the whole process, data "
                      "included, takes 1.00 times the memory", " ".join(words.cost_words({"cost": cost})))
        table = cost_table({"cost": cost})
        self.assertIn("15.0", table)
        self.assertIn("peak memory of a step", table)

    def test_a_shift_may_break_a_map(self):
        def text(away):
            rows = {"compiled": row(0.9, 0.98, 1), "sinkhorn:2": row(0.9, 0.9, 1)}
            r2 = {"at home": dict.fromkeys(SEEDS, away and 0.95), "shifted": dict.fromkeys(SEEDS, away)}
            shift = {"lengths": {"shifted": rows, "ordinary": rows, "dual_r2": r2, "judged on": "long"}}
            return " ".join(words.shift_words({"shift": shift}))
        self.assertIn("Its dual map keeps its R² (0.950", text(0.94))
        self.assertIn("Its dual map does not keep its R²", text(0.8))
        self.assertIn("as often as with a map fitted on all data", text(0.8))
        without = text(None)  # at home, too: no layer has a map
        self.assertIn("agrees with the teacher", without)
        self.assertNotIn("R²", without)

    def test_the_first_sentences_count_both_sides(self):
        text = " ".join(words.overall_words(report(
            a=one_set(0.99, 0.95) | training(0.8, 0.9), b=one_set(0.95, 0.99) | training(0.9, 0.8),
            c=one_set(0.97, 0.97), d=one_set(0.99, 1.0, iterations=10))))
        self.assertIn("On a, at equal time, the compiled operator agrees with the teacher more often", text)
        self.assertIn("On b, at equal time, the compiled operator agrees with the teacher less often", text)
        self.assertIn("On c, at equal time, the compiled operator agrees with the teacher as often", text)
        self.assertIn("On d, compiling saves no time:", text)
        self.assertIn("On a, softmax trains to a higher accuracy.", text)
        self.assertIn("On b, Sinkhorn trains to a higher accuracy.", text)


class Page(unittest.TestCase):
    def test_holds_tables_pictures_and_what_was_skipped_and_needs_no_other_file(self):
        page = html(report(matching=one_set(0.99, 0.95) | training(0.85, 0.88)), library="")
        for part in ('<h2 id="matching">matching</h2>', "<h2>Overview</h2>", "equal time (K = 3)", "0.9902 ± 0.0001", "<svg", "layer 1", "imdb: not found",
                     "a &lt; b", "3 seeds, mean ± standard deviation"):
            self.assertIn(part, page)
        for outside in ("http://", "https://", "src=", "<link"):
            self.assertNotIn(outside, page)

    def test_gives_its_charts_to_the_library_and_lets_no_text_end_a_script(self):
        hostile = report(**{"</script><b>": one_set(0.99, 0.95)})
        page = html(hostile, library="/* d3 */ '</SCRIPT>'")
        self.assertIn("<script>/* d3 */ '<\\/SCRIPT>'</script>", page)
        data = page.partition('id="report-data">')[2].partition("</script>")[0]
        charts = json.loads(data)["charts"]
        self.assertEqual([chart["kind"] for chart in charts.values()], ["choice", "choice", "bars"])
        self.assertEqual(page.count('data-chart="chart-'), 3)
        self.assertEqual(len(charts["chart-0"]["options"][0]["chart"]["points"]), 7)
        self.assertNotIn("<b>", page.partition("<main>")[2].partition("</main>")[0])

    def test_is_made_from_what_the_stages_left(self):
        with tempfile.TemporaryDirectory() as out:
            for seed, agreement in (("1", 0.97), ("2", 0.99)):
                methods = [{"name": "teacher", "accuracy": 0.9, "agreement": 1.0, "attention_milliseconds": 2.0},
                           {"name": "sinkhorn:3", "accuracy": 0.9, "agreement": 0.9, "attention_milliseconds": 1.0,
                            "equal_latency": True},
                           {"name": "compiled", "accuracy": 0.9, "agreement": agreement, "attention_milliseconds": 1.0}]
                folder = Path(out, "toy", f"seed-{seed}", "layer-compare")
                folder.mkdir(parents=True)
                folder.joinpath("summary.json").write_text(json.dumps({"methods": methods, "examples": 7}))
                cost = Path(out, "toy", f"seed-{seed}", "cost", "softmax-1")
                cost.mkdir(parents=True)
                cost.joinpath("summary.json").write_text(json.dumps(
                    {"train": {"seconds": 0.5, "steps": 10}, "memory": {"peak_bytes": 1024}}))
            summary = collect(out, ["toy", "not there"])
            self.assertEqual(list(summary["sets"]), ["toy"])
            frozen = summary["sets"]["toy"]["frozen"]
            self.assertEqual(frozen["compiled"]["agreement"], {"1": 0.97, "2": 0.99})
            self.assertEqual(frozen[EQUAL]["iterations"], {"1": 3, "2": 3})
            self.assertEqual(frozen["sinkhorn:3"]["agreement"], {"1": 0.9, "2": 0.9})
            self.assertEqual(summary["sets"]["toy"]["cost"]["softmax"]["milliseconds_per_step"], [50.0])
            write_report(out, report() | summary)
            written = json.loads(Path(out, "summary.json").read_text())
            self.assertIn("frozen", written["words"]["toy"])
            self.assertIn("0.9800 ± 0.0141", Path(out, "report.html").read_text(encoding="utf-8"))

    def test_shows_accuracy_over_noise(self):
        with tempfile.TemporaryDirectory() as out:
            for seed, shift in (("1", 0.0), ("2", 0.02)):
                for name, stage, noise, accuracy in (
                        ("matching", "sinkhorn", 0.4, 0.99), ("matching", "softmax", 0.4, 0.97),
                        ("matching", "noise-0.6/sinkhorn", 0.6, 0.9), ("matching_hard", "softmax", 0.6, 0.8)):
                    folder = Path(out, name, f"seed-{seed}", stage)
                    folder.mkdir(parents=True)
                    folder.joinpath("summary.json").write_text(json.dumps(
                        {"config": {"data": {"kind": "matching", "matching": {"noise": noise}}}, "test": {"accuracy": accuracy - shift},
                         "train": {"examples_per_second": 1.0}, "model": {"parameters": 1, "attention": {"iterations": 3}}}))
            levels = collect(out, ["matching", "matching_hard"])["sets"]["matching"]["noise_levels"]
        self.assertEqual(levels["sinkhorn"], {"0.4": {"1": 0.99, "2": 0.97}, "0.6": {"1": 0.9, "2": 0.88}})
        picture = ElementTree.fromstring(noise_levels_figure(levels))
        lines = {group.get("class"): group.find(SVG + "polyline").get("points").split() for group in picture.iter(SVG + "g")}
        self.assertEqual({kind: len(points) for kind, points in lines.items()}, {"sinkhorn": 2, "softmax": 2})
        heights = {kind: [float(point.partition(",")[2]) for point in points] for kind, points in lines.items()}
        self.assertLess(heights["sinkhorn"][0], heights["sinkhorn"][1], "less accurate is lower: larger y")
        self.assertLess(heights["sinkhorn"][1], heights["softmax"][1])


if __name__ == "__main__":
    unittest.main()

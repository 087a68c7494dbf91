"""The table "paper claim, our number, command" must say what the numbers say, and mark what misses its claim."""

import contextlib
import io
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce import main
from reproduce.claims import claims
from reproduce.claims.claims_table import BEGIN, END, README, claims_markdown, with_claims, write_claims
from reproduce.claims.pages import full_runs, heads as heads_of_page, pages
from reproduce.report.numbers_of_runs import collect
from reproduce.report.page import html
from reproduce.stages.sources import SOURCES, base_set, how_to_get
from reproduce.studies.kinds import kinds_rows, kinds_words, temperature_rows
from support import report_of

SEEDS = ("1", "2", "3")


def seeds(value, step=0.0005):
    return {seed: value + step * (int(seed) - 2) for seed in SEEDS}


def method(accuracy, milliseconds):
    return {"accuracy": seeds(accuracy), "attention_milliseconds": dict.fromkeys(SEEDS, milliseconds)}


def compared(compiled, published=6.0):
    return {"teacher": method(0.9, 1.5), "teacher_log": method(0.9, published), "compiled": method(compiled, 1.0),
            "espformer": method(0.85, 3.0)}


def trained(**accuracies):
    return {kind: {"accuracy": seeds(accuracy)} for kind, accuracy in accuracies.items()}


def cost(espformer, few, memory=2.0):
    times = {"sinkhorn": 10.0, "espformer": espformer, "espformer_few": few}
    return {"cost": {kind: {"milliseconds_per_step": [time, time, 9 * time], "peak_bytes": [2**20],
                            "step_peak_bytes": [1000 * (memory if kind != "sinkhorn" else 1)]}
                     for kind, time in times.items()}}


def heads(**epochs):
    return {"heads": {kind: {"parameters": 100500 if kind == "region" else 100000,
                             "epochs": {seed: [value + 0.0001 * int(seed) for value in values] for seed in SEEDS}}
                      for kind, values in epochs.items()}}


def summary(**sets):
    return report_of(sets, absent=["cifar100", "matching"], unmeasured=["imdb", "listops"])


class Items(unittest.TestCase):
    def one(self, items, result, name="agnews"):
        found = items({name: result, "nothing": {}})
        self.assertEqual(len(found), 1)
        return found[0]

    def test_speed_of_a_frozen_layer_is_that_of_the_published_loop(self):
        self.assertEqual(self.one(claims.frozen_speed, {"frozen": compared(0.9)}), "agnews 6.0 (our loop 1.50)")
        self.assertEqual(self.one(claims.frozen_speed, {"frozen": compared(0.9, published=5.2)}),
                         "**agnews 5.2 (our loop 1.50)**")

    def test_replaced_networks_keep_most_of_the_accuracy_or_miss(self):
        items = claims.kept(claims.frozen_rows)
        self.assertEqual(self.one(items, {"frozen": compared(0.895)}), "agnews 0.8950 ± 0.0005 of 0.9000")
        self.assertEqual(self.one(items, {"frozen": compared(0.88)}), "**agnews 0.8800 ± 0.0005 of 0.9000**")

    def test_training_may_be_better_worse_or_alike(self):
        for sinkhorn, expected in ((0.92, "agnews +0.0200 ± 0.0000"), (0.88, "**agnews -0.0200 ± 0.0000**"),
                                   (0.8995, "agnews -0.0005 ± 0.0000")):
            rows = trained(sinkhorn=sinkhorn, softmax=0.9)
            self.assertEqual(self.one(claims.trained, {"training": rows}), expected)
            self.assertEqual(self.one(claims.equal_budget, {"kinds": {"40": trained(sinkhorn=0.1, softmax=0.9),
                                                                      "300": rows}}), expected)

    def test_baselines_are_told_by_the_best_of_them(self):
        rows = trained(sinkhorn=0.9, softmax=0.99, slack=0.99, sinkformer=0.8, lotformer=0.85)
        self.assertEqual(self.one(claims.baselines, {"kinds": {"300": rows}}), "agnews +0.0500 ± 0.0000 (lotformer)")
        rows |= trained(espformer=0.95)
        self.assertEqual(self.one(claims.baselines, {"kinds": {"300": rows}}), "**agnews -0.0500 ± 0.0000 (espformer)**")

    def test_espformer_at_its_best_temperature_may_win(self):
        for espformer, expected in ((0.85, "agnews +0.0500 ± 0.0000"), (0.95, "**agnews -0.0500 ± 0.0000**")):
            result = {"kinds": {"300": trained(sinkhorn=0.9)}, "temperature": {"300": {"accuracy": seeds(espformer)}}}
            self.assertEqual(self.one(claims.tuned_espformer, result), expected)
        self.assertEqual(self.one(claims.frozen_espformer, {"frozen": compared(0.9)}), "agnews +0.0500 ± 0.0000")
        self.assertEqual(self.one(claims.frozen_espformer, {"frozen": compared(0.8)}), "**agnews -0.0500 ± 0.0000**")

    def test_either_may_train_cheaper(self):
        time, memory = (claims.training_cost(measure) for measure in ("milliseconds_per_step", "step_peak_bytes"))
        self.assertEqual(self.one(time, cost(espformer=80.0, few=25.0)), "agnews 8.00 (2.50)")
        self.assertEqual(self.one(time, cost(espformer=80.0, few=8.0)), "**agnews 8.00 (0.80)**")
        self.assertEqual(self.one(memory, cost(80.0, 25.0, memory=0.9)), "**agnews 0.90 (0.90)**")

    def test_regions_are_exact_or_missed(self):
        items = claims.regions("trained")
        self.assertEqual(self.one(items, {"regions": {"trained": {"1": [16, 16], "2": [16, 16]}}}), "agnews 16 to 16 of 16")
        self.assertEqual(self.one(items, {"regions": {"trained": {"1": [16, 16], "2": [15, 27]}}}),
                         "**agnews 15 to 27 of 16**")

    def test_convex_functions_are_orders_of_magnitude_better_or_not(self):
        for smooth, expected in ((1e-6, "x3 1.0e-06 instead of 2.0e-03, 2,000 times less"),
                                 (1e-3, "**x3 1.0e-03 instead of 2.0e-03, 2 times less**")):
            self.assertEqual(self.one(claims.convex, {"functions": {"mse": {"x3": {"kaiming": 2e-3, "smooth": smooth}}}}),
                             expected)

    def test_heads_may_be_ahead_or_behind_early_and_late(self):
        early, late = claims.head_items(early=True), claims.head_items(early=False)
        ahead = heads(relu=[0.5, 0.6, 0.7], gelu=[0.4, 0.5, 0.72], region=[0.55, 0.65, 0.716])
        self.assertEqual(self.one(claims.overhead, ahead), "agnews +0.50 %")
        self.assertEqual(self.one(early, ahead), "agnews +0.0500 ± 0.0000, +0.0500 ± 0.0000")
        self.assertEqual(self.one(late, ahead), "agnews -0.0040 ± 0.0000", "within half a point of the best, GELU")
        behind = heads(relu=[0.5, 0.6, 0.7], gelu=[0.4, 0.5, 0.72], region=[0.55, 0.55, 0.71])
        self.assertEqual(self.one(early, behind), "**agnews +0.0500 ± 0.0000, -0.0500 ± 0.0000**")
        self.assertEqual(self.one(late, behind), "**agnews -0.0100 ± 0.0000**")
        self.assertEqual(late({"agnews": heads(region=[0.5])}), [])


FULL_RUNS = """# title

## Networks with compiled attention

| data | softmax | Sinkhorn | compiled | agreement |
|---|---|---|---|---|
| agnews | .8904 ± .0036 | .8851 ± .0011 | .8860 ± .0020 | .9963 ± .0019 |
| mnist | .9781 ± .0022 | .9723 ± .0034 | .9579 ± .0035 | .9874 ± .0032 |

## After
"""
HEADS = """## Results

### Behind convolutions

| CIFAR-10, five seeds | epoch 1 | 2 | 3 | ms per step |
|---|---|---|---|---|
| ReLU | .60 ± .01 | .70 ± .005 | .79 ± .001 | 52 |
| GELU | .59 ± .01 | .69 ± .005 | .80 ± .001 | 54 |
| region, depth 4, peaks only | .59 ± .02 | .71 ± .005 | .79 ± .001 | 54 |

| Fashion-MNIST, one seed | epoch 1 | 2 | 3 | ms per step |
|---|---|---|---|---|
| ReLU | .88 | .90 | .91 | 10.0 |

### After

| CIFAR-10, two seeds | epoch 1 | 2 |
|---|---|---|
| ReLU | .1 | .2 |
"""
OLD_README = f"""# title

## Claims

{BEGIN}
old
{END}

## After
"""


class Table(unittest.TestCase):
    def test_takes_what_the_run_lacks_or_has_fewer_seeds_of_from_pages(self):
        page = full_runs(FULL_RUNS)
        self.assertEqual(list(page.sets), ["agnews", "mnist"])
        self.assertAlmostEqual(page.sets["agnews"]["training"]["sinkhorn"]["accuracy"]["3"], 0.8862)
        link = "[three seeds](stages/attention_results.md#networks-with-compiled-attention): "
        text = claims_markdown(summary(), [page])
        self.assertIn(f"{link}**agnews -.0053 ± .0047**", text)
        self.assertIn("**mnist .9579 ± .0035 of .9723**", text)
        better = {"training": trained(sinkhorn=0.9, softmax=0.8)}
        own = claims_markdown(summary(mnist=better), [page])
        self.assertIn(f"Sinkhorn − softmax: mnist +.1000 ± .0000; {link}**agnews -.0053 ± .0047** |", own)
        one_seed = claims_markdown(summary(mnist=better, imdb=better) | {"seeds": 1}, [page])
        self.assertRegex(one_seed, r"\*\*mnist -.0058 ± .0056\*\*; this run: imdb \+.1000 ± .0000 \|")

    def test_reads_heads_behind_convolutions(self):
        page = heads_of_page(HEADS)
        self.assertEqual((page.seeds, list(page.sets)), ("five", ["cifar10"]))
        rows = page.sets["cifar10"]["heads"]
        self.assertEqual(list(rows), ["relu", "gelu", "region"])
        self.assertEqual(claims.head_items(early=True)(page.sets), ["cifar10 -0.0100 ± 0.0300, +0.0100 ± 0.0100"])
        self.assertEqual(claims.head_items(early=False)(page.sets), ["**cifar10 -0.0100 ± 0.0020**"])
        self.assertEqual(heads_of_page("# other\n").sets, {})

    def test_names_the_command_of_every_row_and_of_absent_sets(self):
        kinds = {"kinds": {"300": trained(sinkhorn=0.9, softmax=0.8)}}
        text = claims_markdown(summary(agnews=kinds))
        self.assertIn("Sinkhorn − softmax: agnews +.1000 ± .0000 | `--experiments kinds` |", text)
        cut = claims_markdown(summary(agnews=kinds | {"cut_to": ["300"]}, imdb=kinds | {"cut_to": ["100"]},
                                      mnist=kinds | {"cut_to": ["40", "300"]}, yelp5={"cut_to": ["9"]}))
        self.assertIn("| `--experiments kinds --steps 300`; imdb: `--steps 100` |", cut)
        self.assertIn("not measured | `--experiments cost` |", text)
        self.assertIn("- `cifar100` is absent. Fetch https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz (MD5 ", text)
        self.assertIn("then run `scripts/reproduce.sh --data cifar100`", text)
        self.assertIn("- The run behind this table has no results of imdb, listops: `scripts/reproduce.sh --data imdb,listops`.", text)
        self.assertNotIn("`matching` is absent", text, "it is drawn, so nothing is to be fetched")
        for row in (line for line in text.splitlines() if line.startswith("|")):
            self.assertEqual(row.count("|"), 4, row)
            self.assertTrue(all(cell.strip() for cell in row.strip("|").split("|")), row)

    def test_replaces_what_is_between_the_markers_alone(self):
        text = with_claims(OLD_README, "new\n")
        self.assertEqual(text.partition(BEGIN)[0], OLD_README.partition(BEGIN)[0])
        self.assertEqual(text.partition(END)[2], OLD_README.partition(END)[2])
        self.assertIn("new", text)
        self.assertNotIn("old", text)
        self.assertEqual(with_claims(text, "new\n"), text)
        with self.assertRaisesRegex(ValueError, "lacks the lines"):
            with_claims("# title\n", "new\n")

    def test_is_written_beside_the_report_and_fits_the_project_s_own_pages(self):
        attention, convolutions = pages()
        self.assertLessEqual({"agnews", "fashion_mnist", "modelnet10", "matching_hard"}, set(attention.sets))
        self.assertIn("cifar10", convolutions.sets)
        for page in (attention, convolutions):
            self.assertGreaterEqual(page.count(), 2, page)
        self.assertIn("new", with_claims(README.read_text(encoding="utf-8"), "new\n"))
        with tempfile.TemporaryDirectory() as out:
            write_claims(out, summary())
            text = Path(out, "claims.md").read_text(encoding="utf-8")
        self.assertIn("ASAP: claim | our number | command", text)
        links = {link.partition("#")[0] for link in re.findall(r"\]\(([^):]+)\)", text)}
        self.assertGreater(len(links), 2)
        for link in links:
            self.assertTrue((README.parent / link).is_file(), f"{link} leads nowhere from the README")

    def test_is_not_replaced_by_a_part_of_the_results(self):
        for words in (["--quick"], ["--share", "1/2"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as message:
                main.parse_options(["--update-readme", *words])
            self.assertIn("whole run", message.getvalue())
        self.assertEqual(main.command_line(["--caller", "/x", "--data", "a", "--out", "/y", "--update-readme", "--threads", "1"]),
                         "scripts/reproduce.sh --data a --threads 1")


class EqualBudgets(unittest.TestCase):
    def result(self):
        return {"kinds": {"300": trained(softmax=0.9, sinkhorn=0.85, espformer=0.7, slack=0.9004)},
                "temperature": {"300": {"chosen": "30", "held_out": {"3": 0.6, "30": 0.8}, "accuracy": seeds(0.75)}},
                **cost(80.0, 25.0)}

    def test_have_a_row_per_set_and_number_of_steps(self):
        rows = kinds_rows({"agnews": self.result(), "other": {}})
        self.assertEqual(rows[0][:4], ["agnews", "300", "0.9000 ± 0.0005", "0.8500 ± 0.0005"])
        self.assertEqual(rows[0][-1], "-", "differential attention was not trained")
        self.assertEqual(len(rows), 1)

    def test_leaders_are_all_kinds_that_none_beats(self):
        text = " ".join(kinds_words({"agnews": self.result()}))
        self.assertIn("no kind is better than softmax by a difference that counts on agnews", text)
        self.assertIn("better than slack", text)
        self.assertNotIn("better than sinkhorn", text)

    def test_show_the_temperature_and_its_cost(self):
        self.assertEqual(temperature_rows({"agnews": self.result()})[0],
                         ["agnews", "300", "30", "0.8000", "0.7500 ± 0.0005", "0.7000 ± 0.0005", "0.8500 ± 0.0005", "2.50",
                          "2.00"])
        page = html(summary(agnews=self.result()), library="")
        for part in ("Every attention kind with an equal budget", "ESPFormer at its best temperature", "0.7500 ± 0.0005"):
            self.assertIn(part, page)

    def test_are_collected_from_what_the_stages_left(self):
        with tempfile.TemporaryDirectory() as out:
            def leave(stage, content, name="summary.json"):
                path = Path(out, "toy", "seed-1", stage, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content if isinstance(content, str) else json.dumps(content))

            def network(accuracy, inverse_temperature=10.0):
                return {"train": {"total_steps": 40}, "test": {"accuracy": accuracy}, "model": {
                    "parameters": 7, "attention": {"sort_inverse_temperature": inverse_temperature}}}
            leave("kinds/all-steps/softmax", network(0.9))
            leave("kinds/9-steps/softmax", network(0.2) | {"train": {"total_steps": 9}})
            leave("temperature/all-steps/held-out-3", network(0.5) | {"train": {"total_steps": 30}})
            leave("temperature/all-steps/held-out-30", network(0.6) | {"train": {"total_steps": 30}})
            leave("temperature/all-steps/espformer", network(0.7, 30.0))
            leave("regions/trained-count", {"channel_regions": {"min": 16, "max": 17, "mean": 16.1}})
            leave("functions", {"seeds": 3, "rows": [{"target": target, "method": method, "mean": 0.1}
                                                     for target in ("x3", "x11") for method in ("kaiming", "smooth")]})
            leave("heads/relu", network(0.9))
            leave("heads/relu", '{"step":1,"loss":2}\n{"step":2,"test_accuracy":0.4}\n{"step":4,"test_accuracy":0.5}\n',
                  "metrics.jsonl")
            result = collect(out, ["toy"])["sets"]["toy"]
        self.assertEqual(result["kinds"], {steps: {"softmax": {"accuracy": {"1": value}}}
                                           for steps, value in (("40", 0.9), ("9", 0.2))})
        self.assertEqual(result["cut_to"], ["9"])
        self.assertEqual(result["temperature"], {"40": {"accuracy": {"1": 0.7}, "chosen": "30",
                                                        "held_out": {"3": 0.5, "30": 0.6}}})
        self.assertEqual(result["regions"], {"trained": {"1": [16, 17]}})
        self.assertEqual(result["functions"]["mse"]["x11"], {"kaiming": 0.1, "smooth": 0.1})
        self.assertEqual(result["heads"], {"relu": {"parameters": 7, "epochs": {"1": [0.4, 0.5]}}})


class Sources(unittest.TestCase):
    def test_tell_where_every_set_from_files_comes_from(self):
        page = (ROOT / "data/README.md").read_text(encoding="utf-8")
        for name in main.ALL_SETS:
            config = json.loads((ROOT / f"configs/train/{name}_sinkhorn.json").read_text())["data"]
            drawn = config["kind"] in ("matching", "listops", "shapes", "solids", "majority")
            packaged = config["name"] == "fashion-mnist" if "name" in config else False
            self.assertEqual(how_to_get(name) == "", drawn or packaged, name)
        for name, (fetch, _, place) in SOURCES.items():
            self.assertIn(f"| {name} |", page)
            self.assertIn(f"`{place}`", page)
            for word in fetch.split():
                if len(word.strip("();,")) == 32:
                    self.assertIn(word.strip("();,"), page, f"the checksum of {name}")
        self.assertEqual(base_set("modelnet10_points512"), "modelnet10")
        self.assertEqual(base_set("cifar100"), "cifar100")


if __name__ == "__main__":
    unittest.main()

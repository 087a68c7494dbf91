"""The stages of scripts/reproduce.sh, run with stand-in commands that only write a summary."""

import contextlib
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from reproduce import main as main_module
from reproduce.stages import runner as runner_module
from reproduce.stages.experiments import Experiments, Settings
from reproduce.stages.runner import Failed, Runner, Unavailable
from reproduce.studies.relu_networks import run_functions, run_heads, run_regions

# Stands in for every command of the toolkit: writes its arguments and the parts of a summary that the stages read.
STAND_IN = """#!{python}
import json, os, sys
words = sys.argv[1:]
if any(os.environ.get("REFUSE", "nothing") in word for word in words):
    print("asap: error: no such data", file=sys.stderr)
    sys.exit(int(os.environ["REFUSE_WITH"]))
out = words[words.index("--out") + 1]
os.makedirs(out)
model = {{"kind": "text", "classes": 4, "pooling": "mean", "max_tokens": 64, "attention": {{"iterations": 3}}}}
accuracy = 0.9 if "model.attention.sort_inverse_temperature=30" in words else 0.8
with open(os.path.join(out, "summary.json"), "w") as file:
    json.dump({{"words": words, "config": {{"model": model, "data": {{"kind": "text"}}}}, "train": {{"total_steps": 50}},
               "test": {{"accuracy": accuracy}}}}, file)
with open(os.path.join(out, "config.json"), "w") as file:
    json.dump({{"data": {{"kind": os.environ.get("DATA_KIND", "matching"), "matching": {{"seed": 1}}}}}}, file)
with open(os.path.join(out, "data.json"), "w") as file:
    json.dump({{"train": {{"folder": "/nowhere"}}}}, file)
"""


class Stages(unittest.TestCase):
    def setUp(self):
        runner_module.say = main_module.say = lambda text: None
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("asap-train", "asap-compile", "asap-eval", "relu-fit"):
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(STAND_IN.format(python=sys.executable))
            path.chmod(0o755)
        for kind in ("sinkhorn", "softmax"):
            path = self.folder / "configs" / f"toy_{kind}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text("{}")
        self.runner = Runner(self.folder / "out", self.folder / "bin")
        self.stages = Experiments(self.runner, Settings(quick=True), self.folder / "configs", "toy", 2)

    def refuse(self, word, code):
        os.environ |= {"REFUSE": word, "REFUSE_WITH": str(code)}
        self.addCleanup(lambda: os.environ.pop("REFUSE", None))

    def words(self, stage):
        return " ".join(self.runner.summary(self.stages.folder(stage))["words"])

    def test_leave_networks_operators_and_comparisons(self):
        for stage in (self.stages.training, self.stages.retraining, self.stages.frozen_layer, self.stages.replacement,
                      self.stages.imitation, self.stages.cost, self.stages.slack):
            stage()
        self.assertIn("toy_softmax.json --seed 2", self.words("softmax"))
        self.assertIn(f"train.init_from={self.stages.folder('softmax')} --set train.max_steps=10", self.words("retrained"))
        self.assertIn("model.layers=1", self.words("layer"))
        self.assertIn("teacher,softmax,sinkhorn:1,sinkhorn:2,sinkhorn:equal,espformer,f0,compiled,compiled+1,teacher_log", self.words("layer-compare"))
        self.assertIn("--teacher sinkhorn:3", self.words("softmax-operator"))
        self.assertIn("sinkhorn:3@each", self.words("softmax-compare"))
        self.assertIn("model.attention.kind=espformer", self.words("cost/espformer-1"))
        self.assertIn("toy_sinkhorn.json --seed 2", self.words("slack"))
        self.assertIn("model.attention.slack=learned", self.words("slack"))
        self.assertIn("model.attention.slack=learned", self.words("cost/slack-1"))
        self.assertIn(f"--run {self.stages.folder('slack')}", self.words("slack-operator"))
        self.assertIn("teacher,softmax,sinkhorn:1,sinkhorn:2,f0,compiled,compiled+1", self.words("slack-compare"))

    def equal_budgets(self, seed=1):
        return Experiments(self.runner, Settings(quick=False, steps=40), self.folder / "configs", "toy", seed)

    def test_give_every_attention_kind_the_same_budget(self):
        self.stages = self.equal_budgets()
        self.stages.kinds()
        kinds = sorted(path.parent.name for path in self.runner.out.rglob("summary.json"))
        self.assertEqual(kinds, sorted(["softmax", "sinkhorn", "slack", "sinkformer", "espformer", "lotformer",
                                        "differential"]))
        for kind in kinds:
            words = self.words(f"kinds/40-steps/{kind}")
            self.assertIn("toy_sinkhorn.json --seed 1", words)
            self.assertIn("--set train.max_steps=40", words)
        self.assertIn("kind=lotformer", self.words("kinds/40-steps/lotformer"))
        self.assertIn("kind=sinkhorn --set model.attention.slack=learned", self.words("kinds/40-steps/slack"))
        self.assertIn("model.attention.slices=", self.words("kinds/40-steps/espformer"))

    def test_choose_a_temperature_on_held_out_data_and_use_it_with_every_seed(self):
        self.stages = self.equal_budgets(seed=2)
        with self.assertRaisesRegex(Unavailable, "seed 1 has not chosen"):
            self.stages.temperature()
        for seed in (1, 2):
            self.stages = self.equal_budgets(seed)
            self.stages.temperature()
            words = self.words("temperature/40-steps/espformer")
            self.assertIn("sort_inverse_temperature=30", words)
            self.assertNotIn("data.matching.seed", words, "the chosen network is tested on the test set")
        tried = [path.parent for path in self.runner.out.rglob("held-out-*/summary.json")]
        self.assertGreaterEqual(len(tried), 3)
        for folder in tried:
            self.assertIn("data.matching.seed=1001", " ".join(self.runner.summary(folder)["words"]))

    def test_choose_no_temperature_where_no_data_can_be_held_out(self):
        os.environ["DATA_KIND"] = "points"
        self.addCleanup(lambda: os.environ.pop("DATA_KIND"))
        with self.assertRaisesRegex(Unavailable, "'points' can be held out"):
            self.equal_budgets().temperature()

    def test_count_regions_fit_functions_and_train_heads(self):
        for stage in (run_functions, run_regions, run_heads):
            stage(self.stages)
        self.assertFalse((self.stages.folder("functions")).exists(), "functions have seeds of their own: only with seed 1")
        run_functions(self.equal_budgets())
        self.assertIn("--methods kaiming,smooth", " ".join(
            self.runner.summary(self.equal_budgets().folder("functions"))["words"]))
        self.assertIn("train.learning_rate=1e-30 --set train.max_steps=1", self.words("regions/initial"))
        self.assertIn(f"--run {self.stages.folder('regions/trained')}", self.words("regions/trained-count"))
        self.assertIn("feed_forward.activation=gelu", self.words("heads/gelu"))
        self.assertIn("toy_convolutional.json", self.words("heads/region"))

    def test_leave_the_slow_experiments_out_of_quick_runs(self):
        quick, full = (main_module.parse_options(words).experiments for words in (["--quick"], []))
        self.assertEqual([name for name in full if name not in quick], ["kinds", "temperature", "heads", "rank"])
        self.assertEqual(main_module.parse_options(["--quick", "--experiments", "kinds"]).experiments, ["kinds"])

    def test_train_only_what_was_chosen(self):
        options = main_module.parse_options(["--data", "matching", "--seeds", "1", "--experiments", "kinds", "--steps", "9"])
        main_module.run_set(options, self.runner, main_module.Log(), "matching")
        stages = {path.parent.relative_to(self.runner.out / "matching" / "seed-1").parts[0]
                  for path in self.runner.out.rglob("summary.json")}
        self.assertEqual(stages, {"kinds"})

    def test_tell_absent_sets_from_stages_that_cannot_run(self):
        log = main_module.Log()
        for name, message in (("toy, seed 1: shift", "too few sequences"), ("imdb, seed 1: kinds", "'imdb' was not found"),
                              ("imdb, seed 1: cost", "'imdb' was not found")):
            def stage(message=message):
                raise Unavailable(message)
            self.assertFalse(log.attempt(name, stage))
        self.assertEqual(log.absent, ["imdb"])
        self.assertEqual(len(log.skipped), 3)

    def test_say_where_missing_data_come_from(self):
        reason = main_module.reason_of("cifar100, seed 1: attention kinds", "the data set 'cifar100' was not found")
        self.assertIn("was not found. Fetch https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz (MD5 03b5", reason)
        self.assertIn("into ASAP_DATA_DIR/cifar100/", reason)
        self.assertEqual(main_module.reason_of("matching", "too few"), "too few")

    def test_run_once(self):
        self.stages.training()
        self.refuse("--out", 70)
        self.stages.training()
        with self.assertRaisesRegex(Failed, "frozen|layer"):
            self.stages.frozen_layer()

    def test_tell_missing_data_from_other_errors(self):
        self.refuse("--out", 3)
        with self.assertRaisesRegex(Unavailable, "no such data"):
            self.stages.training()

    def test_fit_on_texts_cut_to_a_quarter_of_what_there_is_enough_of(self):
        self.stages.training()
        self.stages.replacement()
        self.refuse("data.text.max_tokens=1", 3)  # 16 and 10 tokens, but not 8
        self.stages.shift_lengths()
        self.assertIn("data.text.max_tokens=8", self.words("shift-lengths-operator"))
        self.assertIn("data.shift.min_tokens=32", self.words("shift-lengths-compare"))
        self.assertIn("sinkhorn-operator", self.words("shift-lengths-ordinary"))

    def test_split_the_classes_in_halves(self):
        self.stages.training()
        self.stages.shift_classes()
        self.assertIn("data.shift.classes=[0,1]", self.words("shift-classes-operator"))
        self.assertIn("data.shift.classes=[2,3]", self.words("shift-classes-compare"))

    def test_run_those_that_were_chosen_and_costly_ones_for_one_seed(self):
        words = ["--data", "matching", "--seeds", "2", "--quick", "--experiments", "replacement,cost"]
        options = main_module.parse_options(words)
        main_module.run_set(options, self.runner, main_module.Log(), "matching")
        stages = {path.parent.relative_to(self.runner.out / "matching").as_posix()
                  for path in self.runner.out.rglob("summary.json")}
        self.assertLessEqual({"seed-1/sinkhorn", "seed-2/sinkhorn-compare", "seed-1/cost/softmax-1"}, stages)
        self.assertFalse(stages & {"seed-1/retrained", "seed-1/layer", "seed-1/softmax-operator", "seed-2/cost/softmax-1"})

    def test_shares_run_every_set_and_seed_once_and_leave_the_report_to_a_last_command(self):
        words = ["--data", "matching,toy,imdb_bytes", "--seeds", "2", "--quick"]
        dealt = []
        for share in ("1/4", "2/4", "3/4", "4/4"):
            options = main_module.parse_options([*words, "--share", share])
            dealt.append([(name, seed) for name in options.data for seed in main_module.seeds_of_share(options, name)])
        self.assertEqual(dealt[0], [("matching", 1), ("toy", 2)])
        self.assertEqual([len(one) for one in dealt], [2, 2, 1, 1])
        self.assertEqual(len({pair for one in dealt for pair in one}), 6)
        for words in (["--share", "0/4"], ["--share", "5/4"], ["--share", "half"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as message:
                main_module.parse_options(words)
            self.assertIn("is not a share such as 2/6", message.getvalue())

    def test_long_sequences_take_no_other_experiment(self):
        options = main_module.parse_options(["--data", "imdb_bytes", "--quick"])
        main_module.run_set(options, self.runner, main_module.Log(), "imdb_bytes")
        stages = {path.parent.relative_to(self.runner.out / "imdb_bytes" / "seed-1").as_posix()
                  for path in self.runner.out.rglob("summary.json")}
        self.assertEqual(stages, {"sinkhorn", "sinkhorn-operator", "long-compare"})

    def test_refuse_an_experiment_there_is_not(self):
        with self.assertRaises(SystemExit) as refused, contextlib.redirect_stderr(io.StringIO()) as message:
            main_module.parse_options(["--experiments", "frozen,thawed"])
        self.assertEqual(refused.exception.code, 2)
        self.assertIn("there is no 'thawed'", message.getvalue())


if __name__ == "__main__":
    unittest.main()

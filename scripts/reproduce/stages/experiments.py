"""The stages of each experiment on one data set and seed."""

import os
import shutil
import sys
from pathlib import Path

from reproduce.stages.held_out import held_out_settings
from reproduce.stages.runner import Unavailable
from reproduce.studies.kinds import KINDS, TEMPERATURE, TEMPERATURES, settings_of
from reproduce.studies.long_sequences import EXAMPLES, METHODS

# What the cost of a training step is measured for: every kind, ESPFormer with all slices and with few.
COSTS = {**{kind: settings_of(kind) for kind in KINDS}, "espformer": ["model.attention.kind=espformer"],
         "espformer_few": settings_of("espformer")}
TRUNCATIONS = (1, 2, 3, 5)
DEBIAN_PYTHON = "/usr/bin/python3"  # the interpreter that python3-sklearn installs for
NOISE_LEVELS = {"matching": (0.3, 0.5, 0.7)}  # in addition to those of the configurations
RETRAINING_SHARE = 5  # retraining with Sinkhorn attention takes a fifth of the softmax network's steps


class Settings:
    """The settings that --quick and --steps change."""

    def __init__(self, quick, steps=None):
        self.quick = quick
        self.steps = steps
        self.training = ["train.max_steps=150", "data.test_examples=400"] if quick else []
        self.calibration = ["--calibration", "64", "--set", "held_out=32"] if quick else []
        self.examples = ["--examples", "400"] if quick else []
        self.evidence = ["--set", f"evidence_examples={16 if quick else 64}"]
        self.cost_steps = 10 if quick else 30
        self.cost_rounds = 1 if quick else 3


def set_words(assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


class Experiments:
    """All stages of one data set and seed. The name is the NAME of configs/train/NAME_sinkhorn.json."""

    def __init__(self, runner, settings, configs, name, seed):
        self.runner = runner
        self.settings = settings
        self.configs = Path(configs)
        self.name = name
        self.seed = seed

    def folder(self, stage):
        return self.runner.folder(self.name, f"seed-{self.seed}", stage)

    def config(self, kind):
        return self.configs / f"{self.name}_{kind}.json"

    def train(self, stage, kind, assignments=()):
        words = ["asap-train", "--config", str(self.config(kind)), "--seed", str(self.seed), "--resume"]
        self.runner.run(self.folder(stage), words + set_words([*self.settings.training, *assignments]))

    def compile(self, run, stage, more=()):
        words = ["asap-compile", "--run", str(self.folder(run))]
        self.runner.run(self.folder(stage), [*words, *self.settings.calibration, *more])

    def compare(self, run, operator, stage, methods, more=()):
        words = ["asap-eval", "compare", "--run", str(self.folder(run)), "--compiled", str(self.folder(operator))]
        words += ["--methods", ",".join(methods), *self.settings.examples, *self.settings.evidence]
        self.runner.run(self.folder(stage), [*words, *more])

    def model(self, run="sinkhorn"):
        return self.run_config(run)["model"]

    def run_config(self, run="sinkhorn"):
        return self.runner.summary(self.folder(run))["config"]

    def truncations(self, run):
        iterations = self.model(run)["attention"]["iterations"]
        return [f"sinkhorn:{count}" for count in TRUNCATIONS if count < iterations]

    def training(self):
        """Trains one network for each attention kind that has a configuration."""
        for kind in ("sinkhorn", "softmax", "espformer"):
            if self.config(kind).is_file():
                self.train(kind, kind)

    def budget(self):
        """The name of the stages with equal budgets, and their settings."""
        steps = self.settings.steps
        return (f"{steps}-steps", [f"train.max_steps={steps}"]) if steps else ("all-steps", [])

    def train_kind(self, kind):
        """Trains a network of this kind with the budget of all kinds. Returns its stage."""
        budget, assignments = self.budget()
        stage = f"kinds/{budget}/{kind}"
        self.train(stage, "sinkhorn", [*assignments, *settings_of(kind)])
        return stage

    def kinds(self):
        """Trains every attention kind with the same steps, batches and widths."""
        for kind in KINDS:
            self.train_kind(kind)

    def temperature(self):
        """Trains ESPFormer at the inverse temperature that is best on a held-out part of the training data. The first
        seed chooses; the others take its choice."""
        budget, assignments = self.budget()
        held_out = self.runner.folder(self.name, "seed-1", "temperature", budget)
        if self.seed == 1:
            run = self.folder(self.train_kind("sinkhorn"))
            parted = held_out_settings(run, self.folder("temperature/held-out-data"))
            for value in TEMPERATURES:
                self.train(f"temperature/{budget}/held-out-{value}", "sinkhorn",
                           [*assignments, *parted, *settings_of("espformer", f"{TEMPERATURE}={value}")])
        tried = [path for path in held_out.glob("held-out-*") if self.runner.finished(path)]
        if len(tried) < len(TEMPERATURES):
            raise Unavailable("seed 1 has not chosen the temperature yet")
        best = max(tried, key=lambda path: self.runner.summary(path)["test"]["accuracy"])
        value = best.name.rpartition("-")[2]
        self.train(f"temperature/{budget}/espformer", "sinkhorn",
                   [*assignments, *settings_of("espformer", f"{TEMPERATURE}={value}")])

    def slack(self):
        """Trains the Sinkhorn network with learned slack, then replaces its layers by a compiled operator."""
        self.train("slack", "sinkhorn", ["model.attention.slack=learned"])
        self.compile("slack", "slack-operator")
        methods = ["teacher", "softmax", *self.truncations("slack"), "f0", "compiled", "compiled+1"]
        self.compare("slack", "slack-operator", "slack-compare", methods)

    def retraining(self):
        """Continues training the softmax network with Sinkhorn attention, for a fifth of its steps."""
        if self.config("softmax").is_file():
            steps = max(self.runner.summary(self.folder("softmax"))["train"]["total_steps"] // RETRAINING_SHARE, 1)
            start = ["train.init_from=" + str(self.folder("softmax")), f"train.max_steps={steps}"]
            self.train("retrained", "sinkhorn", start)

    def noise_levels(self):
        """Trains networks on noisier and less noisy pairs, with softmax and with Sinkhorn attention."""
        for noise in NOISE_LEVELS.get(self.name, ()):
            for kind in ("sinkhorn", "softmax"):
                self.train(f"noise-{noise:g}/{kind}", kind, [f"data.matching.noise={noise:g}"])

    def frozen_layer(self):
        """Trains a network of one layer and compares every method in it: accuracy against latency."""
        self.train("layer", "sinkhorn", ["model.layers=1"])
        self.compile("layer", "layer-operator")
        methods = ["teacher", "softmax", *self.truncations("layer"), "sinkhorn:equal", "espformer", "f0", "compiled"]
        self.compare("layer", "layer-operator", "layer-compare", [*methods, "compiled+1", "teacher_log"])

    def replacement(self):
        """Replaces the layers of the Sinkhorn network, one by one and all together, without retraining."""
        self.compile("sinkhorn", "sinkhorn-operator")
        methods = ["teacher", "softmax", *self.truncations("sinkhorn"), "sinkhorn:equal", "f0"]
        methods += ["compiled@each", "compiled", "compiled+1"]
        self.compare("sinkhorn", "sinkhorn-operator", "sinkhorn-compare", methods)

    def long_sequences(self):
        """Replaces the layers of a network on long sequences: throughput of the whole network, time in attention."""
        self.compile("sinkhorn", "sinkhorn-operator")
        examples = [] if self.settings.quick else ["--examples", str(EXAMPLES)]
        self.compare("sinkhorn", "sinkhorn-operator", "long-compare", METHODS, examples)

    def imitation(self):
        """Replaces the layers of the softmax network by an operator that imitates Sinkhorn on their scores."""
        if not self.runner.finished(self.folder("softmax")):
            return
        imitated = f"sinkhorn:{self.model()['attention']['iterations']}"
        self.compile("softmax", "softmax-operator", ["--teacher", imitated])
        methods = ["teacher", *(["sinkhorn:1"] if imitated != "sinkhorn:1" else []), f"{imitated}@each", imitated]
        self.compare("softmax", "softmax-operator", "softmax-compare", [*methods, "f0", "compiled@each", "compiled"])

    def cost(self):
        """Measures time and memory of a training step for every attention kind, interleaved."""
        steps = self.settings.cost_steps
        assignments = ["data.test_examples=64", f"train.max_steps={steps}", "train.checkpoint_every=0"]
        for turn in range(1, self.settings.cost_rounds + 1):
            for kind, change in COSTS.items():
                words = ["asap-train", "--config", str(self.config("sinkhorn")), "--resume"]
                words += set_words([*assignments, *change])
                self.runner.run(self.folder(f"cost/{kind}-{turn}"), words)

    def shift_stage(self, kind, fitted, judged):
        """Fits a map on some data; evaluates it and the ordinary map on other data."""
        self.compile("sinkhorn", f"shift-{kind}-operator", set_words(fitted))
        self.judge(kind, judged)

    def judge(self, kind, judged):
        methods = ["teacher", *[name for name in self.truncations("sinkhorn") if name == "sinkhorn:2"], "f0", "compiled"]
        for operator in (f"shift-{kind}-operator", "sinkhorn-operator"):
            if self.runner.finished(self.folder(operator)):
                stage = f"shift-{kind}-compare" if operator.startswith("shift") else f"shift-{kind}-ordinary"
                self.compare("sinkhorn", operator, stage, methods, set_words(judged))

    def shift_classes(self):
        """Fits on the first half of the classes and evaluates on the other half."""
        model = self.model()
        count = model["classes"]
        if model["pooling"] == "none" or count < 2:
            return
        first = ",".join(str(label) for label in range(count // 2))
        rest = ",".join(str(label) for label in range(count // 2, count))
        self.shift_stage("classes", [f"data.shift.classes=[{first}]"], [f"data.shift.classes=[{rest}]"])

    def shift_noise(self):
        """Fits on the data as they are and evaluates on noisier data."""
        config = self.run_config()
        if config["data"]["kind"] == "matching":
            self.judge("noise", [f"data.matching.noise={config['data']['matching']['noise'] + 0.1:g}"])
        elif config["model"]["kind"] == "vit":
            self.judge("noise", ["data.shift.noise=0.1"])
        elif config["model"]["kind"] == "set":
            self.judge("noise", ["data.shift.noise=0.03"])

    def shift_lengths(self):
        """Fits on short token sequences and evaluates on sequences at least four times as long. Texts from files are
        cut for the fit, so that they differ in length alone; generated sequences are drawn by length. Tries shorter
        cuts until there are enough long sequences to evaluate on."""
        model = self.model()
        if model["kind"] != "text":
            return
        shorten = "data.text.max_tokens" if self.run_config()["data"]["kind"] == "text" else "data.shift.max_tokens"
        for part in (4, 6, 8, 12, 16):
            short = max(model["max_tokens"] // part, 1)
            try:
                self.shift_stage("lengths", [f"{shorten}={short}"], [f"data.shift.min_tokens={4 * short}"])
                return
            except Unavailable as error:  # too few short sequences, or no long ones: try a shorter cut
                reason = error
                shutil.rmtree(self.folder("shift-lengths-operator"), ignore_errors=True)
        raise reason

    def linear(self):
        """Runs TF-IDF with a linear classifier on sets of texts, if ASAP_DATA_DIR holds the set under its name."""
        folder = self.runner.folder(self.name, "linear")
        texts = Path(os.environ.get("ASAP_DATA_DIR", ".")) / "text"
        if self.runner.finished(folder) or not list(texts.glob(f"{self.name}_test*.tsv.gz")):
            return
        script = Path(__file__).resolve().parents[2] / "linear_baseline.py"
        python = DEBIAN_PYTHON if Path(DEBIAN_PYTHON).exists() else sys.executable
        command = [python, str(script), self.name, "--out", str(folder / "summary.json")]
        self.runner.run_command(folder, command, unavailable=69)

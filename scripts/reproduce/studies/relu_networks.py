"""The stages of the paper on region-constrained ReLU networks, and their numbers: functions of one variable, the
regions of the activations in a perceptron, and the dense head behind convolutions."""

import json

from reproduce.measured.rows import put, summary_of

FUNCTIONS = ("x3", "x11")  # the convex functions of the paper
METHODS = ("kaiming", "smooth")  # random initialisation; pretraining with Theorem 3.1
FUNCTION_SEEDS = 30
DEPTH = 4
REGION = ["model.feed_forward.kind=region", f"model.feed_forward.depth={DEPTH}", "model.feed_forward.interval=10"]
# The activation of the dense layers: fixed ones, and region-constrained ones that come on top.
HEADS = {"relu": ["model.feed_forward.kind=dense", "model.feed_forward.activation=relu"],
         "gelu": ["model.feed_forward.kind=dense", "model.feed_forward.activation=gelu"], "region": REGION}
START = ["train.learning_rate=1e-30", "train.max_steps=1"]  # a network as initialised: one step of no length


def run_functions(stages):
    """Fits the convex functions from a random initialisation and from the family. Has seeds of its own."""
    if stages.seed > 1:
        return
    seeds = 3 if stages.settings.quick else FUNCTION_SEEDS
    words = ["relu-fit", "bench", "--targets", ",".join(FUNCTIONS), "--methods", ",".join(METHODS), "--seeds", str(seeds)]
    stages.runner.run(stages.folder("functions"), words)


def run_regions(stages):
    """Counts the regions of a perceptron's activations as initialised and after training their peaks."""
    for name, start in (("initial", START), ("trained", [])):
        stages.train(f"regions/{name}", "perceptron", [*REGION, *start])
        words = ["asap-eval", "regions", "--run", str(stages.folder(f"regions/{name}"))]
        stages.runner.run(stages.folder(f"regions/{name}-count"), words)


def run_heads(stages):
    """Trains convolutional networks that differ in the activation of their dense head."""
    for name, head in HEADS.items():
        stages.train(f"heads/{name}", "convolutional", head)


def accuracy_by_epoch(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line["test_accuracy"] for line in lines if "test_accuracy" in line]


def add_relu_networks(result, seed, folder):
    """Adds the numbers of the three stages: result["functions"], ["regions"] and ["heads"]."""
    summary = summary_of(folder / "functions")
    if summary:
        rows = {(row["target"], row["method"]): row["mean"] for row in summary["rows"]}
        mse = {target: {method: rows[target, method] for method in METHODS} for target in FUNCTIONS}
        result["functions"] = {"seeds": summary["seeds"], "mse": mse}
    for name in ("initial", "trained"):
        summary = summary_of(folder / "regions" / f"{name}-count")
        if summary:
            counts = summary["channel_regions"]
            put(result, "regions", name, seed, [counts["min"], counts["max"]])
    for name in HEADS:
        run = folder / "heads" / name
        summary = summary_of(run)
        if summary:
            put(result, "heads", name, "parameters", summary["model"]["parameters"])
            put(result, "heads", name, "epochs", seed, accuracy_by_epoch(run))

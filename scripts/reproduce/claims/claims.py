"""What the two papers claim, and the numbers of a run that bear on it. The numbers alone decide what is a miss."""

from dataclasses import dataclass
from typing import Callable

from reproduce.measured.rows import metric, values
from reproduce.measured.spread import mean, pairs, signed, spread, verdict
from reproduce.studies.kinds import KINDS, cost_ratio, longest
from reproduce.studies.relu_networks import DEPTH

SPEED_UP = 5.3  # of one frozen layer, according to the paper
KEPT = 0.01  # accuracy that replaced attention may lose
OVERHEAD = 0.006  # share of parameters that region-constrained activations may add: +.5 %, rounded
END_DIFFERENCE = 0.005  # accuracy by which the best other head may be ahead at the end
MAGNITUDE = 10  # factor that counts as an order of magnitude
ATTENTION_RESULTS = "stages/attention_results.md"  # seen from the README that holds the table
HEADS_RESULTS = "../../src/region/README.md"
LANGUAGE = ("agnews", "dbpedia14", "imdb", "tweeteval_emotion", "yelp5")
VISION = ("fashion_mnist", "mnist", "cifar10", "cifar100", "cats_dogs")


def item(text, holds):
    return text if holds else f"**{text}**"


def frozen_speed(sets):
    """Time in attention of the teacher's published loop, and of our own, divided by the compiled operator's."""
    items = []
    for name, result in sets.items():
        times = {method: values(result.get("frozen", {}), method, "attention_milliseconds")
                 for method in ("teacher_log", "teacher", "compiled")}
        if all(times.values()):
            ratio = {method: mean(row) / mean(times["compiled"]) for method, row in times.items()}
            items.append(item(f"{name} {ratio['teacher_log']:.1f} (our loop {ratio['teacher']:.2f})",
                              ratio["teacher_log"] >= SPEED_UP))
    return items


def kept(rows_of):
    """Accuracy of the compiled network beside its teacher's."""
    def items(sets):
        found = []
        for name, result in sets.items():
            rows = rows_of(name, result)
            compiled, teacher = (metric(rows, method, "accuracy") for method in ("compiled", "teacher"))
            if pairs(compiled, teacher):
                found.append(item(f"{name} {spread(list(compiled.values()))} of {mean(list(teacher.values())):.4f}",
                                  mean(pairs(compiled, teacher)) >= -KEPT))
        return found
    return items


def replaced(chosen):
    return lambda name, result: result.get("replacement", {}).get("sinkhorn", {}) if chosen(name) else {}


def difference_items(sets, sides):
    """sides(result): two maps from seed to accuracy. A miss: the first is lower by a difference that counts."""
    items = []
    for name, result in sets.items():
        differences = pairs(*sides(result))
        if differences:
            items.append(item(f"{name} {signed(differences)}", verdict(differences) >= 0))
    return items


def accuracy(rows, kind):
    return metric(rows, kind, "accuracy")


def trained(sets):
    def sides(result):
        return [accuracy(result.get("training", {}), kind) for kind in ("sinkhorn", "softmax")]
    return difference_items(sets, sides)


def equal_budget(sets):
    def sides(result):
        return [accuracy(longest(result), kind) for kind in ("sinkhorn", "softmax")]
    return difference_items(sets, sides)


def baselines(sets):
    """Sinkhorn minus the best of the recent kinds."""
    items = []
    for name, result in sets.items():
        rows = longest(result)
        others = [kind for kind in KINDS if kind not in ("softmax", "sinkhorn", "slack") and accuracy(rows, kind)]
        if others and accuracy(rows, "sinkhorn"):
            best = max(others, key=lambda kind: mean(list(accuracy(rows, kind).values())))
            differences = pairs(accuracy(rows, "sinkhorn"), accuracy(rows, best))
            if differences:
                items.append(item(f"{name} {signed(differences)} ({best})", verdict(differences) >= 0))
    return items


def tuned_espformer(sets):
    items = []
    for name, result in sets.items():
        for steps, tuned in result.get("temperature", {}).items():
            differences = pairs(accuracy(result.get("kinds", {}).get(steps, {}), "sinkhorn"), tuned.get("accuracy", {}))
            if differences:
                items.append(item(f"{name} {signed(differences)}", verdict(differences) >= 0))
    return items


def frozen_espformer(sets):
    def sides(result):
        return [metric(result.get("frozen", {}), method, "accuracy") for method in ("compiled", "espformer")]
    return difference_items(sets, sides)


def training_cost(measure):
    """A step of ESPFormer divided by one of Sinkhorn: with all slices, and with few."""
    def items(sets):
        found = []
        for name, result in sets.items():
            ratios = [cost_ratio(result, measure, kind) for kind in ("espformer", "espformer_few")]
            if all(ratios):
                found.append(item(f"{name} {ratios[0]:.2f} ({ratios[1]:.2f})", min(ratios) > 1))
        return found
    return items


def regions(stage):
    def items(sets):
        found = []
        for name, result in sets.items():
            counts = list(result.get("regions", {}).get(stage, {}).values())
            if counts:
                least, most = min(low for low, _ in counts), max(high for _, high in counts)
                found.append(item(f"{name} {least} to {most} of {2 ** DEPTH}", least == most == 2 ** DEPTH))
        return found
    return items


def convex(sets):
    """Mean squared error from a random initialisation divided by that from the family."""
    items = []
    for result in sets.values():
        for target, errors in result.get("functions", {}).get("mse", {}).items():
            ratio = errors["kaiming"] / errors["smooth"]
            items.append(item(f"{target} {errors['smooth']:.1e} instead of {errors['kaiming']:.1e}, "
                              f"{ratio:,.0f} times less", ratio >= MAGNITUDE))
    return items


def overhead(sets):
    items = []
    for name, result in sets.items():
        heads = result.get("heads", {})
        if all("parameters" in heads.get(kind, {}) for kind in ("region", "relu")):
            share = heads["region"]["parameters"] / heads["relu"]["parameters"] - 1
            items.append(item(f"{name} {100 * share:+.2f} %", share <= OVERHEAD))
    return items


def at_epoch(epochs, epoch):
    return {seed: row[epoch] for seed, row in epochs.items() if row}


def head_difference(heads, epoch):
    """Region-constrained minus the best other head after an epoch (0: the first, -1: the last)."""
    others = [at_epoch(heads[kind]["epochs"], epoch) for kind in ("relu", "gelu") if kind in heads]
    best = max(others, key=lambda row: mean(list(row.values())))
    return pairs(at_epoch(heads["region"]["epochs"], epoch), best)


def head_items(early):
    """Accuracy after the first two epochs: ahead or equal; after the last: at most half a point behind."""
    def items(sets):
        found = []
        for name, result in sets.items():
            heads = result.get("heads", {})
            if "region" not in heads or len(heads) < 2:
                continue
            differences = [head_difference(heads, epoch) for epoch in ((0, 1) if early else (-1,))]
            holds = all(verdict(one) >= 0 if early else mean(one) >= -END_DIFFERENCE for one in differences)
            found.append(item(f"{name} {', '.join(signed(one) for one in differences)}", holds))
        return found
    return items


@dataclass
class Claim:
    claim: str
    unit: str  # what the numbers are
    items: Callable  # from {SET: results} to the numbers by set, misses in bold
    experiments: str  # of scripts/reproduce.sh
    elsewhere: str = ""  # where the number is if the run has none


def frozen_rows(name, result):
    return result.get("frozen", {})


FROZEN = f"[modelnet10 {{}}]({ATTENTION_RESULTS}#one-frozen-layer)"
HEADS = f"[two networks]({HEADS_RESULTS}#behind-convolutions): cifar10 +.50 %; fashion_mnist +.48 %"
CLAIMS = {
    "ASAP": [
        Claim("one frozen layer is 5.3 times as fast as its teacher", "time in attention, published loop / compiled",
              frozen_speed, "training,frozen", "whole networks: [7.1 to 19.3 times](studies/long_sequences_results.md)"),
        Claim("and as accurate", "accuracy, compiled of teacher", kept(frozen_rows), "training,frozen",
              FROZEN.format(".8844 of .8844")),
        Claim("replaced without retraining, most of the teacher's quality is recovered: language",
              "accuracy, compiled of teacher", kept(replaced(LANGUAGE.__contains__)), "training,replacement"),
        Claim("the same, vision", "accuracy, compiled of teacher", kept(replaced(VISION.__contains__)),
              "training,replacement"),
        Claim("the same, other data (not of the paper)", "accuracy, compiled of teacher",
              kept(replaced(lambda name: name not in LANGUAGE + VISION)), "training,replacement"),
        Claim("doubly stochastic training is as good as softmax or better", "accuracy, Sinkhorn − softmax", trained,
              "training"),
        Claim("the same with equal, smaller budgets", "accuracy, Sinkhorn − softmax", equal_budget, "kinds"),
        Claim("it is competitive with recent kinds", "accuracy, Sinkhorn − best other kind", baselines, "kinds"),
        Claim("it is as good as ESPFormer at its own best temperature", "accuracy, Sinkhorn − ESPFormer",
              tuned_espformer, "kinds,temperature"),
        Claim("in one frozen layer, compiling is as good as ESPFormer's plan", "accuracy, compiled − ESPFormer",
              frozen_espformer, "training,frozen", FROZEN.format("+.0859")),
        Claim("Sinkhorn trains cheaper than ESPFormer: time", "a step, ESPFormer / Sinkhorn; few slices in brackets",
              training_cost("milliseconds_per_step"), "cost"),
        Claim("the same, memory", "a step, ESPFormer / Sinkhorn; few slices in brackets",
              training_cost("step_peak_bytes"), "cost")],
    "Region-constrained ReLU": [
        Claim("exactly 2^d regions at initialisation", "regions of an activation", regions("initial"), "relu"),
        Claim("and after training its peaks", "regions of an activation", regions("trained"), "relu"),
        Claim("convex functions: orders of magnitude better than from random initialisation", "mean squared error",
              convex, "relu"),
        Claim("in the dense head of convolutional networks, .5 % more parameters", "parameters", overhead, "heads",
              HEADS),
        Claim("ahead in the first epochs", "accuracy − best other head, epochs 1 and 2", head_items(early=True),
              "heads"),
        Claim("equal at the end", "accuracy − best other head", head_items(early=False), "heads")],
}

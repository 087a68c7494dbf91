"""The report's sentences. Each function takes what numbers_of_runs.py collected for one set and returns a list of
sentences, each with its verdict first. The numbers alone decide the verdicts."""

from reproduce.measured.rows import metric, values
from reproduce.measured.spread import SMALLEST_DIFFERENCE, mean, pairs, signed, spread, verdict
from reproduce.report.numbers_of_runs import EQUAL
from reproduce.studies.kinds import ESPFORMER_SLICES

R2_TOLERANCE = 0.03
SMALL_DROP = 0.01  # acceptable loss of accuracy when attention is replaced
AGREES = {1: "agrees with the teacher more often than", -1: "agrees with the teacher less often than",
          0: "agrees with the teacher as often as"}
TWO_ITERATIONS, ZERO_DUAL = "two iterations of Sinkhorn", "the zero-dual closure f0"


def of_one_seed(differences):
    return " (with one seed, differences below 0.01 do not count)" if len(differences) == 1 else ""


def training_words(result):
    """Sinkhorn attention against softmax, retraining, and a linear classifier without attention."""
    training = result.get("training", {})
    accuracies = {kind: row["accuracy"] for kind, row in training.items()}
    sentences = []
    if "sinkhorn" in accuracies and "softmax" in accuracies:
        differences = pairs(accuracies["sinkhorn"], accuracies["softmax"])
        judgement = {
            1: f"Sinkhorn attention is better than softmax by {spread(differences)} in accuracy after the same training",
            -1: f"Softmax is better than Sinkhorn attention by {spread([-d for d in differences])} in accuracy after the "
                "same training",
            0: "Sinkhorn attention is as good as softmax after the same training: the difference, "
               f"{signed(differences)}, does not count",
        }[verdict(differences)]
        sentences.append(f"{judgement}{of_one_seed(differences)}.")
    if "slack" in accuracies:
        for other, name in (("softmax", "softmax"), ("sinkhorn", "Sinkhorn without slack")):
            if other in accuracies:
                differences = pairs(accuracies["slack"], accuracies[other])
                judgement = {1: "better than", -1: "worse than", 0: "as good as"}[verdict(differences)]
                sentences.append(f"Sinkhorn attention with slack is {judgement} {name} after the same training "
                                 f"({signed(differences)}).")
    if "retrained" in accuracies and "softmax" in accuracies:
        differences = pairs(accuracies["retrained"], accuracies["softmax"])
        judgement = {1: "is better than", -1: "is worse than", 0: "is as good as"}[verdict(differences)]
        sentences.append(f"The softmax network {judgement} before ({signed(differences)}) after retraining with Sinkhorn "
                         "attention for a fifth of its steps.")
    if "linear" in result and accuracies:
        best = max(accuracies, key=lambda kind: mean(list(accuracies[kind].values())))
        reached = mean(list(accuracies[best].values()))
        if result["linear"] > reached:
            sentences.append(f"TF-IDF with a linear classifier ({result['linear']:.4f}) beats every network here "
                             f"(best: {best}, {reached:.4f}).")
        else:
            sentences.append(f"The best network ({best}, {reached:.4f}) is at least as accurate as TF-IDF with a linear "
                             f"classifier ({result['linear']:.4f}).")
    return sentences


def against(rows, other, name):
    """Agreement of compiled against another method: a sentence, or nothing if the two were not compared."""
    differences = pairs(metric(rows, "compiled", "agreement"), metric(rows, other, "agreement"))
    if not differences:
        return []
    compiled, others = spread(values(rows, "compiled", "agreement")), spread(values(rows, other, "agreement"))
    return [f"The compiled operator {AGREES[verdict(differences)]} {name} ({compiled} against {others})."]


def equal_latency_words(rows, iterations):
    """Whether a truncated loop of the same time does as well."""
    counts = values(rows, EQUAL, "iterations")
    if not counts:
        return []
    if min(counts) >= iterations:
        return ["Compiling gains nothing here: the whole Sinkhorn loop takes no longer than the compiled operator."]
    text = " or ".join(str(count) for count in sorted(set(counts)))
    differences = pairs(metric(rows, "compiled", "agreement"), metric(rows, EQUAL, "agreement"))
    compiled = spread(values(rows, "compiled", "agreement"))
    truncated = spread(values(rows, EQUAL, "agreement"))
    return [f"At equal time the compiled operator {AGREES[verdict(differences)]} Sinkhorn cut to K = {text} of "
            f"{iterations} iterations ({compiled} against {truncated}){of_one_seed(differences)}."]


def speed_words(rows):
    teacher, compiled = (values(rows, name, "attention_milliseconds") for name in ("teacher", "compiled"))
    if not teacher or not compiled:
        return []
    ratio = mean(teacher) / mean(compiled)
    if ratio > 1.05:
        return [f"Compiled attention is {ratio:.2f} times as fast as the teacher's whole loop."]
    if ratio < 0.95:
        return [f"Compiled attention is slower than the teacher's whole loop: it takes {1 / ratio:.2f} times as long."]
    return ["Compiled attention takes as long as the teacher's whole loop."]


def drop_words(rows, method, what):
    differences = pairs(metric(rows, method, "accuracy"), metric(rows, "teacher", "accuracy"))
    if not differences:
        return []
    change = mean(differences)
    if verdict(differences) == 0 or abs(change) < 0.0005:
        return [f"{what} does not change accuracy measurably ({signed(differences)})."]
    direction = "raises" if change > 0 else "lowers"
    much = "" if change > -SMALL_DROP else f", more than the acceptable {SMALL_DROP:g}"
    return [f"{what} {direction} accuracy by {spread([abs(d) for d in differences])}{much}."]


def frozen_words(result):
    """The frozen layer: compiled against its teacher, truncations and ESPFormer."""
    rows = result.get("frozen", {})
    if "compiled" not in rows:
        return []
    return [*drop_words(rows, "compiled", "Compiling the layer"), *speed_words(rows),
            *equal_latency_words(rows, result.get("iterations", 0)),
            *against(rows, "sinkhorn:2", TWO_ITERATIONS), *against(rows, "f0", ZERO_DUAL),
            *against(rows, "espformer", "ESPFormer")]


def each_layer(rows, method):
    """Names of the rows that replace a single layer by this method, in the order of layers."""
    return sorted((name for name in rows if name.startswith(f"{method}@")), key=lambda name: int(name.partition("@")[2]))


def hardest_layer_words(rows):
    layers = each_layer(rows, "compiled")
    if len(layers) < 2:
        return []
    worst = min(layers, key=lambda name: mean(values(rows, name, "agreement")))
    if mean(values(rows, worst, "agreement")) > 1 - SMALLEST_DIFFERENCE:
        return ["Replacing any single layer changes fewer than 1 in 1000 predictions."]
    return [f"Layer {worst.partition('@')[2]} is the hardest to replace: agreement falls to "
            f"{spread(values(rows, worst, 'agreement'))}."]


def sinkhorn_replacement_words(result):
    rows = result.get("replacement", {}).get("sinkhorn", {})
    if "compiled" not in rows:
        return []
    return [f"The network agrees with its teacher in {spread(values(rows, 'compiled', 'agreement'))} of all predictions once "
            "all layers are compiled, without retraining.",
            *drop_words(rows, "compiled", "Replacing all layers"), *hardest_layer_words(rows), *speed_words(rows),
            *equal_latency_words(rows, result.get("iterations", 0)),
            *against(rows, "sinkhorn:2", TWO_ITERATIONS), *against(rows, "f0", ZERO_DUAL)]


def slack_replacement_words(result):
    """A network with slack whose layers are compiled."""
    row = result.get("replacement", {}).get("slack", {}).get("compiled", {})
    if not row.get("agreement"):
        return []
    return [f"The compiled operator gives {spread(list(row['agreement'].values()))} of the predictions of the network "
            "with slack. Neither plan is doubly stochastic."]


def softmax_replacement_words(result):
    """A softmax network whose attention is made doubly stochastic without retraining."""
    rows = result.get("replacement", {}).get("softmax", {})
    if "compiled" not in rows:
        return []
    imitated = f"sinkhorn:{result.get('iterations', 0)}"
    sentences = drop_words(rows, imitated, f"Replacing the attention of the trained softmax network by {imitated}")
    sentences += drop_words(rows, "compiled", "Replacing that attention by the compiled operator")
    followed = values(rows, "compiled", "imitated_agreement")
    if followed:
        sentences.append(f"The compiled operator and the Sinkhorn loop that it imitates agree in {spread(followed)} of all "
                         "predictions.")
    change = pairs(metric(rows, "compiled", "accuracy"), metric(rows, "teacher", "accuracy"))
    if change and mean(change) < -SMALL_DROP:
        sentences.append(f"Without retraining, a softmax network loses more than {SMALL_DROP:g} in accuracy here.")
    return sentences


def cost_words(result):
    """Time and memory of a training step relative to softmax."""
    cost = result.get("cost", {})
    if "softmax" not in cost:
        return []
    sentences = []
    times = {kind: sorted(row["milliseconds_per_step"])[len(row["milliseconds_per_step"]) // 2]
             for kind, row in cost.items()}
    peaks = {kind: max(row["peak_bytes"]) for kind, row in cost.items()}
    steps = {kind: max(row["step_peak_bytes"]) for kind, row in cost.items() if row.get("step_peak_bytes")}
    for kind, name in (("sinkhorn", "Sinkhorn attention"), ("espformer", "ESPFormer"),
                       ("espformer_few", f"ESPFormer with {ESPFORMER_SLICES} slices")):
        if kind in cost:
            of_a_step = (f" and {steps[kind] / steps['softmax']:.2f} times the memory"
                         if kind in steps and "softmax" in steps else "")
            sentences.append(f"A training step with {name} takes {times[kind] / times['softmax']:.2f} times the time"
                             f"{of_a_step} of one with softmax; the whole process, data included, takes "
                             f"{peaks[kind] / peaks['softmax']:.2f} times the memory.")
    if "espformer" in cost and "sinkhorn" in cost:
        ratio = times["espformer"] / times["sinkhorn"]
        faster, slower = ("Sinkhorn attention", "ESPFormer") if ratio > 1 else ("ESPFormer", "Sinkhorn attention")
        sentences.append(f"{faster} trains {max(ratio, 1 / ratio):.2f} times as fast as {slower}.")
    return sentences


def shift_words(result):
    """Whether a map fitted on one kind of data works on another."""
    sentences = []
    names = {"classes": "other classes", "noise": "noisy data", "lengths": "sequences at least four times as long"}
    for kind, rows in result.get("shift", {}).items():
        ordinary = rows.get("ordinary", {})
        shifted = rows.get("shifted", {})
        judged = shifted or ordinary
        if "compiled" not in judged:
            continue
        text = (f"On {names[kind]} the compiled operator agrees with the teacher in "
                f"{spread(values(judged, 'compiled', 'agreement'))} of all predictions")
        differences = pairs(metric(shifted, "compiled", "agreement"), metric(ordinary, "compiled", "agreement"))
        if differences:
            judgement = {1: "more often than", -1: "less often than", 0: "as often as"}[verdict(differences)]
            text += f", {judgement} with a map fitted on all data ({spread(values(ordinary, 'compiled', 'agreement'))})"
        text += "."
        home, away = rows.get("dual_r2", {}).get("at home", {}), rows.get("dual_r2", {}).get("shifted", {})
        changes = pairs(away, home)
        if changes:
            holds = mean(changes) >= -R2_TOLERANCE
            text += (f" Its dual map {'keeps' if holds else 'does not keep'} its R² "
                     f"({spread(list(home.values()), 3)} where it was fitted, {spread(list(away.values()), 3)} here).")
        sentences.append(text)
        sentences += against(judged, "sinkhorn:2", f"{TWO_ITERATIONS} on {names[kind]}")
    return sentences


def overall_words(summary):
    """The verdicts over all sets."""
    wins = {1: [], 0: [], -1: []}
    useless = []
    for name, result in summary["sets"].items():
        rows = result.get("replacement", {}).get("sinkhorn", {})
        counts = values(rows, EQUAL, "iterations")
        if not counts:
            continue
        if min(counts) >= result.get("iterations", 0):
            useless.append(name)
            continue
        wins[verdict(pairs(metric(rows, "compiled", "agreement"), metric(rows, EQUAL, "agreement")))].append(name)
    sentences = []
    for sign, names in wins.items():
        if names:
            sentences.append(f"On {', '.join(names)}, at equal time, the compiled operator {AGREES[sign]} truncated Sinkhorn.")
    if useless:
        sentences.append(f"On {', '.join(useless)}, compiling saves no time: the whole Sinkhorn loop is as fast.")
    for sign, text in ((-1, "On {}, softmax trains to a higher accuracy."), (1, "On {}, Sinkhorn trains to a higher accuracy.")):
        names = [name for name, result in summary["sets"].items() if training_verdict(result) == sign]
        if names:
            sentences.append(text.format(", ".join(names)))
    return sentences


def training_verdict(result):
    training = result.get("training", {})
    if "sinkhorn" not in training or "softmax" not in training:
        return 0
    return verdict(pairs(training["sinkhorn"]["accuracy"], training["softmax"]["accuracy"]))

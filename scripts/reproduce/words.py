"""Sentences that follow the numbers. Each function takes what numbers_of_runs.py collected for one set and returns a
list of sentences; none of them takes a side."""

from numbers_of_runs import EQUAL
from spread import SMALLEST_DIFFERENCE, mean, pairs, spread, verdict

R2_TOLERANCE = 0.03
SMALL_DROP = 0.01  # of accuracy: what replacing attention may cost


def metric(rows, method, name):
    return rows.get(method, {}).get(name, {})


def values(rows, method, name):
    return list(metric(rows, method, name).values())


def signed(differences, digits=4):
    text = spread(differences, digits)
    return text if text.startswith("-") else "+" + text


def of_one_seed(differences):
    return " (one seed: differences below .01 say nothing)" if len(differences) == 1 else ""


def training_words(result):
    """Sinkhorn against softmax against what needs no attention."""
    training = result.get("training", {})
    accuracies = {kind: row["accuracy"] for kind, row in training.items()}
    sentences = []
    if "sinkhorn" in accuracies and "softmax" in accuracies:
        differences = pairs(accuracies["sinkhorn"], accuracies["softmax"])
        judgement = {
            1: f"Sinkhorn attention is better than softmax by {spread(differences)}",
            -1: f"Softmax is better than Sinkhorn attention by {spread([-d for d in differences])}",
            0: f"Sinkhorn attention and softmax differ by no more than the spread ({signed(differences)})",
        }[verdict(differences)]
        sentences.append(f"{judgement}, trained the same way{of_one_seed(differences)}.")
    if "retrained" in accuracies and "softmax" in accuracies:
        differences = pairs(accuracies["retrained"], accuracies["softmax"])
        judgement = {1: "is better than", -1: "is worse than", 0: "is as good as"}[verdict(differences)]
        sentences.append(f"The softmax network, trained on for a fifth of its steps with Sinkhorn attention, {judgement} "
                         f"before ({signed(differences)}).")
    if "linear" in result and accuracies:
        best = max(accuracies, key=lambda kind: mean(list(accuracies[kind].values())))
        reached = mean(list(accuracies[best].values()))
        if result["linear"] > reached:
            sentences.append(f"TF-IDF with a linear classifier ({result['linear']:.4f}) beats every network here "
                             f"(best: {best}, {reached:.4f}).")
        else:
            sentences.append(f"TF-IDF with a linear classifier reaches {result['linear']:.4f}, "
                             f"the best network ({best}) {reached:.4f}.")
    return sentences


def against(rows, other, name, measure="agreement"):
    """Compiled against another method: a sentence, or nothing when that was not compared."""
    differences = pairs(metric(rows, "compiled", measure), metric(rows, other, measure))
    if not differences:
        return []
    judgement = {1: "better than", -1: "worse than", 0: "as good as"}[verdict(differences)]
    compiled, others = spread(values(rows, "compiled", measure)), spread(values(rows, other, measure))
    return [f"Compiled is {judgement} {name} in {measure} ({compiled} against {others})."]


def equal_latency_words(rows, iterations):
    """Whether a truncated loop that takes the same time would do as well."""
    counts = values(rows, EQUAL, "iterations")
    if not counts:
        return []
    if min(counts) >= iterations:
        return ["The whole Sinkhorn loop takes no longer than the compiled operator here: compiling gains nothing."]
    text = " or ".join(str(count) for count in sorted(set(counts)))
    differences = pairs(metric(rows, "compiled", "agreement"), metric(rows, EQUAL, "agreement"))
    compiled = spread(values(rows, "compiled", "agreement"))
    truncated = spread(values(rows, EQUAL, "agreement"))
    judgement = {
        1: f"compiled agrees more often with its teacher ({compiled}) than the truncation ({truncated})",
        -1: f"the truncation agrees more often with its teacher ({truncated}) than compiled ({compiled})",
        0: f"the truncation is as good as compiled in agreement ({truncated} against {compiled})",
    }[verdict(differences)]
    return [f"In the same time Sinkhorn can do K = {text} of {iterations} iterations: {judgement}"
            f"{of_one_seed(differences)}."]


def speed_words(rows):
    teacher, compiled = (values(rows, name, "attention_milliseconds") for name in ("teacher", "compiled"))
    if not teacher or not compiled:
        return []
    ratio = mean(teacher) / mean(compiled)
    if ratio > 1.05:
        return [f"Its attention is {ratio:.2f} times as fast as the teacher's whole loop."]
    if ratio < 0.95:
        return [f"Its attention is slower than the teacher's whole loop: {1 / ratio:.2f} times its time."]
    return ["Its attention takes the time of the teacher's whole loop."]


def drop_words(rows, method, what):
    differences = pairs(metric(rows, method, "accuracy"), metric(rows, "teacher", "accuracy"))
    if not differences:
        return []
    change = mean(differences)
    if verdict(differences) == 0 or abs(change) < 0.0005:
        return [f"{what} leaves accuracy as it is ({signed(differences)})."]
    direction = "raises" if change > 0 else "lowers"
    much = "" if change > -SMALL_DROP else ", more than is acceptable"
    return [f"{what} {direction} accuracy by {spread([abs(d) for d in differences])}{much}."]


def frozen_words(result):
    """The frozen layer: compiled beside its teacher, truncations and ESPFormer."""
    rows = result.get("frozen", {})
    if "compiled" not in rows:
        return []
    return [*drop_words(rows, "compiled", "Compiling the layer"), *speed_words(rows),
            *equal_latency_words(rows, result.get("iterations", 0)),
            *against(rows, "sinkhorn:2", "two iterations"), *against(rows, "f0", "the closure without a prediction"),
            *against(rows, "espformer", "ESPFormer in the layer's place")]


def each_layer(rows, method):
    """Names of a method in single layers, by layer."""
    return sorted((name for name in rows if name.startswith(f"{method}@")), key=lambda name: int(name.partition("@")[2]))


def hardest_layer_words(rows):
    layers = each_layer(rows, "compiled")
    if len(layers) < 2:
        return []
    worst = min(layers, key=lambda name: mean(values(rows, name, "agreement")))
    if mean(values(rows, worst, "agreement")) > 1 - SMALLEST_DIFFERENCE:
        return ["No single layer's replacement changes a prediction in a thousand."]
    return [f"Of single layers, replacing layer {worst.partition('@')[2]} costs most agreement "
            f"({spread(values(rows, worst, 'agreement'))} left)."]


def sinkhorn_replacement_words(result):
    rows = result.get("replacement", {}).get("sinkhorn", {})
    if "compiled" not in rows:
        return []
    return [f"All layers compiled, nothing retrained: agreement {spread(values(rows, 'compiled', 'agreement'))}.",
            *drop_words(rows, "compiled", "Replacing all layers"), *hardest_layer_words(rows), *speed_words(rows),
            *equal_latency_words(rows, result.get("iterations", 0)),
            *against(rows, "sinkhorn:2", "two iterations"), *against(rows, "f0", "the closure without a prediction")]


def softmax_replacement_words(result):
    """What becomes of a softmax network whose attention is made doubly stochastic without retraining."""
    rows = result.get("replacement", {}).get("softmax", {})
    if "compiled" not in rows:
        return []
    imitated = f"sinkhorn:{result.get('iterations', 0)}"
    sentences = drop_words(rows, imitated, f"Putting Sinkhorn ({imitated}) in the place of a trained softmax network's "
                           "attention, nothing retrained,")
    sentences += drop_words(rows, "compiled", "The compiled operator in all its layers")
    followed = values(rows, "compiled", "imitated_agreement")
    if followed:
        sentences.append(f"It predicts what the Sinkhorn loop in its place would in {spread(followed)} of the cases.")
    change = pairs(metric(rows, "compiled", "accuracy"), metric(rows, "teacher", "accuracy"))
    if change and mean(change) < -SMALL_DROP:
        sentences.append(f"Without retraining, a softmax network loses more than {SMALL_DROP:g} of its accuracy here.")
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
    for kind, name in (("sinkhorn", "Sinkhorn attention"), ("espformer", "ESPFormer")):
        if kind in cost:
            of_a_step = (f" and {steps[kind] / steps['softmax']:.2f} times the memory"
                         if kind in steps and "softmax" in steps else "")
            sentences.append(f"A training step with {name} takes {times[kind] / times['softmax']:.2f} times the time"
                             f"{of_a_step} of one with softmax; the whole process, data included, "
                             f"{peaks[kind] / peaks['softmax']:.2f} times the memory.")
    if "espformer" in cost and "sinkhorn" in cost:
        ratio = times["espformer"] / times["sinkhorn"]
        faster, slower = ("Sinkhorn attention", "ESPFormer") if ratio > 1 else ("ESPFormer", "Sinkhorn attention")
        sentences.append(f"{faster} trains {max(ratio, 1 / ratio):.2f} times as fast as {slower}.")
    return sentences


def shift_words(result):
    """Whether a map fitted on one kind of data holds on another."""
    sentences = []
    names = {"classes": "other classes", "noise": "noisy data", "lengths": "texts at least four times as long"}
    for kind, rows in result.get("shift", {}).items():
        ordinary = rows.get("ordinary", {})
        shifted = rows.get("shifted", {})
        judged = shifted or ordinary
        if "compiled" not in judged:
            continue
        text = f"On {names[kind]} compiled agrees in {spread(values(judged, 'compiled', 'agreement'))}"
        home, away = rows.get("dual_r2", {}).get("at home", {}), rows.get("dual_r2", {}).get("shifted", {})
        changes = pairs(away, home)
        if changes:
            holds = mean(changes) >= -R2_TOLERANCE
            text += (f"; its dual map {'keeps' if holds else 'does not keep'} its R² "
                     f"({spread(list(home.values()), 3)} where it was fitted, {spread(list(away.values()), 3)} there)")
        differences = pairs(metric(shifted, "compiled", "agreement"), metric(ordinary, "compiled", "agreement"))
        if differences:
            judgement = {1: "more than", -1: "less than", 0: "as much as"}[verdict(differences)]
            text += (f"; that is {judgement} a map fitted on all data, "
                     f"{spread(values(ordinary, 'compiled', 'agreement'))}")
        sentences.append(text + ".")
        sentences += against(judged, "sinkhorn:2", f"two iterations on {names[kind]}")
    return sentences


def overall_words(summary):
    """Over all sets: how often which side won."""
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
    for sign, text in ((1, "Compiled agrees more often with its teacher than Sinkhorn cut to the same time on {}."),
                       (0, "A truncated Sinkhorn of the same time is as good as compiled on {}."),
                       (-1, "A truncated Sinkhorn of the same time is better than compiled on {}.")):
        if wins[sign]:
            sentences.append(text.format(", ".join(wins[sign])))
    if useless:
        sentences.append(f"Compiling gains no time at all on {', '.join(useless)}: the whole loop is as fast.")
    for sign, text in ((-1, "Softmax trains to a higher accuracy on {}."), (1, "Sinkhorn trains to a higher accuracy on {}.")):
        names = [name for name, result in summary["sets"].items() if training_verdict(result) == sign]
        if names:
            sentences.append(text.format(", ".join(names)))
    return sentences


def training_verdict(result):
    training = result.get("training", {})
    if "sinkhorn" not in training or "softmax" not in training:
        return 0
    return verdict(pairs(training["sinkhorn"]["accuracy"], training["softmax"]["accuracy"]))

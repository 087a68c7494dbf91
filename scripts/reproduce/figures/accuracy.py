"""Pictures of accuracy over something: the noise of codes, or epochs."""

import math

from reproduce.figures.svg import BLUE, GREY, ORANGE, apart, curve, grid_line, picture, x_axis
from reproduce.measured.spread import deviation, mean

KINDS = {"sinkhorn": BLUE, "softmax": ORANGE, "espformer": GREY}
HEADS = {"region": BLUE, "relu": ORANGE, "gelu": GREY, "weights": ("#8a5fbf", "#b795e0")}
NAMES = {"sinkhorn": "Sinkhorn", "softmax": "softmax", "espformer": "ESPFormer", "relu": "ReLU", "gelu": "GELU",
         "region": "region, peaks", "weights": "then weights"}
LEFT, RIGHT, TOP, BOTTOM = 56, 410, 16, 236
GRIDS = ((0.25, 10), (0.1, 20), (0, 50))  # of this range or more: lines in an interval of 1


def accuracy_figure(title, x_title, levels, colours, highest=None):
    """Means over seeds with bands of one deviation to each side. levels: {kind: {x: {seed: accuracy}}}, x as text."""
    xs = sorted({float(x) for row in levels.values() for x in row})
    accuracies = [value for row in levels.values() for seeds in row.values() for value in seeds.values()]
    highest = highest or max(accuracies)
    steps = next(steps for least, steps in GRIDS if highest - min(accuracies) >= least)
    low, high = math.floor(min(accuracies) * steps), math.ceil(highest * steps)
    width, spread = max(xs[-1] - xs[0], 1e-9), (high - low) / steps
    across = lambda x: LEFT + 12 + (RIGHT - LEFT - 24) * (x - xs[0]) / width
    height = lambda accuracy: BOTTOM - (BOTTOM - TOP) * (accuracy - low / steps) / spread
    parts = [grid_line(LEFT, height(number / steps), f"H{RIGHT}", f"{number / steps:.{1 if steps == 10 else 2}f}")
             for number in range(low, high + 1)]
    parts += x_axis(xs, across, (LEFT, RIGHT), BOTTOM, x_title)
    curves = {}
    for kind in sorted(levels, key=lambda name: list(colours).index(name) if name in colours else len(colours)):
        row = {float(x): list(seeds.values()) for x, seeds in levels[kind].items()}
        curves[kind] = [(across(x), height(mean(row[x])), (BOTTOM - TOP) * deviation(row[x]) / spread) for x in sorted(row)]
    labels = apart([points[-1][1] + 4 for points in curves.values()])
    parts += [curve(kind, points, NAMES.get(kind, kind), (f"{points[-1][0] + 10:.1f}", f"{label:.1f}"))
              for (kind, points), label in zip(curves.items(), labels)]
    return picture(520, 286, title, colours, parts)


def noise_levels_figure(levels):
    """Test accuracy by the noise of the codes. levels: {kind: {noise: {seed: accuracy}}}, noise as text."""
    return accuracy_figure("Accuracy by noise level", "standard deviation of the noise on both codes", levels, KINDS, highest=1)


def epochs_figure(title, curves):
    """Test accuracy after every epoch. curves: {kind of HEADS: the accuracies of each seed}."""
    levels = {kind: {str(epoch): dict(enumerate(values)) for epoch, values in enumerate(zip(*seeds), 1)}
              for kind, seeds in curves.items()}
    return accuracy_figure(title, "epoch", levels, HEADS)

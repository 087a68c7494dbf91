"""Pictures for documents: self-contained SVG that follows the light or dark theme."""

import math
from html import escape

from spread import deviation, mean

# Colours that colour-blind readers can tell apart: (on a light background, on a dark background).
BLUE, ORANGE, GREY = ("#2f6fde", "#74a3f5"), ("#d9822b", "#f0a35e"), ("#7a7f88", "#9aa0a9")
KINDS = {"sinkhorn": BLUE, "softmax": ORANGE, "espformer": GREY}
HEADS = {"region": BLUE, "relu": ORANGE, "gelu": GREY, "weights": ("#8a5fbf", "#b795e0")}
NAMES = {"sinkhorn": "Sinkhorn", "softmax": "softmax", "espformer": "ESPFormer", "relu": "ReLU", "gelu": "GELU",
         "region": "region, peaks", "weights": "then weights"}
LEFT, RIGHT, TOP, BOTTOM = 56, 410, 16, 236
LINE_HEIGHT = 15
GRIDS = ((0.25, 10), (0.1, 20), (0, 50))  # of this range or more: lines in an interval of 1


def style(colours):
    light = "".join(f".{kind}{{color:{light}}}" for kind, (light, _) in colours.items())
    dark = "".join(f".{kind}{{color:{dark}}}" for kind, (_, dark) in colours.items())
    return ("text{font:13px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}.name{fill:currentColor;font-weight:600}"
            f"{light}@media(prefers-color-scheme:dark){{text{{fill:#ccc}}.grid{{stroke:#3a3f47}}.name{{fill:currentColor}}{dark}}}")


def curve(kind, points, name, place):
    """Draws a band, a line, its marks and its name. points: (x, y of the mean, height of a deviation), left to right. place: x
    and y of the name, as text."""
    upper = [f"{x:.1f},{y - spread:.1f}" for x, y, spread in points]
    lower = [f"{x:.1f},{y + spread:.1f}" for x, y, spread in reversed(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="currentColor"/>' for x, y, _ in points)
    return (f'<g class="{kind}"><polygon points="{" ".join(upper + lower)}" fill="currentColor" opacity=".2"/>'
            f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2"/>{marks}'
            f'<text class="name" x="{place[0]}" y="{place[1]}">{escape(name)}</text></g>')


def apart(heights):
    """The heights of labels, moved down until none covers another."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    moved = list(heights)
    for above, below in zip(order, order[1:]):
        moved[below] = max(moved[below], moved[above] + LINE_HEIGHT)
    return moved


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
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 286" role="img" aria-label="{escape(title)}">',
             f"<title>{escape(title)}</title><style>{style(colours)}</style>"]
    for number in range(low, high + 1):
        y, text = height(number / steps), f"{number / steps:.{1 if steps == 10 else 2}f}"
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/><text x="{LEFT - 8}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{text}</text>')
    parts += [f'<text x="{across(x):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{x:g}</text>' for x in xs]
    parts.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 42}" text-anchor="middle">{escape(x_title)}</text>')
    curves = {}
    for kind in sorted(levels, key=lambda name: list(colours).index(name) if name in colours else len(colours)):
        row = {float(x): list(seeds.values()) for x, seeds in levels[kind].items()}
        curves[kind] = [(across(x), height(mean(row[x])), (BOTTOM - TOP) * deviation(row[x]) / spread) for x in sorted(row)]
    labels = apart([points[-1][1] + 4 for points in curves.values()])
    parts += [curve(kind, points, NAMES.get(kind, kind), (f"{points[-1][0] + 10:.1f}", f"{label:.1f}"))
              for (kind, points), label in zip(curves.items(), labels)]
    return "\n".join(parts) + "\n</svg>\n"


def noise_levels_figure(levels):
    """Test accuracy by the noise of the codes. levels: {kind: {noise: {seed: accuracy}}}, noise as text."""
    return accuracy_figure("Accuracy by noise level", "standard deviation of the noise on both codes", levels, KINDS, highest=1)


def epochs_figure(title, curves):
    """Test accuracy after every epoch. curves: {kind of HEADS: the accuracies of each seed}."""
    levels = {kind: {str(epoch): dict(enumerate(values)) for epoch, values in enumerate(zip(*seeds), 1)}
              for kind, seeds in curves.items()}
    return accuracy_figure(title, "epoch", levels, HEADS)

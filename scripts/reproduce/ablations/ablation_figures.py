"""Pictures of the ablations: lines with bands over a logarithmic axis, or marks with bars beside labels."""

import math
from html import escape

from reproduce.figures.svg import BLUE, GREEN, ORANGE, apart, curve, grid_line, picture, x_axis
from reproduce.measured.spread import deviation, mean

COLOURS = (BLUE, ORANGE, GREEN, ("#8a4fbf", "#b98be0"))
CLASSES = {f"line{i}": colours for i, colours in enumerate(COLOURS)}
LEFT, RIGHT, TOP, BOTTOM, WIDTH = 62, 440, 20, 236, 620
LABELS, ROW = 190, 24  # of pictures with labels: where the axis begins, and the height of a row


def ticks(highest):
    """Multiples of 1, 2 or 5 times a power of ten from 0 to `highest`, at least four of them, and their decimals."""
    power = 10 ** math.floor(math.log10(highest / 4))
    step = max(factor * power for factor in (1, 2, 5) if factor * power <= highest / 4 * (1 + 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [i * step for i in range(int(highest / step + 1e-9) + 1)], decimals


def across(xs):
    """Maps x to the picture on a logarithmic axis from the least to the largest of xs."""
    low, high = math.log(min(xs)), math.log(max(xs))
    return lambda x: LEFT + 12 + (RIGHT - LEFT - 24) * (math.log(x) - low) / max(high - low, 1e-9)


def lines_figure(title, x_title, y_title, lines):
    """lines: (label, xs, values of all seeds at each x). Means with a band of one deviation to each side; y from 0."""
    xs = sorted({x for _, at, _ in lines for x in at})
    place = across(xs)
    top = max(mean(values) + deviation(values) for _, _, rows in lines for values in rows) or 1
    marks, decimals = ticks(top * 1.04)
    height = lambda y: BOTTOM - (BOTTOM - TOP) * max(y, 0) / (top * 1.04)
    parts = [f'<text class="title" x="{LEFT - 50}" y="12">{escape(y_title)}</text>',
             *[grid_line(LEFT, height(y), f"H{RIGHT}", f"{y:.{decimals}f}") for y in marks],
             *x_axis(xs, place, (LEFT, RIGHT), BOTTOM, x_title)]
    names = apart([height(mean(rows[-1])) for _, _, rows in lines])
    for i, (label, at, rows) in enumerate(lines):
        points = []
        for x, values in zip(at, rows):
            spread = min(deviation(values), mean(values))
            points.append((place(x), height(mean(values)), (BOTTOM - TOP) * spread / (top * 1.04)))
        name, at = label if len(lines) > 1 else "", (str(RIGHT + 4), f"{names[i] + 4:.1f}")
        parts.append(curve(f"line{i % len(COLOURS)}", points, name, at))
    return picture(WIDTH, 286, title, CLASSES, parts)


def marks_figure(title, x_title, groups):
    """groups: (group, [(label, values of all seeds)]). A mark at the mean with a bar of one deviation to each side."""
    top = 1.04 * max(mean(values) + deviation(values) for _, rows in groups for _, values in rows) or 1
    place = lambda value: LABELS + (WIDTH - LABELS - 20) * max(value, 0) / top
    rows_in_all = sum(len(rows) + (len(groups) > 1) for _, rows in groups)
    bottom = TOP + ROW * rows_in_all
    marks, decimals = ticks(top)
    parts = [f'<path class="grid" d="M{place(value):.1f} {TOP}V{bottom}"/><text x="{place(value):.1f}" '
             f'y="{bottom + 18}" text-anchor="middle">{value:.{decimals}f}</text>' for value in marks]
    y = TOP
    for i, (group, rows) in enumerate(groups):
        parts.append(f'<g class="line{i % len(COLOURS)}">')
        if len(groups) > 1:
            parts.append(f'<text class="name" x="{LABELS - 10}" y="{y + 17}" text-anchor="end">{escape(group)}</text>')
            y += ROW
        for label, values in rows:
            centre, spread, middle = mean(values), deviation(values), y + ROW / 2
            parts.append(f'<text x="{LABELS - 10}" y="{middle + 5:.0f}" text-anchor="end">{escape(label)}</text>'
                         f'<path d="M{place(centre - spread):.1f} {middle:.0f}H{place(centre + spread):.1f}" '
                         'stroke="currentColor" stroke-width="8" opacity=".3"/>'
                         f'<circle cx="{place(centre):.1f}" cy="{middle:.0f}" r="4.5" fill="currentColor"/>')
            y += ROW
        parts.append("</g>")
    parts.append(f'<text x="{(LABELS + WIDTH) / 2:.0f}" y="{bottom + 40}" text-anchor="middle">{escape(x_title)}</text>')
    return picture(WIDTH, bottom + 48, title, CLASSES, parts)

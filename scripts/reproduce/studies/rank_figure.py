"""Picture of rank collapse: a column for each state of the network, the whole network above, attention alone below."""

import math
from html import escape

from reproduce.figures.svg import BLUE, GREEN, GREY, ORANGE, band, dashed, grid_line, picture
from reproduce.measured.spread import deviation, mean

COLOURS = {"softmax": ORANGE, "sinkhorn": BLUE, "compiled": GREEN, "replaced": ORANGE, "bound": GREY}
DASHES = {"compiled": "5 4", "replaced": "5 4", "bound": "2 4"}  # of lines that may lie on others
NAMES = {"softmax": "softmax", "sinkhorn": "Sinkhorn", "compiled": "compiled", "replaced": "softmax in its place", "bound": "bound"}
LEFT, TOP, WIDE, HIGH, ACROSS, DOWN = 64, 66, 250, 170, 62, 58
FLOOR = -8  # decades; what lies below is rounding, or a bound that leaves nothing


def share(value, logarithmic):
    """Height in a panel, from 0 to 1."""
    if not logarithmic:
        return min(max(value, 0), 1)
    return 1 - min(max(math.log10(max(value, 1e-300)) / FLOOR, 0), 1)


def panel(x, y, title, lines, logarithmic):
    """lines: {line: values of all seeds at each depth}."""
    parts = [f'<text class="title" x="{x}" y="{y - 10}">{escape(title)}</text>']
    for tick in range(FLOOR, 1, 2) if logarithmic else (0, 0.25, 0.5, 0.75, 1):
        at = y + HIGH * (1 - share(10.0 ** tick if logarithmic else tick, logarithmic))
        text = ("1" if tick == 0 else f"1e{tick}") if logarithmic else f"{tick:g}"
        parts.append(grid_line(x, at, f"h{WIDE}", text))
    layers = max(len(rows) for rows in lines.values()) - 1
    place = lambda depth: x + WIDE * depth / layers
    parts += [f'<text x="{place(depth):.1f}" y="{y + HIGH + 18}" text-anchor="middle">{depth}</text>'
              for depth in range(0, layers + 1, 2 if layers > 6 else 1)]
    height = lambda value: y + HIGH * (1 - share(value, logarithmic))
    for name, rows in lines.items():
        means = [mean(values) for values in rows]
        upper, line, lower = ([(place(i), height(m + side * deviation(v))) for i, (m, v) in enumerate(zip(means, rows))]
                              for side in (1, 0, -1))
        parts.append(f'<g class="{name}">{band(upper, line, lower, DASHES.get(name, ""))}</g>')
    return parts


def by_depth(row, curve):
    """[values of all seeds] for each depth."""
    return [list(values) for values in zip(*row[curve].values())]


def rank_figure(title, rank):
    """rank: {state: {line: {curve: {seed: values by depth}}}}."""
    width = LEFT + len(rank) * WIDE + (len(rank) - 1) * ACROSS + 20
    height = TOP + 2 * HIGH + DOWN + 50
    parts, at = [], 20
    for line, name in NAMES.items():
        parts.append(f'<g class="{line}"><path d="M{at} 20h26" stroke="currentColor" stroke-width="2"'
                     f'{dashed(DASHES.get(line, ""))}/><text class="name" x="{at + 32}" y="24">{escape(name)}</text></g>')
        at += round(46 + 7.5 * len(name))
    for i, (state, rows) in enumerate(rank.items()):
        x = LEFT + i * (WIDE + ACROSS)
        network = {line: by_depth(row, "rank_residual") for line, row in rows.items()}
        alone = {line: by_depth(row, "pure_rank_residual") for line, row in rows.items()}
        if "sinkhorn" in rows:
            alone["bound"] = by_depth(rows["sinkhorn"], "pure_rank_bound")
        parts += panel(x, TOP, f"{state}: residual of the tokens", network, False)
        parts += panel(x, TOP + HIGH + DOWN, f"{state}: attention alone", alone, True)
    parts.append(f'<text x="{width / 2:.0f}" y="{height - 8}" text-anchor="middle">layers passed</text>')
    return picture(width, height, title, COLOURS, parts)

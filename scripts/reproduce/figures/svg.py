"""Parts of pictures for documents: self-contained SVG that follows the light or dark theme."""

from html import escape

# Colours that colour-blind readers can tell apart: (on a light background, on a dark background).
BLUE, ORANGE, GREEN, GREY = ("#2f6fde", "#74a3f5"), ("#d9822b", "#f0a35e"), ("#2a9d63", "#5cc98f"), ("#7a7f88", "#9aa0a9")
LINE_HEIGHT = 15


def style(colours):
    light = "".join(f".{kind}{{color:{light}}}" for kind, (light, _) in colours.items())
    dark = "".join(f".{kind}{{color:{dark}}}" for kind, (_, dark) in colours.items())
    return ("text{font:13px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}.name{fill:currentColor;font-weight:600}"
            f"{light}@media(prefers-color-scheme:dark){{text{{fill:#ccc}}.grid{{stroke:#3a3f47}}.name{{fill:currentColor}}{dark}}}")


def picture(width, height, title, colours, parts):
    """The whole file. colours: {class: (on a light background, on a dark one)}."""
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{escape(title)}">', f"<title>{escape(title)}</title><style>{style(colours)}</style>"]
    return "\n".join([*head, *parts]) + "\n</svg>\n"


def grid_line(left, y, run, text):
    """A horizontal line of the grid and the text at its left end. run: where it goes, such as H410 or h250."""
    return (f'<path class="grid" d="M{left} {y:.1f}{run}"/><text x="{left - 8}" y="{y + 4:.1f}" '
            f'text-anchor="end">{text}</text>')


def x_axis(xs, place, span, bottom, title):
    """The numbers below the bottom line and the axis's title. place: maps x to the picture; span: its left and right."""
    return [*[f'<text x="{place(x):.1f}" y="{bottom + 20}" text-anchor="middle">{x:g}</text>' for x in xs],
            f'<text x="{sum(span) / 2}" y="{bottom + 42}" text-anchor="middle">{escape(title)}</text>']


def dashed(dashes):
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def band(upper, line, lower, dashes=""):
    """A line in a band. All three are lists of (x, y), left to right."""
    text = lambda points: " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (f'<polygon points="{text(upper + lower[::-1])}" fill="currentColor" opacity=".2"/>'
            f'<polyline points="{text(line)}" fill="none" stroke="currentColor" stroke-width="2"{dashed(dashes)}/>')


def curve(kind, points, name, place):
    """Draws a band, a line, its marks and its name. points: (x, y of the mean, height of a deviation), left to right. place: x
    and y of the name, as text."""
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="currentColor"/>' for x, y, _ in points)
    drawn = band(*[[(x, y + side * spread) for x, y, spread in points] for side in (-1, 0, 1)])
    return f'<g class="{kind}">{drawn}{marks}<text class="name" x="{place[0]}" y="{place[1]}">{escape(name)}</text></g>'


def apart(heights):
    """The heights of labels, moved down until none covers another."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    moved = list(heights)
    for above, below in zip(order, order[1:]):
        moved[below] = max(moved[below], moved[above] + LINE_HEIGHT)
    return moved

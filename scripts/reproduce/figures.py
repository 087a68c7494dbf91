"""Pictures for documents: self-contained SVG that follows the light or dark theme."""

from html import escape

from spread import deviation, mean

# Colours that colour-blind readers can tell apart: (on a light background, on a dark background).
COLOURS = {"sinkhorn": ("#2f6fde", "#74a3f5"), "softmax": ("#d9822b", "#f0a35e"), "espformer": ("#7a7f88", "#9aa0a9")}
NAMES = {"sinkhorn": "Sinkhorn", "softmax": "softmax", "espformer": "ESPFormer"}
LEFT, RIGHT, TOP, BOTTOM = 56, 410, 16, 236


def style():
    light = "".join(f".{kind}{{color:{light}}}" for kind, (light, _) in COLOURS.items())
    dark = "".join(f".{kind}{{color:{dark}}}" for kind, (_, dark) in COLOURS.items())
    return ("text{font:13px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}.name{fill:currentColor;font-weight:600}"
            f"{light}@media(prefers-color-scheme:dark){{text{{fill:#ccc}}.grid{{stroke:#3a3f47}}.name{{fill:currentColor}}{dark}}}")


def curve(kind, points):
    """Draws a band, a line, its marks and its name. points: (x, y of the mean, height of a deviation), left to right."""
    upper = [f"{x:.1f},{y - spread:.1f}" for x, y, spread in points]
    lower = [f"{x:.1f},{y + spread:.1f}" for x, y, spread in reversed(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="currentColor"/>' for x, y, _ in points)
    x, y, _ = points[-1]
    return (f'<g class="{kind}"><polygon points="{" ".join(upper + lower)}" fill="currentColor" opacity=".2"/>'
            f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2"/>{marks}'
            f'<text class="name" x="{x + 10:.1f}" y="{y + 4:.1f}">{escape(NAMES.get(kind, kind))}</text></g>')


def noise_levels_figure(levels):
    """Test accuracy by the noise of the codes. levels: {kind: {noise: {seed: accuracy}}}, noise as text."""
    noises = sorted({float(noise) for row in levels.values() for noise in row})
    accuracies = [value for row in levels.values() for seeds in row.values() for value in seeds.values()]
    lowest = int(min(accuracies) * 10) / 10
    width = max(noises[-1] - noises[0], 1e-9)
    across = lambda noise: LEFT + 12 + (RIGHT - LEFT - 24) * (noise - noises[0]) / width
    height = lambda accuracy: BOTTOM - (BOTTOM - TOP) * (accuracy - lowest) / (1 - lowest)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 286" role="img" aria-label="Accuracy by noise level">',
             f"<title>Accuracy by noise level</title><style>{style()}</style>"]
    for tenth in range(round(lowest * 10), 11):
        y = height(tenth / 10)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/><text x="{LEFT - 8}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{tenth / 10:.1f}</text>')
    parts += [f'<text x="{across(noise):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{noise:g}</text>' for noise in noises]
    parts.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 42}" text-anchor="middle">standard deviation of the noise '
                 "on both codes</text>")
    for kind in sorted(levels, key=lambda name: list(COLOURS).index(name) if name in COLOURS else len(COLOURS)):
        row = {float(noise): list(seeds.values()) for noise, seeds in levels[kind].items()}
        points = [(across(noise), height(mean(row[noise])), (BOTTOM - TOP) * deviation(row[noise]) / (1 - lowest))
                  for noise in sorted(row)]
        parts.append(curve(kind, points))
    return "\n".join(parts) + "\n</svg>\n"

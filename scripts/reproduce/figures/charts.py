"""Charts of the report: as data for src/evaluate/draw/page/charts.js, and as static SVG for pages without scripts."""

from html import escape

from reproduce.measured.spread import deviation, mean

FAMILIES = (("teacher", "teacher"), ("softmax", "softmax"), ("sinkhorn", "truncated"), ("equal", "truncated"),
            ("f0", "zero-dual"), ("compiled", "compiled"))
WIDTH = 640


def family_of(name):
    """The colour family of a method or attention kind, as in src/evaluate/compare/method_family.cpp."""
    return next((family for prefix, family in FAMILIES if name.startswith(prefix)), "other")


def short(value):
    return float(f"{value:.4g}")


def scatter(points, x, y, lower_is_better=False):
    """points: (label, family, x, y)."""
    return {"kind": "scatter", "title": f"{y} against {x}", "x": x, "y": y, "lowerIsBetter": lower_is_better,
            "points": [{"label": label, "family": family, "x": short(px), "y": short(py)} for label, family, px, py in points]}


def bars(values, x, decimals):
    """values: (label, family, number)."""
    return {"kind": "bars", "title": x, "x": x, "decimals": decimals,
            "bars": [{"label": label, "family": family, "value": short(value)} for label, family, value in values]}


def spread_lines(lines, x, y):
    """lines: (label, family, xs, values of all seeds at each x). Shows means with a band of one deviation to each side."""
    return {"kind": "lines", "title": f"{y} by {x}", "x": x, "y": y, "logX": False, "logY": False, "fromZero": False,
            "lines": [{"label": label, "family": family, "x": xs, "y": [short(mean(values)) for values in rows],
                       "band": [short(deviation(values)) for values in rows]} for label, family, xs, rows in lines]}


def choice(title, options):
    """options: (name, chart)."""
    return {"kind": "choice", "title": title, "options": [{"name": name, "chart": chart} for name, chart in options]}


def still(chart):
    """Draws a chart, or the first option of a choice, as SVG."""
    if chart["kind"] == "choice":
        return still(chart["options"][0]["chart"])
    return {"scatter": still_scatter, "bars": still_bars}[chart["kind"]](chart)


def picture(height, title, parts):
    return (f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">\n'
            + "\n".join(parts) + "</svg>\n")


def still_scatter(chart):
    points = chart["points"]
    low, high = min(p["y"] for p in points), max(p["y"] for p in points)
    longest, span = max(p["x"] for p in points) or 1, max(high - low, 1e-6)
    parts = ['<path d="M60 24V250H630" fill="none" stroke="var(--line)"/>',
             f'<text class="title" x="345" y="290" text-anchor="middle">{escape(chart["x"])}</text>',
             f'<text class="title" x="0" y="14">{escape(chart["y"])}</text>',
             f'<text x="54" y="36" text-anchor="end">{high:.3f}</text>',
             f'<text x="54" y="246" text-anchor="end">{low:.3f}</text>',
             f'<text x="630" y="268" text-anchor="end">{longest:.3g}</text>']
    taken = []
    for p in sorted(points, key=lambda p: -p["y"]):
        x, y = 60 + 450 * p["x"] / longest, 240 - 205 * (p["y"] - low) / span
        text = y + 4
        while any(abs(text - other) < 14 and abs(x - at) < 120 for at, other in taken):
            text += 2
        taken.append((x, text))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="var(--{p["family"]})"/>'
                     f'<text x="{x + 9:.1f}" y="{text:.1f}">{escape(p["label"])}</text>')
    return picture(300, chart["title"], parts)


def still_bars(chart):
    left = 14 + 7.5 * max(len(bar["label"]) for bar in chart["bars"])
    longest = max(bar["value"] for bar in chart["bars"]) or 1
    parts = []
    for i, bar in enumerate(chart["bars"]):
        wide = max((WIDTH - left - 80) * bar["value"] / longest, 1)
        parts.append(f'<text x="{left - 8:.0f}" y="{i * 26 + 16}" text-anchor="end">{escape(bar["label"])}</text>'
                     f'<rect x="{left:.0f}" y="{i * 26 + 3}" width="{wide:.1f}" height="18" fill="var(--{bar["family"]})"/>'
                     f'<text x="{left + wide + 6:.0f}" y="{i * 26 + 16}">{bar["value"]:.{chart["decimals"]}f}</text>')
    height = 26 * len(chart["bars"]) + 26
    parts.append(f'<text class="title" x="{left:.0f}" y="{height - 8}">{escape(chart["x"])}</text>')
    return picture(height, chart["title"], parts)

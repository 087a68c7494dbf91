"""The frontier of agreement over attention time as one SVG, a panel for each teacher."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 430, 300, 52, 105, 34, 42
FAMILIES = (  # (title, colour, line between the points, test of a name)
    ("loop, float32", "#b2182b", True, lambda name: name.startswith("sinkhorn:")),
    ("loop, bfloat16", "#ef8a62", True, lambda name: name.startswith("sinkhorn_bf16:")),
    ("compiled, chosen", "#2166ac", False, lambda name: name in ("compiled", "compiled:cascade", "guarded")),
    ("compiled, one map in all layers", "#67a9cf", False, lambda name: "cascade" not in name),
)
LEFT_OUT = ("teacher", "softmax", "softmax_bf16", "warm")


def family_of(name):
    return next((family for family in FAMILIES if family[3](name)), None)


class Panel:
    """Axes: time over softmax's, and the share of predictions that differ, as a logarithm."""

    def __init__(self, rows, offset):
        self.rows = {name: row for name, row in rows.items() if name not in LEFT_OUT and family_of(name)}
        self.offset = offset
        self.longest = 1.05 * max(row["over_softmax"] for row in self.rows.values())
        # Fewer disagreements than these cannot be told apart with some thousand examples.
        self.least = 5e-4
        self.most = max(0.1, *(1 - row["agreement"] for row in self.rows.values()))

    def x(self, time):
        return self.offset + LEFT + (WIDTH - LEFT - RIGHT) * time / self.longest

    def y(self, agreement):
        share = math.log(max(1 - agreement, self.least) / self.least) / math.log(self.most / self.least)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def parts(self, title):
        yield f'<text x="{self.offset + LEFT}" y="16" font-weight="bold">{escape(title)}</text>'
        base, left, right = HEIGHT - BOTTOM, self.x(0), self.x(self.longest)
        for value in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999):
            if 1 - value <= self.most:
                y = self.y(value)
                yield f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="#ddd"/>'
                yield f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{str(value).lstrip("0")}</text>'
        step = 0.5 if self.longest < 3 else 1
        for index in range(int(self.longest / step) + 1):
            x = self.x(index * step)
            yield f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{index * step:g}</text>'
        yield f'<path d="M{left:.1f} {TOP}V{base}H{right:.1f}" fill="none" stroke="#666"/>'
        yield (f'<text x="{(left + right) / 2:.1f}" y="{base + 34}" text-anchor="middle">attention time / softmax\'s '
               '(float32)</text>')
        yield from self.marks()

    def marks(self):
        taken = []
        for _, colour, line, test in FAMILIES:
            points = sorted((self.x(row["over_softmax"]), self.y(row["agreement"]), name)
                            for name, row in self.rows.items() if family_of(name)[3] is test)
            if line and points:
                path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
                yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            for x, y, name in points:
                text = y + 4
                room = 20 if line else 90
                while any(abs(text - other) < 11 and abs(x - at) < room for at, other in taken):
                    text += 3
                taken.append((x, text))
                label = name.split(":")[-1] if line else name
                yield (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
                       f'<text x="{x + 7:.1f}" y="{text:.1f}" fill="{colour}">{escape(label)}</text>')


def frontier_figure(panels):
    """panels: {title: {method: {"agreement", "over_softmax"}}}."""
    parts = []
    for index, (title, rows) in enumerate(panels.items()):
        parts.extend(Panel(rows, index * WIDTH).parts(title))
    for index, (title, colour, _, _) in enumerate(FAMILIES):
        x = LEFT + index * 180
        parts.append(f'<circle cx="{x}" cy="{HEIGHT + 10}" r="4" fill="{colour}"/>'
                     f'<text x="{x + 8}" y="{HEIGHT + 14}">{title}</text>')
    width = max(WIDTH * len(panels), LEFT + 180 * len(FAMILIES))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 24}" font-family="sans-serif" '
            'font-size="11" fill="#333">\n<title>Agreement with the teacher over attention time</title>\n'
            f'<rect width="{width}" height="{HEIGHT + 24}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")

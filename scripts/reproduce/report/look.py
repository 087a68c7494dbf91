"""The look of the toolkit's reports: wraps a page's content in the style and scripts of src/evaluate/draw/page."""

import json
import os
import re
import sys
from html import escape
from pathlib import Path

from reproduce.figures.charts import still

PAGE = Path(__file__).resolve().parents[3] / "src" / "evaluate" / "draw" / "page"
# Where Debian's node-d3 installs d3; the same list as in src/evaluate/draw/page_parts.cpp.
INSTALLED = ("/usr/share/nodejs/d3/dist/d3.min.js", "/usr/share/javascript/d3/d3.min.js")


def plot_library():
    """The code of d3: the file that ASAP_D3 names ("none": no d3), else the installed one, else ""."""
    named = os.environ.get("ASAP_D3")
    if named == "none":
        return ""
    if named:
        try:
            return Path(named).read_text(encoding="utf-8")
        except OSError as error:
            sys.exit(f"reproduce: error: ASAP_D3: {error} (hint: set it to the path of d3.min.js, or to 'none')")
    return next((Path(path).read_text(encoding="utf-8") for path in INSTALLED if Path(path).is_file()), "")


def script(code):
    """A script element. Escapes whatever in the code would end it early."""
    code = re.sub("<(?=/script)", r"<\\", code, flags=re.IGNORECASE).replace("<!--", r"<\!--")
    return f"<script>{code}</script>\n"


def read(name):
    return (PAGE / name).read_text(encoding="utf-8")


class Figures:
    """Collects the charts of one page by name."""

    def __init__(self):
        self.charts = {}

    def add(self, chart, caption, picture=None):
        """Returns the chart's HTML with a static picture in it: the given SVG, or one drawn from the chart."""
        name = f"chart-{len(self.charts)}"
        self.charts[name] = chart
        return (f'<figure data-chart="{name}"><div class="drawing">\n{picture or still(chart)}</div>'
                f"<figcaption>{escape(caption)}</figcaption></figure>\n")


def page(title, subtitle, content, figures, library):
    """A complete, self-contained page. content: HTML."""
    data = json.dumps({"charts": figures.charts, "plans": None}, separators=(",", ":")).replace("<", "\\u003c")
    scripts = f'<script type="application/json" id="report-data">{data}</script>\n' + script(read("theme.js"))
    if library:
        scripts += script(library) + script(read("charts.js"))
    return (f'<!doctype html>\n<html lang="en" class="no-script"><head><meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)}</title><style>{read('page.css')}</style></head><body><main>\n"
            f'<header><div><h1>{escape(title)}</h1>\n<p class="soft">{escape(subtitle)}</p></div>'
            f'<button type="button" class="theme" aria-label="light or dark">Dark</button></header>\n'
            f"{content}</main>\n{scripts}</body></html>\n")

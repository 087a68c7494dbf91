"""The report: one HTML file with everything in it, and summary.json beside it."""

import json
from html import escape
from pathlib import Path

from figures import noise_levels_figure
from numbers_of_runs import EQUAL
from spread import mean, spread
from words import (cost_words, each_layer, frozen_words, overall_words, shift_words, sinkhorn_replacement_words,
                   softmax_replacement_words, training_words)

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#222;--soft:#667;--line:#ddd;--card:#f5f6f8;--mark:#c2410c}
@media(prefers-color-scheme:dark){:root{--back:#16181c;--text:#e4e6ea;--soft:#9aa;--line:#3a3f47;--card:#20242a;--mark:#fb923c}}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:52rem;margin:auto;padding:1rem}h1{font-size:1.5rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1rem}
.soft{color:var(--soft)}.scroll{overflow-x:auto}.warn{border-left:4px solid var(--mark);padding-left:.75rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}tr.subject{font-weight:600}
svg{width:100%;height:auto}svg text{fill:var(--text);font-size:12px}pre{background:var(--card);padding:.75rem;overflow-x:auto}
"""
COLUMNS = [("accuracy", "accuracy", 4), ("agreement", "agreement", 4), ("attention_milliseconds", "attention ms", 3),
           ("plan_l1", "plan L1", 4), ("column_error", "column error", 4)]


def table(header, rows):
    """rows: (cells, whether this is what the table is about)."""
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>"]
    for cells, subject in rows:
        mark = ' class="subject"' if subject else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>\n"


def label_of(name, rows):
    if name != EQUAL:
        return name
    counts = sorted(set(rows[name].get("iterations", {}).values()))
    return f"equal time (K = {', '.join(str(count) for count in counts)})"


def method_table(rows):
    """One row per method, mean ± deviation over seeds."""
    columns = list(COLUMNS)
    if any("imitated_agreement" in row for row in rows.values()):
        columns.append(("imitated_agreement", "as imitated", 4))
    lines = []
    for name, row in rows.items():
        cells = [spread(list(row.get(metric, {}).values()), digits) for metric, _, digits in columns]
        lines.append(([label_of(name, rows), *cells], name.startswith("compiled")))
    return table(["method", *[title for _, title, _ in columns]], lines)


def chart(rows):
    """Accuracy against milliseconds in attention, one labelled point per method."""
    points = [(label_of(name, rows), mean(list(row["attention_milliseconds"].values())),
               mean(list(row["accuracy"].values())), name.startswith("compiled"))
              for name, row in rows.items() if row.get("attention_milliseconds") and row.get("accuracy")]
    if len(points) < 2:
        return ""
    times, accuracies = [point[1] for point in points], [point[2] for point in points]
    low, high = min(accuracies), max(accuracies)
    longest, height = max(times), max(high - low, 1e-6)
    parts = ['<svg viewBox="0 0 640 300" role="img" aria-label="accuracy against milliseconds in attention">',
             '<path d="M60 10V250H630" fill="none" stroke="currentColor" opacity=".4"/>',
             '<text x="345" y="290" text-anchor="middle">milliseconds in attention per example</text>',
             f'<text x="55" y="25" text-anchor="end">{high:.3f}</text>',
             f'<text x="55" y="245" text-anchor="end">{low:.3f}</text>',
             f'<text x="630" y="268" text-anchor="end">{longest:.3g}</text>']
    for name, milliseconds, accuracy, subject in points:
        x, y = 60 + 480 * milliseconds / longest, 240 - 220 * (accuracy - low) / height
        colour = "var(--mark)" if subject else "currentColor"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
                     f'<text x="{x + 7:.1f}" y="{y + 4:.1f}">{escape(name)}</text>')
    return "\n".join(parts) + "</svg>\n"


def paragraphs(sentences):
    return f"<p>{escape(' '.join(sentences))}</p>\n" if sentences else ""


def section(title, content):
    return f"<h3>{escape(title)}</h3>\n{content}" if content else ""


def training_table(result):
    names = {"retrained": "softmax, then a fifth with sinkhorn"}
    rows = []
    for kind, row in result.get("training", {}).items():
        accuracy, speed = list(row["accuracy"].values()), list(row["examples_per_second"].values())
        rows.append(([names.get(kind, kind), spread(accuracy), spread(speed, 0)], kind == "sinkhorn"))
    if "linear" in result:
        rows.append((["TF-IDF, linear", f"{result['linear']:.4f}", "-"], False))
    return table(["trained with", "test accuracy", "examples/s in training"], rows) if rows else ""


def layer_table(rows, method):
    lines = [([f"layer {name.partition('@')[2]}", *layer_cells(rows[name])], False) for name in each_layer(rows, method)]
    if method in rows:
        lines.append((["all layers", *layer_cells(rows[method])], True))
    return table([method, "accuracy", "agreement", "plan L1"], lines) if len(lines) > 1 else ""


def layer_cells(row):
    return [spread(list(row.get(name, {}).values())) for name in ("accuracy", "agreement", "plan_l1")]


def replacement_section(rows, sentences):
    whole = {name: row for name, row in rows.items() if "@" not in name}
    methods = ["compiled", *[name for name in whole if name.startswith("sinkhorn:") and each_layer(rows, name)]]
    return (method_table(whole) if whole else "") + "".join(layer_table(rows, name) for name in methods) + paragraphs(sentences)


def cost_table(result):
    rows = [([kind, spread(row["milliseconds_per_step"], 1), f"{max(row['peak_bytes']) / 2**20:.0f}"],
             kind == "sinkhorn") for kind, row in result.get("cost", {}).items()]
    return table(["attention", "ms per training step", "peak memory of the process, data included, MiB"], rows) if rows else ""


def shift_table(result):
    lines = []
    for kind, rows in result.get("shift", {}).items():
        for name, title in (("shifted", f"{kind}: fitted on {rows.get('fitted on', '')}"),
                            ("ordinary", f"{kind}: fitted on the data as they are")):
            for method, row in rows.get(name, {}).items():
                if method == "compiled" or (method != "teacher" and name == "ordinary"):
                    text = title if method == "compiled" else f"{kind}: {method}"
                    r2 = rows.get("dual_r2", {}).get(name, {}) if method == "compiled" else {}
                    lines.append(([text, *layer_cells(row), spread(list(r2.values()), 3)], method == "compiled"))
    return table(["", "accuracy", "agreement", "plan L1", "dual R²"], lines) if lines else ""


def set_section(name, result):
    frozen = result.get("frozen", {})
    replacement = result.get("replacement", {})
    page = f"<h2>{escape(name)}</h2>\n"
    if "examples" in result:
        page += f'<p class="soft">judged on {result["examples"]} test examples; T = {result.get("iterations")}</p>\n'
    page += section("Trained networks", training_table(result) + paragraphs(training_words(result)))
    if len(result.get("noise_levels", {}).get("sinkhorn", {})) > 1:
        page += section("Trained with other noise", noise_levels_figure(result["noise_levels"]))
    if frozen:
        page += section("A frozen layer: accuracy against latency",
                        method_table(frozen) + chart(frozen) + paragraphs(frozen_words(result)))
    if "sinkhorn" in replacement:
        page += section("Layers of the Sinkhorn network replaced, nothing retrained",
                        replacement_section(replacement["sinkhorn"], sinkhorn_replacement_words(result)))
    if "softmax" in replacement:
        page += section("Layers of the softmax network replaced, nothing retrained",
                        replacement_section(replacement["softmax"], softmax_replacement_words(result)))
    page += section("Training cost at equal sizes", cost_table(result) + paragraphs(cost_words(result)))
    return page + section("Other data than those the map was fitted on",
                          shift_table(result) + paragraphs(shift_words(result)))


def left_out(title, entries):
    if not entries:
        return ""
    rows = "".join(f"<li>{escape(entry['what'])}: {escape(entry['reason'])}</li>" for entry in entries)
    return f"<h2>{title}</h2>\n<ul>{rows}</ul>\n"


def html(summary):
    """The whole page from what collect() and main.py put together."""
    seeds = summary["seeds"]
    page = ["<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Doubly stochastic attention, compiled: tables</title><style>{STYLE}</style></head><body><main>",
            "<h1>Doubly stochastic attention, compiled: tables</h1>",
            f'<p class="soft">{seeds} {"seed" if seeds == 1 else "seeds, mean ± standard deviation"}; '
            f'{escape(summary["machine"]["processor"])}; {escape(summary["machine"]["toolkit"])}</p>']
    if summary["quick"]:
        page.append('<p class="warn">Made with --quick: few training steps and few examples. The numbers show that '
                    "everything runs; they are not to be quoted.</p>")
    page.append(paragraphs(overall_words(summary)))
    page += [set_section(name, result) for name, result in summary["sets"].items()]
    page.append(left_out("Skipped", summary["skipped"]))
    page.append(left_out("Failed", summary["failed"]))
    page.append(f"<h2>How to make this again</h2><pre>{escape(summary['command'])}</pre></main></body></html>\n")
    return "\n".join(page)


def add_words(summary):
    """The sentences belong into summary.json, too."""
    summary["words"] = {"overall": overall_words(summary)}
    for name, result in summary["sets"].items():
        summary["words"][name] = {
            "training": training_words(result), "frozen": frozen_words(result),
            "replacement of sinkhorn": sinkhorn_replacement_words(result),
            "replacement of softmax": softmax_replacement_words(result),
            "cost": cost_words(result), "shift": shift_words(result)}


def write_report(out, summary):
    add_words(summary)
    Path(out, "report.html").write_text(html(summary), encoding="utf-8")
    for name, result in summary["sets"].items():
        if len(result.get("noise_levels", {}).get("sinkhorn", {})) > 1:
            Path(out, f"{name}_noise_levels.svg").write_text(noise_levels_figure(result["noise_levels"]), encoding="utf-8")
    Path(out, "summary.json").write_text(json.dumps(summary, indent=2) + "\n")

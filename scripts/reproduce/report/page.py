"""Writes the report, a self-contained HTML file, and summary.json beside it."""

import json
from html import escape
from pathlib import Path

from reproduce.ablations.ablation_report import ablation_sections, write_ablation_pictures
from reproduce.ablations.ablation_words import ablation_words
from reproduce.figures.accuracy import noise_levels_figure
from reproduce.figures.charts import bars, choice, family_of, scatter, spread_lines
from reproduce.measured.spread import mean, spread
from reproduce.report.look import Figures, page as whole_page, plot_library
from reproduce.report.numbers_of_runs import EQUAL
from reproduce.report.words import (cost_words, each_layer, frozen_words, overall_words, shift_words,
                                    sinkhorn_replacement_words, slack_replacement_words, softmax_replacement_words,
                                    training_words)
from reproduce.studies.kinds import (ESPFORMER_SLICES, KINDS_HEADER, TEMPERATURE_HEADER, kinds_rows, kinds_words,
                                     temperature_rows)
from reproduce.studies.long_sequences import HEADER as LONG_HEADER, long_rows
from reproduce.studies.rank_collapse import rank_section, rank_words, write_rank_picture

COLUMNS = [("accuracy", "accuracy", 4), ("agreement", "agreement", 4), ("attention_milliseconds", "attention ms", 3),
           ("plan_l1", "plan L1", 4), ("column_error", "column error", 4)]


def table(header, rows):
    """rows: (cells, whether to highlight the row)."""
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


MEASURES = [("accuracy", "accuracy", False), ("agreement", "agreement", False), ("plan_l1", "plan L1", True)]


def points_of(rows, measure):
    return [(label_of(name, rows), family_of(name), mean(list(row["attention_milliseconds"].values())),
             mean(list(row[measure].values())))
            for name, row in rows.items() if row.get("attention_milliseconds") and row.get(measure)]


def tradeoff(rows, figures):
    """Charts of each measure against milliseconds in attention, one labelled point per method."""
    measured = [(title, lower, points_of(rows, measure)) for measure, title, lower in MEASURES]
    options = [(title, scatter(points, "milliseconds in attention per example", title, lower))
               for title, lower, points in measured if len(points) > 1]
    if not options:
        return ""
    return figures.add(choice("quality against time in attention", options),
                       "Each mark is a method, averaged over seeds. Farther left is faster. Higher accuracy and agreement "
                       "are better; lower plan L1 is better. The dotted line is the Pareto front: no other method is "
                       "both faster and better.")


def layer_bars(rows, figures):
    """Share of predictions that change when one layer or all layers are replaced."""
    names = [*each_layer(rows, "compiled"), *(["compiled"] if "compiled" in rows else [])]
    values = [("all layers" if name == "compiled" else f"layer {name.partition('@')[2]}", family_of(name),
               1 - mean(list(rows[name]["agreement"].values()))) for name in names if rows[name].get("agreement")]
    if len(values) < 2:
        return ""
    return figures.add(bars(values, "share of predictions that change", 4),
                       "Effect of replacing one layer, or all layers, by the compiled operator; mean over seeds.")


def noise_levels(levels, figures):
    """Accuracy by the noise of the codes, one line per attention kind."""
    lines = []
    for kind, row in levels.items():
        at = sorted(row, key=float)
        lines.append((kind, family_of(kind), [float(noise) for noise in at], [list(row[noise].values()) for noise in at]))
    return figures.add(spread_lines(lines, "standard deviation of the noise on both codes", "test accuracy"),
                       "Accuracy of networks trained on matching at increasing noise levels: mean over seeds, with a band "
                       "of one standard deviation to each side.", noise_levels_figure(levels))


def title_of(kind):
    """The name of a kind whose cost was measured."""
    return f"espformer, {ESPFORMER_SLICES} slices" if kind == "espformer_few" else kind


def cost_bars(result, figures):
    values = [(title_of(kind), family_of(kind), mean(row["milliseconds_per_step"])) for kind, row in result.get("cost", {}).items()]
    if len(values) < 2:
        return ""
    return figures.add(bars(values, "milliseconds per training step", 1), "Time of a training step at equal model sizes.")


def shift_bars(result, figures):
    """Share of predictions that differ on shifted data, for maps fitted on other data and on all data."""
    values = []
    for kind, rows in result.get("shift", {}).items():
        for place, title in (("shifted", "fitted on other data"), ("ordinary", "fitted on all data")):
            for method in ("compiled", "sinkhorn:2"):
                row = rows.get(place, {}).get(method, {})
                if row.get("agreement") and (method == "compiled" or place == "shifted"):
                    label = f"{kind}: {title}" if method == "compiled" else f"{kind}: {method}"
                    values.append((label, family_of(method), 1 - mean(list(row["agreement"].values()))))
    if len(values) < 2:
        return ""
    return figures.add(bars(values, "share of predictions that differ from the teacher's", 4),
                       "Results on data unlike those the map was fitted on, next to a map fitted on all data.")


def paragraphs(sentences):
    if not sentences:
        return ""
    return '<ul class="words">\n' + "".join(f"<li>{escape(sentence)}</li>\n" for sentence in sentences) + "</ul>\n"


def section(title, content):
    return f"<h3>{escape(title)}</h3>\n{content}" if content else ""


def training_table(result):
    names = {"retrained": "softmax, then sinkhorn for a fifth of the steps", "slack": "sinkhorn with slack"}
    rows = []
    for kind, row in result.get("training", {}).items():
        accuracy, speed = list(row["accuracy"].values()), list(row["examples_per_second"].values())
        rows.append(([names.get(kind, kind), spread(accuracy), spread(speed, 0)], kind == "sinkhorn"))
    if "linear" in result:
        rows.append((["TF-IDF, linear", f"{result['linear']:.4f}", "-"], False))
    return table(["attention", "test accuracy", "training examples/s"], rows) if rows else ""


def layer_table(rows, method):
    lines = [([f"layer {name.partition('@')[2]}", *layer_cells(rows[name])], False) for name in each_layer(rows, method)]
    if method in rows:
        lines.append((["all layers", *layer_cells(rows[method])], True))
    return table([method, "accuracy", "agreement", "plan L1"], lines) if len(lines) > 1 else ""


def layer_cells(row):
    return [spread(list(row.get(name, {}).values())) for name in ("accuracy", "agreement", "plan_l1")]


def replacement_section(rows, sentences, figures):
    whole = {name: row for name, row in rows.items() if "@" not in name}
    methods = ["compiled", *[name for name in whole if name.startswith("sinkhorn:") and each_layer(rows, name)]]
    parts = [method_table(whole) + tradeoff(whole, figures)] if whole else []
    parts += [layer_bars(rows, figures), *[layer_table(rows, name) for name in methods], paragraphs(sentences)]
    return "".join(parts)


def mebibytes(values, digits):
    return f"{max(values) / 2**20:.{digits}f}" if values else "-"


def cost_table(result):
    rows = [([title_of(kind), spread(row["milliseconds_per_step"], 1), mebibytes(row.get("step_peak_bytes"), 1),
              mebibytes(row["peak_bytes"], 0)], kind == "sinkhorn") for kind, row in result.get("cost", {}).items()]
    return table(["attention", "ms per training step", "peak memory of a step, MiB",
                  "peak memory of the process including data, MiB"], rows) if rows else ""


def shift_table(result):
    lines = []
    for kind, rows in result.get("shift", {}).items():
        for name, title in (("shifted", f"{kind}: fitted on {rows.get('fitted on', '')}"),
                            ("ordinary", f"{kind}: fitted on all data")):
            for method, row in rows.get(name, {}).items():
                if method == "compiled" or (method != "teacher" and name == "ordinary"):
                    text = title if method == "compiled" else f"{kind}: {method}"
                    r2 = rows.get("dual_r2", {}).get(name, {}) if method == "compiled" else {}
                    lines.append(([text, *layer_cells(row), spread(list(r2.values()), 3)], method == "compiled"))
    return table(["", "accuracy", "agreement", "plan L1", "dual R²"], lines) if lines else ""


def set_section(name, result, figures):
    frozen = result.get("frozen", {})
    replacement = result.get("replacement", {})
    page = f"<h2 id=\"{escape(name)}\">{escape(name)}</h2>\n"
    if "examples" in result:
        page += f'<p class="soft">evaluated on {result["examples"]} test examples; Sinkhorn iterations T = {result.get("iterations")}</p>\n'
    page += section("Trained networks", training_table(result) + paragraphs(training_words(result)))
    if len(result.get("noise_levels", {}).get("sinkhorn", {})) > 1:
        page += section("Accuracy by noise level", noise_levels(result["noise_levels"], figures))
    if frozen:
        page += section("One frozen layer: accuracy against latency",
                        method_table(frozen) + tradeoff(frozen, figures) + paragraphs(frozen_words(result)))
    if "sinkhorn" in replacement:
        page += section("Sinkhorn network with replaced layers, not retrained",
                        replacement_section(replacement["sinkhorn"], sinkhorn_replacement_words(result), figures))
    if "softmax" in replacement:
        page += section("Softmax network with replaced layers, not retrained",
                        replacement_section(replacement["softmax"], softmax_replacement_words(result), figures))
    if "slack" in replacement:
        page += section("Sinkhorn network with slack and replaced layers, not retrained",
                        replacement_section(replacement["slack"], slack_replacement_words(result), figures))
    page += ablation_sections(name, result, figures)
    page += section("Rank collapse by depth", rank_section(name, result) + paragraphs(rank_words(result)))
    page += section("Training cost at equal model sizes", cost_table(result) + cost_bars(result, figures) + paragraphs(cost_words(result)))
    return page + section("Data unlike those the map was fitted on",
                          shift_table(result) + shift_bars(result, figures) + paragraphs(shift_words(result)))


def left_out(title, entries):
    if not entries:
        return ""
    rows = "".join(f"<li>{escape(entry['what'])}: {escape(entry['reason'])}</li>" for entry in entries)
    return f"<h2>{title}</h2>\n<ul>{rows}</ul>\n"


def overview(sets):
    """One row per set: accuracy, agreement and speed-up with all layers compiled."""
    lines = []
    for name, result in sets.items():
        rows = result.get("replacement", {}).get("sinkhorn", {})
        if "compiled" not in rows or "teacher" not in rows:
            continue
        time = {method: mean(list(rows[method]["attention_milliseconds"].values())) for method in ("teacher", "compiled")}
        equal = rows.get(EQUAL, {}).get("agreement", {})
        lines.append(([name, spread(list(rows["teacher"]["accuracy"].values())), spread(list(rows["compiled"]["accuracy"].values())),
                       spread(list(rows["compiled"]["agreement"].values())), spread(list(equal.values())),
                       f"{time['teacher'] / time['compiled']:.2f}"], False))
    if not lines:
        return ""
    return ("<h2>Overview</h2>\n" + table(["set", "teacher", "compiled", "agreement", "agreement at equal time", "speed-up"], lines)
            + '<p class="soft">All layers of the Sinkhorn network are compiled; nothing is retrained. The columns show the '
            "accuracy of the teacher and of the compiled network, the agreement of the compiled network and of the truncated "
            "Sinkhorn of equal time with the teacher, and how much faster attention becomes.</p>\n")


LONG_CAPTION = ("All layers are compiled; nothing is retrained. The columns show accuracy, agreement, and examples per second "
                "of the whole network: also divided by those of our fastest loop and of the loop as it is published; the "
                "time in attention of our loop divided by the operator's, and the operator's divided by softmax's in the "
                "same precision; and the most agreement of any loop, whole or cut, in float or bfloat16, that takes no "
                "longer than the operator.")
KINDS_CAPTION = (f"Test accuracy. Every kind has the same steps, batches and widths; slack is Sinkhorn with bounded column sums, "
                 f"and ESPFormer sorts by {ESPFORMER_SLICES} coordinates of a head instead of all.")
TEMPERATURE_CAPTION = ("The inverse temperature of ESPFormer's soft sort that is best on a part of the training data, and test "
                       f"accuracy there. Time and memory are those of a training step with {ESPFORMER_SLICES} slices, divided "
                       "by Sinkhorn's.")


def table_of_sets(title, header, rows, caption):
    """A table with a row per set; nothing without rows."""
    if not rows:
        return ""
    return (f"<h2>{escape(title)}</h2>\n" + table(header, [(cells, False) for cells in rows])
            + f'<p class="soft">{escape(caption, quote=False)}</p>\n')


def tables_of_sets(sets):
    return [table_of_sets("Long sequences", LONG_HEADER, long_rows(sets), LONG_CAPTION),
            table_of_sets("Every attention kind with an equal budget", KINDS_HEADER, kinds_rows(sets), KINDS_CAPTION),
            paragraphs(kinds_words(sets)),
            table_of_sets("ESPFormer at its best temperature", TEMPERATURE_HEADER, temperature_rows(sets),
                          TEMPERATURE_CAPTION)]


def html(summary, library=None):
    """The whole page from the summary of collect() and main.py. library: code of d3; None: the installed one."""
    seeds, figures, content = summary["seeds"], Figures(), []
    if summary["quick"]:
        content.append('<p class="warn">Made with --quick: few training steps and few examples. The numbers only show that '
                       "everything runs; do not quote them.</p>")
    content += [paragraphs(overall_words(summary)), overview(summary["sets"]), *tables_of_sets(summary["sets"])]
    content += [set_section(name, result, figures) for name, result in summary["sets"].items()]
    content.append(left_out("Skipped", summary["skipped"]))
    content.append(left_out("Failed", summary["failed"]))
    content.append(f"<h2>How to reproduce this report</h2>\n<pre>{escape(summary['command'])}</pre>\n")
    subtitle = (f'{seeds} {"seed" if seeds == 1 else "seeds, mean ± standard deviation"}; '
                f'{summary["machine"]["processor"]}; {summary["machine"]["toolkit"]}')
    return whole_page("Compiled doubly stochastic attention: tables", subtitle, "\n".join(content), figures,
                      plot_library() if library is None else library)


def add_words(summary):
    """Adds the report's sentences to the summary."""
    summary["words"] = {"overall": overall_words(summary)}
    for name, result in summary["sets"].items():
        summary["words"][name] = {
            "training": training_words(result), "frozen": frozen_words(result),
            "replacement of sinkhorn": sinkhorn_replacement_words(result),
            "replacement of softmax": softmax_replacement_words(result),
            "cost": cost_words(result), "shift": shift_words(result), "ablations": ablation_words(result),
            "rank collapse": rank_words(result)}


def write_report(out, summary):
    add_words(summary)
    Path(out, "report.html").write_text(html(summary), encoding="utf-8")
    for name, result in summary["sets"].items():
        write_ablation_pictures(out, name, result)
        write_rank_picture(out, name, result)
        if len(result.get("noise_levels", {}).get("sinkhorn", {})) > 1:
            Path(out, f"{name}_noise_levels.svg").write_text(noise_levels_figure(result["noise_levels"]), encoding="utf-8")
    Path(out, "summary.json").write_text(json.dumps(summary, indent=2) + "\n")

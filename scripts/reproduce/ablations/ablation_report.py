"""The ablations in the report: a picture, a chart and one sentence each."""

from html import escape
from pathlib import Path

from reproduce.ablations.ablation_figures import lines_figure, marks_figure
from reproduce.ablations.ablation_words import ablation_words
from reproduce.ablations.ablation_points import METRICS, all_ablations
from reproduce.figures.charts import bars, spread_lines
from reproduce.measured.spread import mean


def measured(ablation, rows):
    """[(line, [(at, values of all seeds)])] of the ablation's metric, for what has been measured."""
    lines = {}
    for point in ablation.points:
        values = list(rows.get(point.line, {}).get(str(point.at), {}).get(ablation.metric, {}).values())
        if values:
            lines.setdefault(point.line, []).append((point.at, values))
    return list(lines.items())


def is_numeric(ablation):
    return all(isinstance(point.at, (int, float)) for point in ablation.points)


def picture_of(name, ablation, lines):
    title, metric = f"{ablation.title}, {name}", METRICS[ablation.metric]
    if is_numeric(ablation):
        return lines_figure(title, ablation.x, metric,
                            [(line, [at for at, _ in row], [values for _, values in row]) for line, row in lines])
    return marks_figure(title, metric, lines)


def chart_of(ablation, lines):
    metric = METRICS[ablation.metric]
    if is_numeric(ablation):
        chart = spread_lines([(line, "compiled" if i == 0 else "other", [at for at, _ in row], [values for _, values in row])
                              for i, (line, row) in enumerate(lines)], ablation.x, metric)
        return chart | {"logX": True, "fromZero": True}
    return bars([(at if len(lines) == 1 else f"{line}: {at}", "compiled", mean(values))
                 for line, row in lines for at, values in row], metric, 4)


def pictures(name, result):
    """[(ablation, lines, SVG)] for what has been measured on this set."""
    found = []
    for ablation in all_ablations():
        lines = measured(ablation, result.get("ablations", {}).get(ablation.name, {}))
        if any(len(row) > 1 for _, row in lines):
            found.append((ablation, lines, picture_of(name, ablation, lines)))
    return found


def ablation_sections(name, result, figures):
    """HTML of all ablations of one set; "" without any."""
    words = ablation_words(result)
    content = ""
    for ablation, lines, picture in pictures(name, result):
        caption = f"{ablation.title}: means over seeds; bands and bars reach one standard deviation to each side."
        content += f"<h4>{escape(ablation.title)}</h4>\n{figures.add(chart_of(ablation, lines), caption, picture)}"
        if ablation.name in words:
            content += f'<ul class="words">\n<li>{escape(words[ablation.name])}</li>\n</ul>\n'
    return f"<h3>Ablations</h3>\n{content}" if content else ""


def write_ablation_pictures(out, name, result):
    for ablation, _, picture in pictures(name, result):
        Path(out, f"{name}_ablation_{ablation.name}.svg").write_text(picture, encoding="utf-8")

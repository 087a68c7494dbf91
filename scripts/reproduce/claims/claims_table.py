"""The table "paper claim, our number, command" of a run, as Markdown: DIR/claims.md and a part of README.md."""

import re
from pathlib import Path

from reproduce.claims.claims import ATTENTION_RESULTS, CLAIMS
from reproduce.stages.sources import how_to_get

BEGIN = "<!-- written by scripts/reproduce.sh --update-readme -->"
END = "<!-- end of what scripts/reproduce.sh wrote -->"
README = Path(__file__).resolve().parent.parent / "README.md"
RESULTS = README.parent / ATTENTION_RESULTS
TABLE = "Networks with compiled attention"  # the section of RESULTS whose table holds the results of full runs
LINK = f"{ATTENTION_RESULTS}#{TABLE.lower().replace(' ', '-')}"


def three_seeds(cell, falling=False):
    """'.8851 ± .0011' as three values of that mean and deviation."""
    centre, _, deviation = cell.partition("±")
    steps = (1, 0, -1) if falling else (-1, 0, 1)
    return {str(seed): float(centre) + step * float(deviation or 0) for seed, step in enumerate(steps, 1)}


def sets_of_full_runs(text):
    """The results in the table of full runs, in the form of collect(). text: of RESULTS. Seeds that the table leaves out
    are put so that differences deviate by the sum of both deviations, the most they can."""
    section = text.partition(f"## {TABLE}\n")[2].partition("\n## ")[0]
    sets = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) > 3 and re.fullmatch(r"[.\d]+( ± [.\d]+)?", cells[1]):
            softmax, sinkhorn, compiled = three_seeds(cells[1], True), three_seeds(cells[2]), three_seeds(cells[3])
            sets[cells[0]] = {
                "training": {"sinkhorn": {"accuracy": sinkhorn}, "softmax": {"accuracy": softmax}},
                "replacement": {"sinkhorn": {"teacher": {"accuracy": sinkhorn}, "compiled": {"accuracy": compiled}}}}
    return sets


def command_of(claim, summary):
    """The options of scripts/reproduce.sh that a row's numbers come from or would come from. Most sets had the first of
    these budgets; the others are named."""
    by_steps = {}
    if "kinds" in claim.experiments:
        for name, result in summary["sets"].items():
            for steps in result.get("cut_to", [])[-1:] if claim.items({name: result}) else []:
                by_steps.setdefault(steps, []).append(name)
    budgets = sorted(by_steps, key=lambda steps: -len(by_steps[steps]))
    others = [f"; {', '.join(by_steps[steps])}: `--steps {steps}`" for steps in budgets[1:]]
    return f"`--experiments {claim.experiments}{f' --steps {budgets[0]}' if budgets else ''}`" + "".join(others)


def number_of(claim, summary, earlier):
    """The cell of the numbers: of this run, else of the table of full runs, else where they are."""
    for sets, source in ((summary["sets"], ""), (earlier, f"[full runs]({LINK}): ")):
        items = claim.items(sets)
        if items:
            return source + re.sub(r"(?<![\d.])0\.", ".", "; ".join(items))  # .8860 as elsewhere on the page
    return claim.elsewhere or "not measured"


def absent_lines(summary):
    """One line for each set without data: where it comes from, and the command that fills its cells. One for sets whose
    data are there and that this run has no results of."""
    lines = [f"- `{name}` is absent. {how_to_get(name)}, then run `scripts/reproduce.sh --data {name}`."
             for name in summary.get("absent", []) if how_to_get(name)]
    unmeasured = summary.get("unmeasured", [])
    if unmeasured:
        lines.append(f"- The run behind this table has no results of {', '.join(unmeasured)}: `scripts/reproduce.sh --data {','.join(unmeasured)}`.")
    return lines


def claims_markdown(summary, results=""):
    """The table and the sets that are absent. results: the text of RESULTS, for those of full runs."""
    earlier = sets_of_full_runs(results)
    seeds = ("one seed, where differences of accuracy below .01 do not count" if summary["seeds"] == 1
             else f"{summary['seeds']} seeds")
    lines = ["The command of a row is `scripts/reproduce.sh` with the options of its last cell. Numbers in **bold** miss the",
             f"claim. Unless a cell says otherwise: {seeds}.", ""]
    for paper, claims in CLAIMS.items():
        lines += [f"| {paper}: claim | our number | command |", "|---|---|---|"]
        for claim in claims:
            number = number_of(claim, summary, earlier)
            lines.append(f"| {claim.claim} | {claim.unit}: {number} | {command_of(claim, summary)} |")
        lines.append("")
    lines += absent_lines(summary)
    return "\n".join(lines).rstrip() + "\n"


def with_claims(readme, claims):
    """The README with this table between its markers. Raises ValueError without both."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README lacks the lines '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n\n{claims}\n{END}{after}"


def write_claims(out, summary, update_readme=False):
    """Writes DIR/claims.md and, if asked for, the README."""
    claims = claims_markdown(summary, RESULTS.read_text(encoding="utf-8"))
    Path(out, "claims.md").write_text(claims, encoding="utf-8")
    if update_readme:
        README.write_text(with_claims(README.read_text(encoding="utf-8"), claims), encoding="utf-8")

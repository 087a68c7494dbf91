"""The table "paper claim, our number, command" of a run, as Markdown: DIR/claims.md and a part of README.md."""

import re
from pathlib import Path

from reproduce.claims.claims import CLAIMS
from reproduce.claims.pages import pages
from reproduce.stages.sources import how_to_get

BEGIN = "<!-- written by scripts/reproduce.sh --update-readme -->"
END = "<!-- end of what scripts/reproduce.sh wrote -->"
README = Path(__file__).resolve().parent.parent / "README.md"


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


def number_of(claim, summary, pages):
    """The cell of the numbers, by set: of pages that tell of more seeds than this run, of the run, of other pages; else
    where they are."""
    more, fewer = ([(page.source(), page.sets) for page in pages if (page.count() > summary["seeds"]) == wanted]
                   for wanted in (True, False))
    parts, told = [], set()
    for source, sets in [*more, ("", summary["sets"]), *fewer]:
        left = {name: result for name, result in sets.items() if name not in told}
        items = claim.items(left)
        if items:
            own = "this run: " if told and not source else ""
            parts.append((source or own) + "; ".join(items))
            told |= {name for name, result in left.items() if claim.items({name: result})}
    return re.sub(r"(?<![\d.])0\.", ".", "; ".join(parts)) or claim.elsewhere or "not measured"  # .8860 as on other pages


def absent_lines(summary):
    """One line for each set without data: where it comes from, and the command that fills its cells. One for sets whose
    data are there and that this run has no results of."""
    lines = [f"- `{name}` is absent. {how_to_get(name)}, then run `scripts/reproduce.sh --data {name}`."
             for name in summary.get("absent", []) if how_to_get(name)]
    unmeasured = summary.get("unmeasured", [])
    if unmeasured:
        lines.append(f"- The run behind this table has no results of {', '.join(unmeasured)}: `scripts/reproduce.sh --data {','.join(unmeasured)}`.")
    return lines


def claims_markdown(summary, pages=()):
    """The table and the sets that are absent."""
    seeds = ("one seed, where differences of accuracy below .01 do not count" if summary["seeds"] == 1
             else f"{summary['seeds']} seeds")
    lines = ["The command of a row is `scripts/reproduce.sh` with the options of its last cell. Numbers in **bold** miss the",
             f"claim. Unless a cell says otherwise: {seeds}.", ""]
    for paper, claims in CLAIMS.items():
        lines += [f"| {paper}: claim | our number | command |", "|---|---|---|"]
        for claim in claims:
            number = number_of(claim, summary, pages)
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
    claims = claims_markdown(summary, pages())
    Path(out, "claims.md").write_text(claims, encoding="utf-8")
    if update_readme:
        README.write_text(with_claims(README.read_text(encoding="utf-8"), claims), encoding="utf-8")

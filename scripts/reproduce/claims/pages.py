"""The tables of results on pages of the project as numbers, for claims that a run says less of."""

import re
from dataclasses import dataclass
from pathlib import Path

from reproduce.claims.claims import ATTENTION_RESULTS, HEADS_RESULTS

FOLDER = Path(__file__).resolve().parent.parent  # of the README that holds the table of claims
FULL_RUNS = "Networks with compiled attention"  # the section of ATTENTION_RESULTS with the table of full runs
HEADS = "Behind convolutions"  # the section of HEADS_RESULTS with the accuracies after every epoch
NUMBER = r"[.\d]+( ± [.\d]+)?"
SETS = {"CIFAR-10": "cifar10", "Fashion-MNIST": "fashion_mnist"}  # as those headings say them
SEEDS = {"two": 2, "three": 3, "four": 4, "five": 5}  # as headings say it


@dataclass
class Page:
    seeds: str  # "three"
    link: str
    sets: dict  # in the form of collect()

    def count(self):
        return SEEDS.get(self.seeds, 0)

    def source(self):
        return f"[{self.seeds} seeds]({self.link}): "


def three_seeds(cell, falling=False):
    """'.8851 ± .0011' as three values of that mean and deviation."""
    centre, _, deviation = cell.partition("±")
    steps = (1, 0, -1) if falling else (-1, 0, 1)
    return {str(seed): float(centre) + step * float(deviation or 0) for seed, step in enumerate(steps, 1)}


def lines_of(text, section):
    """The lines of a section as lists of cells; those of tables have more than one."""
    heading = re.search(rf"^(#+) {re.escape(section)}\n", text, re.MULTILINE)
    if not heading:
        return []
    rest = text[heading.end():]
    following = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    lines = rest[:following.start()] if following else rest
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()]


def link_of(page, section):
    return f"{page}#{section.lower().replace(' ', '-')}"


def full_runs(text):
    """The table of full runs. text: of ATTENTION_RESULTS. Seeds that the table leaves out are put so that differences
    deviate by the sum of both deviations, the most they can."""
    sets = {}
    for cells in lines_of(text, FULL_RUNS):
        if len(cells) > 3 and re.fullmatch(NUMBER, cells[1]):
            softmax, sinkhorn, compiled = three_seeds(cells[1], True), three_seeds(cells[2]), three_seeds(cells[3])
            sets[cells[0]] = {
                "training": {"sinkhorn": {"accuracy": sinkhorn}, "softmax": {"accuracy": softmax}},
                "replacement": {"sinkhorn": {"teacher": {"accuracy": sinkhorn}, "compiled": {"accuracy": compiled}}}}
    return Page("three", link_of(ATTENTION_RESULTS, FULL_RUNS), sets)


def heads(text):
    """The tables of dense heads behind convolutions, '| CIFAR-10, five seeds | epoch 1 | 2 | ...'. text: of
    HEADS_RESULTS. Seeds are put as in full_runs. Tables of one seed are left out."""
    sets, seeds, rows = {}, [], None
    for cells in lines_of(text, HEADS):
        name, _, count = cells[0].partition(", ")
        if len(cells) > 1 and cells[1] == "epoch 1":
            count = count.partition(" ")[0]
            rows = sets.setdefault(SETS[name], {"heads": {}})["heads"] if count in SEEDS else None
            seeds += [count] if count in SEEDS else []
        elif rows is not None and len(cells) > 1 and re.fullmatch(NUMBER, cells[1]):
            kind = name.lower()
            columns = [three_seeds(cell, kind != "region") for cell in cells[1:-1]]  # the last: time
            rows[kind] = {"epochs": {seed: [column[seed] for column in columns] for seed in columns[0]}}
    return Page(min(seeds, key=SEEDS.get, default=""), link_of(HEADS_RESULTS, HEADS), sets)


def pages():
    return [full_runs((FOLDER / ATTENTION_RESULTS).read_text(encoding="utf-8")),
            heads((FOLDER / HEADS_RESULTS).read_text(encoding="utf-8"))]

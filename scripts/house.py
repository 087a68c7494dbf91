#!/usr/bin/env python3
"""The house: how src is cut into folders, read from the CMake targets and the sources themselves.

    scripts/house.py check         checks what the list below names and prints one line for each; exit code 1 on a finding
    scripts/house.py draw [FILE]   draws the folders and their dependencies, default data/figures/house.svg

Checked: every #include follows a dependency that CMake names, and none runs backwards; no folder of src holds more than
20 units; no two headers define the same qualified name; every header of src/NAME lives in namespace asap::NAME; every
folder of src has a README.md; README.md keeps within its size; links between documents lead somewhere, and the code they
quote exists; the picture is up to date; none of the phrases below, which readers stumbled over, occurs in the project.
"""

import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = "data/figures/house.svg"
MOST_UNITS = 20
README_LINES, README_COLUMNS = 220, 120
MACHINE_MADE = re.compile(r"tests/(fuzz/corpus|golden/data|compatibility/data)/")
PHRASES = ("so many", "stands twice", "rightness", "by turns", "straight ways?", "learned by heart", "which else",
           "asks for", "read for ever", "is no matter of")


class House:
    """Folders of src with sources ("region/fit"), their units and what each may include."""

    def __init__(self, root=ROOT):
        self.root, self.source = root, root / "src"
        self.units = defaultdict(set)
        self.files = {}
        for path in sorted(self.source.rglob("*")):
            if path.suffix in (".h", ".cpp"):
                folder = path.parent.relative_to(self.source).as_posix()
                self.units[folder].add(path.stem)
                self.files[path] = folder
        declared = {}
        for path in sorted(self.source.rglob("CMakeLists.txt")):
            for name, words in re.findall(r"^asap_(?:library|python_module)\((\w+)(?: DEPENDS ([^)]*))?\)", path.read_text(), re.M):
                declared[path.parent.relative_to(self.source).as_posix()] = (name, words.split())
        folder_of = {"asap_" + name: folder for folder, (name, _) in declared.items()}
        self.direct = {folder: [folder_of[word] for word in words if word in folder_of]
                       for folder, (_, words) in declared.items()}

    def reachable(self, folder):
        """Every folder that `folder` may include, itself left out."""
        found, waiting = set(), list(self.direct.get(folder, ()))
        while waiting:
            other = waiting.pop()
            if other not in found:
                found.add(other)
                waiting += self.direct.get(other, ())
        return found


def without_comments(text):
    """C++ without comments, string literals and preprocessor lines."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)


def names_defined(text):
    """Qualified names of the types, aliases, concepts and constants that a header defines at namespace scope."""
    scopes, statement, names = [], "", []
    for token in re.findall(r"[{};]|[^{};]+", without_comments(text)):
        if token == "{":
            match = re.search(r"\bnamespace\s+([\w:]*)\s*$", statement)
            if match:
                scopes.append(match.group(1))
            else:
                if all(scope is not None for scope in scopes):
                    match = re.search(r"\b(?:struct|class|enum class|enum|union)\s+(\w+)(?:\s+final)?\s*(?::[^:].*)?$",
                                      statement.strip(), re.S)
                    constant = re.search(r"\bconstexpr\b[^=(]*\b(\w+)(?:\[\w*\])?\s*=?\s*$", statement)
                    if match or constant:
                        names.append("::".join([*scopes, (match or constant).group(1)]))
                scopes.append(None)
            statement = ""
        elif token == "}":
            if scopes:
                scopes.pop()
            statement = ""
        elif token == ";":
            if all(scope is not None for scope in scopes):
                match = (re.search(r"\b(?:using|concept)\s+(\w+)\s*=", statement)
                         or re.search(r"\bconstexpr\b[^=(]*\b(\w+)(?:\[\w*\])?\s*=", statement))
                if match:
                    names.append("::".join([*scopes, match.group(1)]))
            statement = ""
        else:
            statement += token
    return names


def text_files(root):
    """Files of the project that people read, as (name, text)."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "-c", "-o", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path == Path(__file__).resolve() or not path.is_file() or MACHINE_MADE.match(name):
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            pass


def arrow_findings(house):
    for path, folder in house.files.items():
        allowed = house.reachable(folder) | {folder}
        for included in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            other = Path(included).parent.as_posix()
            if not (house.source / included).is_file():
                yield f"{path.relative_to(house.root)} includes {included}, which is not in src"
            elif other not in allowed:
                kind = "backwards" if folder in house.reachable(other) else "undeclared"
                yield f"{path.relative_to(house.root)} includes {included}: {kind}, {other} is not among what {folder} depends on"


def cycle_findings(house):
    for folder in house.direct:
        if folder in house.reachable(folder):
            yield f"{folder} depends on itself"


def unit_findings(house):
    for folder, units in house.units.items():
        if len(units) > MOST_UNITS:
            yield f"src/{folder} holds {len(units)} units"


def name_findings(house):
    defined = defaultdict(set)
    for path in house.files:
        if path.suffix == ".h":
            for name in names_defined(path.read_text()):
                defined[name].add(path.relative_to(house.root).as_posix())
    for name, paths in sorted(defined.items()):
        if len(paths) > 1 and "HWY_NAMESPACE" not in name:
            yield f"{name} is defined by {' and '.join(sorted(paths))}"


def namespace_findings(house):
    for path, folder in house.files.items():
        top = folder.split("/")[0]
        for name in re.findall(r"^namespace (asap[\w:]*)", without_comments(path.read_text()), re.M):
            if name != f"asap::{top}" and not name.startswith(f"asap::{top}::"):
                yield f"{path.relative_to(house.root)} opens namespace {name}, expected asap::{top}"


def readme_findings(house):
    folders = set(house.units) | {folder.split("/")[0] for folder in house.units}
    for folder in sorted(folders):
        if not (house.source / folder / "README.md").is_file():
            yield f"src/{folder} has no README.md"
    lines = (house.root / "README.md").read_text(encoding="utf-8").split("\n")
    if len(lines) > README_LINES + 1:
        yield f"README.md has {len(lines) - 1} lines"
    for number, line in enumerate(lines, 1):
        if len(line) > README_COLUMNS:
            yield f"README.md:{number} has {len(line)} characters"


def phrase_findings(house):
    pattern = re.compile(rf"\b({'|'.join(PHRASES)})\b".replace(" ", r"\s+"), re.I)
    for name, text in text_files(house.root):
        for match in pattern.finditer(text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: \"{' '.join(match.group(0).split())}\""


def anchor(title):
    """The anchor that a Markdown heading gets."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def link_findings(house):
    for name, text in text_files(house.root):
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
            file, _, heading = target.partition("#")
            path = house.root / name if not file else (house.root / name).parent / file
            if re.match(r"[a-z]+:", target):
                continue
            if not path.exists():
                yield f"{name} links to {target}, which does not exist"
            elif heading and heading not in map(anchor, re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)):
                yield f"{name} links to {target}, but there is no such heading"


def quote_findings(house):
    sources = " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in house.files)
    for path in sorted(house.source.rglob("README.md")):
        for block in re.findall(r"^```cpp\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M):
            for line in filter(None, (" ".join(line.split()) for line in block.split("\n"))):
                if line not in sources:
                    yield f"{path.relative_to(house.root)} quotes code that is not in src: {line}"


def picture_findings(house):
    path = house.root / PICTURE
    if not path.is_file() or fingerprint(house) not in path.read_text(encoding="utf-8"):
        yield f"{PICTURE} is not up to date (hint: scripts/house.py draw)"


def check():
    house = House()
    largest = max(house.units, key=lambda folder: len(house.units[folder]))
    longest = max(len(line) for line in (ROOT / "README.md").read_text(encoding="utf-8").split("\n"))
    checks = [
        ("arrows that run backwards or are not declared", arrow_findings),
        ("cycles of folders", cycle_findings),
        (f"folders of more than {MOST_UNITS} units (the largest: src/{largest}, {len(house.units[largest])})", unit_findings),
        ("qualified names that two headers define", name_findings),
        ("files outside the namespace of their folder", namespace_findings),
        (f"folders without README.md, lines of README.md over {README_COLUMNS} characters (the longest: {longest})",
         readme_findings),
        ("links between documents that lead nowhere", link_findings),
        ("lines of code that documents quote and src does not hold", quote_findings),
        ("phrases that readers stumble over", phrase_findings),
        ("pictures of the house that are out of date", picture_findings),
    ]
    failed = False
    for title, findings in checks:
        found = list(findings(house))
        print(f"{len(found):4}  {title}")
        for line in found[:40]:
            print(f"      {line}")
        failed |= bool(found)
    return 1 if failed else 0


# --- The picture: laid out by Graphviz -------------------------------------------------------------------------------

def top_graph(house):
    """What each top folder includes from others, those that follow from others left out."""
    graph = defaultdict(set)
    for folder, others in house.direct.items():
        top = folder.split("/")[0]
        graph[top] |= {other.split("/")[0] for other in others} - {top}
    graph["apps"] = {"cli", "train", "compile", "evaluate", "region"} & set(graph)

    def reach(top):
        return set().union(*({other} | reach(other) for other in graph[top]))

    reached = {top: reach(top) for top in list(graph)}
    return {top: sorted(other for other in others if not any(other in reached[third] for third in others))
            for top, others in sorted(graph.items())}


def rooms_of(house, top):
    return [folder.split("/")[1] for folder in house.direct if folder.startswith(top + "/")]


def dot_source(house):
    """The house for Graphviz: a box for each top folder, its sub-folders in rows of three."""
    lines = ["digraph house {", "  graph [bgcolor=transparent, ranksep=0.38, nodesep=0.22, margin=0]",
             '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", color="#8c959f", fontname="Helvetica",'
             " fontsize=12, margin=\"0.09,0.05\"]", '  edge [color="#8c959f", arrowsize=0.6]']
    for top, others in top_graph(house).items():
        rooms = rooms_of(house, top)
        rows = [", ".join(rooms[start:start + 3]) for start in range(0, len(rooms), 3)]
        small = "".join(f'<br/><font point-size="10" color="#57606a">{row}</font>' for row in rows)
        lines.append(f"  {top} [label=<<b>{top}</b>{small}>]")
        lines += [f"  {top} -> {other}" for other in others]
    return "\n".join(lines) + "\n}\n"


def fingerprint(house):
    return "drawn by scripts/house.py from " + hashlib.sha256(dot_source(house).encode()).hexdigest()[:16]


def draw(path):
    house = House()
    try:
        drawn = subprocess.run(["dot", "-Tsvg"], input=dot_source(house), check=True, capture_output=True, text=True)
    except FileNotFoundError:
        print("house.py: error: dot not found (hint: apt-get install graphviz)", file=sys.stderr)
        return 1
    path.write_text(drawn.stdout.replace("<svg ", f"<!-- {fingerprint(house)} -->\n<svg ", 1), encoding="utf-8")
    print(path)
    return 0


def main(words):
    if words == ["check"]:
        return check()
    if words[:1] == ["draw"] and len(words) <= 2:
        return draw(Path(words[1]) if len(words) == 2 else ROOT / PICTURE)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

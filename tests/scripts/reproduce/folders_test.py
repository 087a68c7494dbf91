"""The folders of scripts/reproduce: each has a page and imports only from those that README.md names above it."""

import re
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "scripts" / "reproduce"
MOST_FILES = 20


class Folders(unittest.TestCase):
    def setUp(self):
        table = FOLDER.joinpath("README.md").read_text(encoding="utf-8").partition("## The code")[2]
        self.order = re.findall(r"^\| \[(\w+)\]\(\w+/README\.md\)", table, re.M)

    def test_are_all_in_the_table_and_have_pages_and_few_files(self):
        self.assertEqual(sorted(self.order), sorted({path.parent.name for path in FOLDER.glob("*/*.py")}))
        for name in self.order:
            page = FOLDER.joinpath(name, "README.md").read_text(encoding="utf-8")
            files = [path.name for path in FOLDER.joinpath(name).glob("*.py")]
            self.assertLessEqual(len(files), MOST_FILES)
            for file in files:
                self.assertIn(f"`{file}`", page, f"{name}/README.md")

    def test_import_only_from_those_above(self):
        for path in FOLDER.glob("*/*.py"):
            allowed = self.order[:self.order.index(path.parent.name) + 1]
            for other in re.findall(r"^from reproduce\.(\w+)", path.read_text(encoding="utf-8"), re.M):
                self.assertIn(other, allowed, path)


if __name__ == "__main__":
    unittest.main()

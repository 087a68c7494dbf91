"""scripts/house.py finds every kind of fault that it names, in a small house made for the purpose."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
import house  # noqa: E402


class SmallHouse(unittest.TestCase):
    """base <- io <- app of one header each, without a fault."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write("README.md", "Short.\n")
        self.write("src/CMakeLists.txt", "function(asap_library name)\nendfunction()\n")
        for name, depends in (("base", ""), ("io", " DEPENDS asap_base ZLIB::ZLIB"), ("app", " DEPENDS asap_io")):
            self.write(f"src/{name}/CMakeLists.txt", f"asap_library({name}{depends})\n")
            self.write(f"src/{name}/README.md", "What it is for.\n")
        self.write("src/base/error.h", "#pragma once\nnamespace asap::base {\nstruct Error {};\n}\n")
        self.write("src/io/json.h", '#include "base/error.h"\nnamespace asap::io {\nusing Json = int;\n}\n')
        self.write("src/app/main.h", '#include "io/json.h"\n#include "base/error.h"\nnamespace asap::app {\n}\n')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self, findings):
        return list(findings(house.House(self.root)))

    def test_a_house_without_fault_has_no_finding(self):
        for findings in (house.arrow_findings, house.cycle_findings, house.unit_findings, house.name_findings,
                         house.namespace_findings, house.readme_findings, house.link_findings, house.quote_findings,
                         house.phrase_findings):
            self.assertEqual(self.found(findings), [], findings.__name__)

    def test_an_arrow_that_runs_backwards_is_named_with_both_ends(self):
        self.write("src/base/error.h", '#include "io/json.h"\n')
        [finding] = self.found(house.arrow_findings)
        self.assertIn("src/base/error.h includes io/json.h: backwards", finding)

    def test_an_arrow_that_cmake_does_not_name_is_found(self):
        self.write("src/io/CMakeLists.txt", "asap_library(io)\n")
        self.assertTrue(any("undeclared" in finding for finding in self.found(house.arrow_findings)))

    def test_an_include_of_nothing_is_found(self):
        self.write("src/base/error.h", '#include "base/absent.h"\n')
        self.assertIn("not in src", self.found(house.arrow_findings)[0])

    def test_a_cycle_is_found(self):
        self.write("src/base/CMakeLists.txt", "asap_library(base DEPENDS asap_app)\n")
        self.assertEqual(len(self.found(house.cycle_findings)), 3)

    def test_a_crowded_folder_is_found(self):
        for index in range(house.MOST_UNITS):
            self.write(f"src/base/unit_{index}.h", "")
        self.assertEqual(self.found(house.unit_findings), [f"src/base holds {house.MOST_UNITS + 1} units"])

    def test_a_name_that_two_headers_define_is_found_and_overloads_are_not(self):
        self.write("src/base/other.h", "namespace asap::base {\nclass Error final : Base {\n};\nvoid f(int);\n}\n")
        self.write("src/base/third.h", "namespace asap::base {\nstruct Error;\nvoid f(double);\n}\n")
        [finding] = self.found(house.name_findings)
        self.assertIn("asap::base::Error is defined by src/base/error.h and src/base/other.h", finding)

    def test_constants_aliases_and_enumerations_count_as_names_and_members_do_not(self):
        names = house.names_defined("namespace asap::x {\ninline constexpr int kA[] = {1};\nconstexpr double kB = 2;\n"
                                    "using C = int;\nenum class D { one };\nstruct E {\n  int kB;\n  struct F {};\n};\n"
                                    "// struct G {};\nconst char* h = \"struct I {\";\n}\n")
        self.assertEqual(names, [f"asap::x::{name}" for name in ("kA", "kB", "C", "D", "E")])

    def test_a_foreign_namespace_is_found(self):
        self.write("src/io/json.h", "namespace asap::base {\n}\n")
        self.assertIn("expected asap::io", self.found(house.namespace_findings)[0])

    def test_a_missing_readme_and_a_long_line_are_found(self):
        (self.root / "src/io/README.md").unlink()
        self.write("README.md", "x" * (house.README_COLUMNS + 1) + "\n" * (house.README_LINES + 1))
        self.assertEqual(len(self.found(house.readme_findings)), 3)

    def test_a_phrase_is_found_with_file_and_line_even_across_lines(self):
        self.write("src/io/README.md", "One.\nThere are so\n" + "many of them.\n")
        self.assertEqual(self.found(house.phrase_findings), ['src/io/README.md:2: "so' + ' many"'])

    def test_links_that_lead_nowhere_are_found(self):
        self.write("src/io/README.md", "[a](json.h) [b](absent.md) [c](../base/README.md#what) [d](https://x.org/y)\n")
        self.assertEqual(len(self.found(house.link_findings)), 2)
        self.write("src/base/README.md", "# What\n")
        self.assertEqual(len(self.found(house.link_findings)), 1)

    def test_quoted_code_that_does_not_exist_is_found(self):
        self.write("src/io/README.md", "```cpp\nusing   Json = int;\nusing Json = long;\n```\n")
        [finding] = self.found(house.quote_findings)
        self.assertIn("using Json = long;", finding)

    def test_a_picture_of_another_house_is_out_of_date(self):
        picture = self.root / house.PICTURE
        picture.parent.mkdir(parents=True)
        picture.write_text(f"<!-- {house.fingerprint(house.House(self.root))} --><svg/>", encoding="utf-8")
        self.assertEqual(self.found(house.picture_findings), [])
        self.write("src/io/CMakeLists.txt", "asap_library(io)\n")
        self.assertIn("not up to date", self.found(house.picture_findings)[0])


if __name__ == "__main__":
    unittest.main()

"""The shell completions and manual pages that the executables write: they work, and shells and man accept them."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", "build/bin")).resolve()
PROGRAMS = ("asap-train", "asap-compile", "asap-eval", "relu-fit")


def written(program, form):
    return subprocess.run([BINARIES / program, "--help-format", form], check=True, capture_output=True, text=True).stdout


def completions(program, *words):
    """Bash's completions of the last of these words."""
    text = written(program, "bash")
    line = " ".join(f"'{word}'" for word in (program, *words))
    script = (f"{text}\ncompopt() {{ :; }}\nCOMP_WORDS=({line})\nCOMP_CWORD={len(words)}\n"
              f"_{program.replace('-', '_')}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    done = subprocess.run(["bash", "--norc", "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.split()


class Bash(unittest.TestCase):
    def test_options_begin_as_typed(self):
        self.assertEqual(completions("asap-train", "--max"), ["--max-steps"])
        self.assertIn("--out", completions("asap-train", "--o"))
        self.assertEqual(completions("asap-train", "--config", "x", "--qui"), ["--quiet"])

    def test_subcommands_and_their_own_options(self):
        self.assertEqual(completions("asap-eval", "dia"), ["diagnose"])
        self.assertEqual(completions("relu-fit", "fit", "--keep"), ["--keep-shape"])
        self.assertEqual(completions("relu-fit", "floor", "--keep"), [])

    def test_words_of_an_option_and_keys_of_the_configuration(self):
        self.assertEqual(completions("asap-compile", "--slice-kind", ""), ["canonical", "random"])
        self.assertEqual(completions("relu-fit", "fit", "--method", "s"), ["skip", "smooth"])
        self.assertEqual(completions("asap-train", "--set", "train.ep"), ["train.epochs="])
        self.assertEqual(completions("asap-train", "--dump-config", "min"), ["minimal"])
        self.assertIn("--json", completions("asap-train", "--dump-config", "--j"))

    def test_folders(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "run").mkdir()
            self.assertEqual(completions("asap-compile", "--run", f"{folder}/r"), [f"{folder}/run"])


class Syntax(unittest.TestCase):
    def check(self, command, form, suffix):
        """Checks that a program accepts the text without complaint. Skips the test if the program is not installed."""
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not installed")
        with tempfile.TemporaryDirectory() as folder:
            for program in PROGRAMS:
                path = Path(folder, program + suffix)
                path.write_text(written(program, form))
                done = subprocess.run([*command, path], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), program)
                yield program, done.stdout

    def test_of_shells(self):
        for shell, form in (("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")):
            with self.subTest(shell):
                for _ in self.check([shell, "-n"], form, ""):
                    pass

    def test_of_manual_pages(self):
        for program, text in self.check(["man", "--warnings", "--local-file"], "man", ".1"):
            for part in (program, "--threads", "ASAP_DATA_DIR"):
                self.assertIn(part, text)
            headings = [line for line in text.splitlines() if line == line.strip() and line.isupper()]
            self.assertEqual([heading for heading in headings if heading not in ("COMMANDS", "CONFIGURATION")],
                             ["NAME", "SYNOPSIS", "DESCRIPTION", *(["OPTIONS"] if "COMMANDS" not in headings else []),
                              "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"])

    def test_a_format_that_is_not_there_is_refused(self):
        done = subprocess.run([BINARIES / "asap-train", "--help-format", "bsh"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'bash'?", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Opens reports in a real browser, operates their controls, looks for errors and saves pictures of the pages.

    report_test.py BIN_FOLDER PICTURE_FOLDER

Exits with code 77 if no browser is installed."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from webdriver import Browser, installed

SKIPPED = 77
RIGHT = "\ue014"  # the arrow key
PHONE, DESK = (390, 844), (1280, 900)
METHODS = "teacher,softmax,sinkhorn:1,sinkhorn:2,f0,compiled,compiled+1"
TRAINING = ["data.kind=shapes", "data.classes=4", "data.shapes.examples=512", "data.shapes.test_examples=128",
            "data.shapes.image_size=16", "model.patch=2", "model.width=16", "model.heads=2", "model.layers=2",
            "model.attention.iterations=6", "train.batch=16", "train.epochs=3", "train.learning_rate=0.01"]

bin_folder = pictures = None


def run(program, *words):
    done = subprocess.run([bin_folder / program, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{program} {' '.join(map(str, words))}: {done.stderr}")


def make_reports(folder):
    """Makes the reports of a small run, with and without the plot library. The run's name contains hostile markup."""
    training = [word for assignment in TRAINING for word in ("--set", assignment)]
    run("asap-train", *training, "--out", folder / "run</script><b>")
    teacher = folder / "run</script><b>"
    run("asap-compile", "--run", teacher, "--out", folder / "operator", "--calibration", 64, "--set", "held_out=32",
        "--features", "lse,lse0,it:1")
    run("asap-eval", "bench", "--sizes", "64,128,256", "--head-width", 16, "--rounds", 1, "--forms",
        "softmax,sinkhorn_exp,compiled", "--out", folder / "bench")
    compare = ["compare", "--run", teacher, "--compiled", folder / "operator", "--methods", METHODS]
    run("asap-eval", *compare, "--bench", folder / "bench", "--out", folder / "compare")
    run("asap-eval", *compare, "--plot-library", "none", "--out", folder / "still")
    run("asap-eval", "diagnose", "--run", teacher, "--compiled", folder / "operator", "--examples", 16, "--out",
        folder / "diagnose")


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        paths, _ = installed()
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        make_reports(cls.folder)
        cls.browser = Browser(paths, cls.folder / "profile")
        cls.addClassCleanup(cls.browser.close)

    def open(self, name, size=DESK, scale=1):
        self.browser.resize(*size, scale)
        self.browser.open(self.folder / name / "report.html")
        self.browser.run("localStorage.clear()")
        self.browser.settle()

    def count(self, selector):
        return self.browser.run("return document.querySelectorAll(arguments[0]).length", selector)

    def shown(self):
        return self.browser.run("return document.querySelector('[data-plans]').dataset.shown")

    def pixels(self, panel):
        """One panel's heat map as a text, for comparisons."""
        return self.browser.run(
            'return document.querySelectorAll(".plans .panel")[arguments[0]].querySelector("canvas").toDataURL()', panel)

    def colours(self, panel):
        """The number of colours in one panel's heat map."""
        return self.browser.run("""
            const canvas = document.querySelectorAll(".plans .panel")[arguments[0]].querySelector("canvas");
            const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(pixels.buffer)).size""", panel)

    def assert_quiet(self):
        self.assertEqual(self.browser.console(), [])

    def assert_fits(self):
        """Asserts that nothing reaches beyond the screen's right edge."""
        wide = self.browser.run("return Math.max(document.documentElement.scrollWidth, innerWidth)")
        self.assertLessEqual(wide, PHONE[0], "the page scrolls sideways")

    def picture(self, name):
        self.browser.settle()
        self.browser.screenshot(pictures / f"{name}.png")

    def test_the_charts_are_drawn(self):
        self.open("compare")
        if not self.browser.run("return Boolean(window.d3)"):
            self.skipTest("d3 (Debian's node-d3) is not installed")
        methods = METHODS.count(",") + 1
        self.assertEqual(self.count("figure[data-chart=tradeoff] svg.plot path.mark"), methods)
        self.assertEqual(self.count("figure[data-chart=distance] svg.plot rect.mark"), methods - 1)
        self.assertEqual(self.count("figure[data-chart=duals] svg.plot path.dots"), 4)
        self.assertEqual(self.count("figure[data-chart=column-error] svg.plot path.curve"), 4)
        self.assertEqual(self.count("figure[data-chart=scaling] svg.plot path.curve"), 3)
        self.assertEqual(self.count("figure[data-chart=loss] svg.plot path.curve"), 2)
        self.assertEqual(self.count("table svg.spark"), 4)
        self.assertEqual(self.count("svg.asap-chart"), 0, "a still picture was not replaced")
        self.browser.click("figure[data-chart=tradeoff] .segments button:nth-child(3)")
        self.assertEqual(self.count("figure[data-chart=tradeoff] svg.plot path.mark"), methods)
        self.assert_quiet()

    def test_labels_do_not_cover_each_other(self):
        for size in (DESK, PHONE):
            self.open("compare", size)
            covered = self.browser.run("""
                const boxes = [...document.querySelectorAll("figure[data-chart=tradeoff] text.label")]
                  .map(text => [text.textContent, text.getBoundingClientRect()]);
                return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
                  p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
                  .map(([b]) => a + " covers " + b))""")
            self.assertEqual(covered, [])

    def test_sliders_and_examples_change_the_plans(self):
        self.open("compare")
        self.assertEqual(self.count(".plans .panel canvas.over"), 6)
        before, shown = self.pixels(0), self.shown()
        self.assertGreater(self.colours(0), 10, "the teacher's plan is blank")
        for slider in ("layer", "head"):
            self.browser.press(f".plans input[aria-label={slider}]", RIGHT)
            self.assertNotEqual(self.shown(), shown)
            self.assertNotEqual(self.pixels(0), before)
            before, shown = self.pixels(0), self.shown()
        shaded = self.pixels(3)
        self.browser.press(".plans input[aria-label=token]", RIGHT)
        self.assertEqual(self.pixels(0), before, "the plan does not depend on the token")
        self.assertNotEqual(self.pixels(3), shaded)
        self.browser.click(".plans .choice button:nth-child(2)")
        self.assertNotEqual(self.pixels(0), before)
        self.browser.click(".plans .panel:nth-child(1) canvas.over")
        self.assertRegex(self.shown(), r"^1 1 1 3[0-9]$", "a click in the middle chooses the token there")
        self.assert_quiet()

    def test_light_and_dark(self):
        self.open("compare")
        back = "return getComputedStyle(document.body).backgroundColor"
        light, plan = self.browser.run(back), self.pixels(0)
        self.picture("compare-light-1280")
        self.browser.click("button.theme")
        self.browser.settle()
        self.assertNotEqual(self.browser.run(back), light)
        self.assertNotEqual(self.pixels(0), plan, "heat maps follow the theme")
        self.picture("compare-dark-1280")
        self.browser.command("/refresh")
        self.assertNotEqual(self.browser.run(back), light, "the choice is remembered")
        self.browser.run("localStorage.clear()")
        self.browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.browser.command("/refresh")
        self.assertNotEqual(self.browser.run(back), light, "the page follows the system's setting")
        self.browser.devtools("Emulation.setEmulatedMedia", features=[])
        self.assert_quiet()

    def test_fits_a_phone(self):
        for name in ("compare", "still", "diagnose"):
            self.open(name, PHONE, 2)
            self.assert_fits()
            self.picture(f"{name}-light-390")
        self.open("compare", PHONE, 2)
        self.browser.click("button.theme")
        self.picture("compare-dark-390")
        self.assert_quiet()

    def test_without_the_library_pictures_stand_still_and_plans_move(self):
        self.open("still")
        self.assertEqual(self.count("svg.plot"), 0)
        self.assertGreaterEqual(self.count("figure svg.asap-chart"), 6)
        shown = self.shown()
        self.browser.press(".plans input[aria-label=layer]", RIGHT)
        self.assertNotEqual(self.shown(), shown)
        self.picture("still-light-1280")
        self.assert_quiet()

    def test_texts_of_users_stay_texts(self):
        self.open("compare")
        self.assertEqual(self.count("main b"), 4 + self.count(".cloud b"), "only the headline and panels are bold")
        self.assertIn("run</script><b>", self.browser.run("return document.querySelector('pre').textContent"))

    def test_the_diagnosis_is_drawn(self):
        self.open("diagnose")
        self.assertGreaterEqual(self.count("figure[data-chart]"), 4)
        self.picture("diagnose-light-1280")
        self.assert_quiet()


if __name__ == "__main__":
    _, missing = installed()
    if missing:
        print(f"skipped: {', '.join(missing)} not found (hint: scripts/setup.sh --ci)")
        sys.exit(SKIPPED)
    bin_folder, pictures = Path(sys.argv[1]), Path(sys.argv[2])
    pictures.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)

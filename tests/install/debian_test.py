#!/usr/bin/env python3
"""Packs the build into Debian packages, installs them in an empty root with a dpkg database of its own, runs the tour of
README.md and an outside C99 project from there, and removes them. Skipped where the build found no dpkg-dev."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["ASAP_BUILD_DIR"])
CMAKE = os.environ.get("ASAP_CMAKE", "cmake")
TESTS = Path(__file__).resolve().parent.parent
PROGRAMS = ("asap-train", "asap-compile", "asap-eval", "relu-fit")


def run(*words, **settings):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(str(word) for word in words)}: {done.stdout}{done.stderr}")
    return done.stdout


def files_below(folder):
    """All files and folders but dpkg's own notes."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")
            if not path.relative_to(folder).as_posix().startswith("var/")}


class DebianTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        config = BUILD / "CPackConfig.cmake"
        if not config.exists():
            raise unittest.SkipTest("this build makes no Debian packages (hint: apt install dpkg-dev, then configure)")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = Path(folder.name)
        run(Path(CMAKE).parent / "cpack", "--config", config, "-B", cls.work / "packages", "-D", "CPACK_XZ_LEVEL=1",
            cwd=cls.work)
        cls.packages = {run("dpkg-deb", "--field", path, "Package").strip(): path
                        for path in (cls.work / "packages").glob("*.deb")}
        cls.library = next((name for name in cls.packages if name.startswith("libasap0")), None)

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).strip()

    def content(self, package):
        listed = run("dpkg-deb", "--contents", self.packages[package]).splitlines()
        return {line.split()[5].removeprefix("./") for line in listed if not line.startswith("d")}

    def test_there_are_three_packages_and_each_holds_its_part(self):
        self.assertEqual(set(self.packages), {"asap", self.library, "libasap-dev"})
        programs = self.content("asap")
        for name in PROGRAMS:
            for path in (f"bin/{name}", f"share/man/man1/{name}.1.gz", f"share/bash-completion/completions/{name}",
                         f"share/zsh/vendor-completions/_{name}", f"share/fish/vendor_completions.d/{name}.fish"):
                self.assertIn(f"usr/{path}", programs)
        self.assertIn("usr/share/asap/configs/train/shapes_sinkhorn.json", programs)
        for package in self.packages:
            for path in ("copyright", "changelog.Debian.gz"):
                self.assertIn(f"usr/share/doc/{package}/{path}", self.content(package))
        self.assertEqual(len([path for path in self.content(self.library) if "libasap.so." in path]), 2)
        development = self.content("libasap-dev")
        self.assertIn("usr/include/asap/asap.h", development)
        for end in ("/libasap.so", "/pkgconfig/asap.pc", "/cmake/asap/asapConfig.cmake"):
            self.assertTrue(any(path.endswith(end) for path in development), end)

    def test_dependencies_are_those_of_the_binaries(self):
        for package in ("asap", self.library):
            for library in ("libc6 (>= ", "libgomp1", "libpng16-16", "libstdc++6"):
                self.assertIn(library, self.field(package, "Depends"))
        self.assertEqual(self.field("libasap-dev", "Depends"),
                         f"{self.library} (= {self.field(self.library, 'Version')})")

    def test_lintian_has_no_errors(self):
        if not shutil.which("lintian"):
            self.skipTest("lintian is not installed")
        done = subprocess.run(["lintian", "--no-cfg", "--allow-root", *self.packages.values()], capture_output=True, text=True)
        found = [line for line in done.stdout.splitlines() if not line.startswith("N:")]
        # A toolkit outside Debian closes no bug of Debian's.
        self.assertEqual([line for line in found if "initial-upload-closes-no-bugs" not in line], [], done.stderr)

    def test_the_tour_runs_from_an_empty_root_and_removing_leaves_nothing(self):
        root = self.work / "root"
        for folder in ("info", "updates", "triggers"):
            (root / "var/lib/dpkg" / folder).mkdir(parents=True)
        for file in ("status", "available"):
            (root / "var/lib/dpkg" / file).touch()
        environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        # The root holds no other packages, so the dependencies are those of this machine.
        dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--force-script-chrootless"]
        before = files_below(root)
        run(*dpkg, "--install", *self.packages.values(), env=environment)
        self.run_tour(root)
        self.build_consumer(root)
        run(*dpkg, "--remove", *self.packages, env=environment)
        self.assertEqual(files_below(root), before)

    def run_tour(self, root):
        run(sys.executable, TESTS / "scripts/tour_test.py", env=os.environ | {
            "ASAP_BINARY_DIR": str(root / "usr/bin"), "ASAP_CONFIG_DIR": str(root / "usr/share/asap/configs")})

    def build_consumer(self, root):
        """asap.h, the CMake package and the library belong together."""
        build = self.work / "consumer"
        run(CMAKE, "-S", TESTS / "install/consumer", "-B", build, f"-DCMAKE_PREFIX_PATH={root}/usr")
        run(CMAKE, "--build", build)
        done = subprocess.run([build / "consumer"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2, done.stderr)  # it wants three files, which library_test.py gives it


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Installs the build into an empty prefix and uses libasap from there: from an outside CMake project in C99, with
pkg-config, and from Python's ctypes. All give the numbers of the commands."""

import csv
import ctypes
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["ASAP_BUILD_DIR"])
CMAKE = os.environ.get("ASAP_CMAKE", "cmake")
CONSUMER = Path(__file__).resolve().parent / "consumer"
TRAINING = ["data.kind=text", "model.kind=text", "data.path=data", "data.text.min_count=1", "model.width=16",
            "model.heads=2", "model.layers=2", "model.attention.iterations=4", "train.batch=16", "train.epochs=2"]


def float32(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]


class Array(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_float)), ("example_stride", ctypes.c_int64),
                ("head_stride", ctypes.c_int64), ("token_stride", ctypes.c_int64)]


class Attention(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in
                ("examples", "heads", "query_tokens", "key_tokens", "width", "value_width")] + [
                (name, Array) for name in ("queries", "keys", "values")] + [
                ("query_lengths", ctypes.c_void_p), ("key_lengths", ctypes.c_void_p), ("query_mask", ctypes.c_void_p),
                ("key_mask", ctypes.c_void_p), ("scale", ctypes.c_float)]


class Answers(ctypes.Structure):
    _fields_ = [("probabilities", ctypes.POINTER(ctypes.c_float)), ("classes", ctypes.POINTER(ctypes.c_int32)),
                ("embeddings", ctypes.c_void_p), ("column_errors", ctypes.c_void_p)]


class LibraryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = Path(folder.name)
        cls.prefix = cls.work / "prefix"
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)
        cls.library = next(cls.prefix.glob("lib*/**/libasap.so"))
        (cls.work / "data").mkdir()
        lines = [f"{label}\t{word} {other} film {word}" for label, words in (("good", "kind warm bright"),
                 ("bad", "cold cruel dull")) for word in words.split() for other in ("actor", "plot", "scene")] * 4
        for part in ("train", "test"):
            (cls.work / "data" / f"{part}.tsv").write_text("\n".join(lines) + "\n")
        cls.texts = [line.split("\t")[1] for line in lines[:20]]
        (cls.work / "texts.txt").write_text("\n".join(cls.texts) + "\n")
        settings = [word for assignment in TRAINING for word in ("--set", assignment)]
        cls.command("asap-train", *settings, "--out", "run", "--quiet")
        cls.command("asap-compile", "--run", "run", "--calibration", "32", "--set", "held_out=16", "--out", "operator")
        cls.command("asap-eval", "bundle", "--run", "run", "--compiled", "operator", "--out", "m.safetensors")
        cls.command("asap-eval", "predict", "--model", "m.safetensors", "--input", "texts.txt", "--out", "answers")
        cls.command("relu-fit", "fit", "--function", "x^2", "--method", "free", "--depth", "2", "--out", "fit")
        with open(cls.work / "answers" / "predictions.csv", newline="") as file:
            cls.answers = [(row["class"], float32(row["probability"])) for row in csv.DictReader(file)]
        values = cls.command("relu-fit", "eval", "--network", "fit/network.json", "--x", "0.25,0.5,1")
        cls.values = [float(line.split()[1]) for line in values.splitlines()]

    @classmethod
    def command(cls, name, *words):
        done = subprocess.run([cls.prefix / "bin" / name, *words], cwd=cls.work, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{name}: {done.stderr}")
        return done.stdout

    def run_consumer(self, program):
        done = subprocess.run([program, "m.safetensors", "texts.txt", "fit/network.json"], cwd=self.work,
                              capture_output=True, text=True, env=os.environ | {
                                  "LD_LIBRARY_PATH": str(self.library.parent)})
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual([(line.split()[0], float32(line.split()[1])) for line in lines[:20]], self.answers)
        self.assertEqual([float(line) for line in lines[20:23]], self.values)
        self.assertEqual([float32(line) for line in lines[23:]], self.attend(self.load()))

    def load(self):
        return ctypes.CDLL(str(self.library))

    @staticmethod
    def attend(library):
        q, k = (ctypes.c_float * 6)(*(i / 4 - 1 for i in range(6))), (ctypes.c_float * 8)(*(1 - i / 8 for i in range(8)))
        v, out = (ctypes.c_float * 4)(*(i * i for i in range(4))), (ctypes.c_float * 3)()
        attention = Attention(1, 1, 3, 4, 2, 1, Array(q, 0, 0, 2), Array(k, 0, 0, 2), Array(v, 0, 0, 1))
        if library.asap_sinkhorn_attention(ctypes.byref(attention), 5, ctypes.byref(Array(out, 0, 0, 1)), None) != 0:
            raise AssertionError("asap_sinkhorn_attention failed")
        return list(out)

    def test_an_outside_cmake_project_in_c99_gives_the_numbers_of_the_commands(self):
        source, build = self.work / "consumer", self.work / "consumer-build"
        shutil.copytree(CONSUMER, source)
        for words in ([CMAKE, "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}"], [CMAKE, "--build", build]):
            done = subprocess.run(words, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.run_consumer(build / "consumer")

    def test_pkg_config_says_how_to_compile_and_link(self):
        if not shutil.which("pkg-config"):
            self.skipTest("there is no pkg-config")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "asap"], check=True, capture_output=True, text=True,
                               env=os.environ | {"PKG_CONFIG_PATH": str(self.library.parent / "pkgconfig")}).stdout
        program = self.work / "with-pkg-config"
        subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic",
                        CONSUMER / "consumer.c", "-o", program, *flags.split()], check=True)
        self.run_consumer(program)

    def test_the_header_is_c_plus_plus_too(self):
        subprocess.run([os.environ.get("CXX", "c++"), "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-x", "c++",
                        "-fsyntax-only", self.prefix / "include" / "asap" / "asap.h"], check=True)

    def test_ctypes_gives_the_numbers_of_the_commands(self):
        library = self.load()
        library.asap_version.restype = ctypes.c_char_p
        self.assertEqual(library.asap_version().decode(), "0.1.0")
        library.asap_model_class_name.restype = ctypes.c_char_p
        library.asap_model_class_name.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        model, probabilities, classes = ctypes.c_void_p(), (ctypes.c_float * 40)(), (ctypes.c_int32 * 20)()
        path = str(self.work / "m.safetensors").encode()
        self.assertEqual(library.asap_model_load(path, None, ctypes.byref(model), None), 0)
        texts = (ctypes.c_char_p * 20)(*(text.encode() for text in self.texts))
        self.assertEqual(library.asap_predict_texts(model, texts, None, ctypes.c_size_t(20),
                                                    ctypes.byref(Answers(probabilities, classes, None, None)), None), 0)
        self.assertEqual([(library.asap_model_class_name(model, classes[i]).decode(), probabilities[2 * i + classes[i]])
                          for i in range(20)], self.answers)
        library.asap_model_free(model)
        network, y = ctypes.c_void_p(), (ctypes.c_double * 3)()
        path = str(self.work / "fit" / "network.json").encode()
        self.assertEqual(library.asap_network_load(path, ctypes.byref(network), None), 0)
        self.assertEqual(library.asap_network_values(network, (ctypes.c_double * 3)(0.25, 0.5, 1), ctypes.c_int64(3), y,
                                                     None), 0)
        self.assertEqual(list(y), self.values)
        library.asap_network_free(network)

    def test_the_functions_of_the_header_are_exported_and_nothing_else(self):
        header = (self.prefix / "include" / "asap" / "asap.h").read_text()
        declared = set(re.findall(r"^ASAP_API [^;]*?\b(asap_\w+)\(", header, re.M))
        self.assertGreater(len(declared), 20)
        listed = subprocess.run(["nm", "-D", "--defined-only", self.library], check=True, capture_output=True, text=True)
        self.assertEqual({line.split()[-1] for line in listed.stdout.splitlines()}, declared)

    def test_the_library_is_named_by_the_version_with_which_it_is_compatible(self):
        self.assertEqual(self.library.resolve().name, "libasap.so.0.1.0")
        dynamic = subprocess.run(["readelf", "-d", self.library], check=True, capture_output=True, text=True).stdout
        self.assertIn("[libasap.so.0.1]", dynamic)
        self.assertNotIn("TEXTREL", dynamic)


if __name__ == "__main__":
    unittest.main()

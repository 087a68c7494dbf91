"""Small networks that the commands train once for all tests, and what the commands say about them."""

import atexit
import csv
import functools
import json
import os
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np

BINARIES = Path(os.environ["ASAP_BUILD_DIR"]) / "bin"
NETWORK = ["model.width=16", "model.heads=2", "model.layers=2", "model.attention.iterations=4", "train.batch=16",
           "train.epochs=1"]


def command(name, *words, cwd):
    done = subprocess.run([BINARIES / name, *map(str, words)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stderr}")
    return done.stdout


def temporary_folder():
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def train(work, *settings):
    words = [word for setting in (*NETWORK, "data.path=data", *settings) for word in ("--set", setting)]
    command("asap-train", *words, "--out", "run", "--quiet", cwd=work)


def answers(work, model, source, out, *words):
    """[(class, probability)] of asap-eval predict."""
    command("asap-eval", "predict", *model, "--input", source, "--out", out, *words, cwd=work)
    with open(work / out / "predictions.csv", newline="") as file:
        return [(row["class"], np.float32(row["probability"])) for row in csv.DictReader(file)]


@functools.cache
def texts():
    """A folder with run, operator and reviews.safetensors; texts.txt has a text per line."""
    work = temporary_folder()
    (work / "data").mkdir()
    lines = [f"{label}\t{word} {other} film {word}" for label, words in (("good", "kind warm bright"),
             ("bad", "cold cruel dull")) for word in words.split() for other in ("actor", "plot", "scene")] * 4
    for part in ("train", "test"):
        (work / "data" / f"{part}.tsv").write_text("\n".join(lines) + "\n")
    (work / "texts.txt").write_text("\n".join(line.split("\t")[1] for line in lines[:20]) + "\n")
    train(work, "data.kind=text", "model.kind=text", "data.text.min_count=1")
    command("asap-compile", "--run", "run", "--calibration", "32", "--set", "held_out=16", "--out", "operator", cwd=work)
    command("asap-eval", "bundle", "--run", "run", "--compiled", "operator", "--out", "reviews.safetensors", cwd=work)
    return work


def png(pixels):
    """An RGB picture from pixels [3, height, width]."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = pixels.shape[1:]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.transpose(1, 2, 0))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@functools.cache
def images():
    """A folder with run and pictures, and the pixels of these pictures, [12, 3, 8, 8]."""
    work = temporary_folder()
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (48, 3, 8, 8), np.uint8)
    pixels[::2, 2] //= 3
    pixels[1::2, 0] //= 3
    for index, picture in enumerate(pixels):
        for part in ("train", "test"):
            folder = work / "data" / part / ("red" if index % 2 == 0 else "blue")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{index:02}.png").write_bytes(png(picture))
    (work / "pictures").mkdir()
    for index, picture in enumerate(pixels[:12]):
        (work / "pictures" / f"{index:02}.png").write_bytes(png(picture))
    train(work, "data.kind=image_folders", "model.patch=4")
    return work, pixels[:12]


@functools.cache
def points():
    """A folder with run and sets.csv, and the sets, [points, 2] each."""
    work = temporary_folder()
    random = np.random.default_rng(3)
    sets = [np.float32(random.normal(size=(6 + i % 5, 2)) * (1 + 2 * (i % 2), 1)) for i in range(64)]
    lines = [f"{i},{i % 2},{float(x)!r},{float(y)!r}\n" for i, rows in enumerate(sets) for x, y in rows]
    (work / "data").mkdir()
    for name in ("data/train.csv", "data/test.csv", "sets.csv"):
        (work / name).write_text("".join(lines))
    train(work, "data.kind=points", "model.kind=set", "data.classes=2")
    return work, sets


def read_json(path):
    return json.loads(path.read_text())

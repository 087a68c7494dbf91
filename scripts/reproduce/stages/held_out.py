"""A part of the training data to choose settings on, so that no choice sees the test set."""

import gzip
import json
import struct
from pathlib import Path

from reproduce.stages.runner import Unavailable

TEXT_FRACTION = 0.2  # of the different texts of the training part
IMAGES = 10000  # the last of the training images
OTHER_SEED = 1000  # drawn examples: the training and test examples of another seed
IDX_PARTS = ("images-idx3-ubyte", "labels-idx1-ubyte")


def read_packed(folder, name):
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            content = path.read_bytes()
            return gzip.decompress(content) if path.suffix == ".gz" else content
    raise Unavailable(f"'{folder}' has no {name}")


def split_idx(content, held_out):
    """An IDX file of bytes as two: without the last examples, and they alone."""
    rank = content[3]
    sizes = struct.unpack(f">{rank}I", content[4:4 + 4 * rank])
    values = content[4 + 4 * rank:]
    width = len(values) // sizes[0]
    kept = sizes[0] - held_out

    def head(count):
        return content[:4] + struct.pack(f">{rank}I", count, *sizes[1:])

    return head(kept) + values[:kept * width], head(held_out) + values[kept * width:]


def hold_out_images(origin, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in IDX_PARTS:
        parts = split_idx(read_packed(origin, f"train-{name}"), IMAGES)
        for part, content in zip(("train", "t10k"), parts):
            folder.joinpath(f"{part}-{name}").write_bytes(content)
    return [f"data.path={folder}"]


def hold_out_texts(origin, name):
    for pattern in (f"{name}_train*.?sv*", "train.?sv*", f"{name}_val*.?sv*"):
        for path in sorted(origin.glob(pattern)):
            return [f"data.path={origin}", f"data.text.train_file={path.name}", f"data.test_fraction={TEXT_FRACTION}"]
    raise Unavailable(f"'{origin}' has no one file of training texts")


def held_out_settings(run, folder):
    """The assignments by which training takes its test examples from the training data of a finished run. `folder`: for
    files that this makes. Raises Unavailable for data that cannot be parted."""
    data = json.loads((run / "config.json").read_text())["data"]
    if data["kind"] in ("matching", "listops", "shapes", "solids", "majority"):
        return [f"data.{data['kind']}.seed={data[data['kind']]['seed'] + OTHER_SEED}"]
    origin = Path(json.loads((run / "data.json").read_text())["train"]["folder"])
    if data["kind"] == "idx":
        return hold_out_images(origin, folder)
    if data["kind"] == "text":
        return hold_out_texts(origin, data["name"])
    raise Unavailable(f"no part of data of the kind '{data['kind']}' can be held out here")

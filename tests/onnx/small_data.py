"""Small random data in the layouts that configurations of asap-train read, and new examples for the networks trained on them.

Each function writes what a kind of data (`data.kind`) needs into a folder and returns the settings that make asap-train
read it: the shape of the network is then that of the configuration, without its data set. `write_new` writes examples of
given sizes for `asap-eval predict`, and returns their arrays as an exported network takes them.
"""

import csv
import struct
import zlib

import numpy as np

TRAINED, TESTED = 40, 2
CLASSES = {"agnews": 4, "dbpedia14": 14, "imdb": 2, "tweeteval_emotion": 4, "yelp5": 5, "cifar10": 10, "modelnet10": 10}
CALIBRATION_TOKENS = (16, 64)  # texts to train and calibrate on: shorter than the longest, which costs the square
LETTERS = "abcdefghijklmnopqrstuvwxyz "
# Drawn token sequences have no tokenizer, so predict reads texts of as many words: their vocabularies, with the unknown one.
DRAWN_VOCABULARY = {"listops": 16, "majority": 15}


def idx(random, folder, data):
    for part, count in (("train", TRAINED), ("t10k", TESTED)):
        pixels = random.integers(0, 256, (count, 28, 28), np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + pixels.tobytes())
        labels = bytes(i % data["classes"] for i in range(count))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)
    return {"data.path": folder}


def image_records(random, folder, data):
    """Records of layout rgb, or of CIFAR-100, which have a coarse label before the fine one."""
    fine = data["images"].get("layout") == "cifar100"
    side = 32 if fine else data["images"]["record_side"]
    for part, count in (("train", TRAINED), ("test", TESTED)):
        records = (bytes([0] * fine + [i % data["classes"]]) + random.bytes(3 * side * side) for i in range(count))
        (folder / f"{part}.bin").write_bytes(b"".join(records))
    return {"data.path": folder}


def png(pixels):
    """An image of pixels [channels, height, width]."""
    channels, height, width = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.transpose(1, 2, 0).reshape(height, -1)
    chunks = ((b"IHDR", struct.pack(">2I5B", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)),
              (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(content)) + name + content
                                           + struct.pack(">I", zlib.crc32(name + content)) for name, content in chunks)


def image_folders(random, folder, data):
    for part, count in (("train", TRAINED), ("test", TESTED)):
        for i in range(count):
            path = folder / part / f"class{i % CLASSES[data['name']]}" / f"{i:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(random.integers(0, 256, (3, 32, 32), np.uint8)))
    return {"data.path": folder}


def points(random, folder, data):
    for part, count in (("train", TRAINED), ("test", TESTED)):
        np.save(folder / f"{part}_points.npy", random.normal(size=(count, data["points"]["count"], 3)).astype(np.float32))
        np.save(folder / f"{part}_labels.npy", (np.arange(count) % data["classes"]).astype(np.int32))
    return {"data.path": folder}


def word_texts(random, words):
    """Texts that hold every word twice."""
    order = random.permutation(np.repeat(np.arange(words), 2))
    while len(order) > 0:
        length = random.integers(*CALIBRATION_TOKENS)
        yield " ".join(f"w{word}" for word in order[:length])
        order = order[length:]


def byte_texts(random):
    for _ in range(TRAINED):
        yield "".join(random.choice(list(LETTERS[:-1]), random.integers(*CALIBRATION_TOKENS)))


def write_texts(random, folder, texts, classes):
    texts = list(texts)
    texts += texts[:max(TRAINED - len(texts), 0)]  # of a small vocabulary
    for part, chosen in (("train", texts), ("test", texts[:TESTED])):
        with open(folder / f"{part}.csv", "w", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows((1 + i % classes, text) for i, text in enumerate(chosen))
    return {"data.path": folder}


def text(random, folder, data):
    settings = data["text"]
    texts = (byte_texts(random) if settings.get("tokenizer") == "bytes"
             else word_texts(random, settings["vocabulary_size"] - 1))
    return write_texts(random, folder, texts, CLASSES[data["name"]])


def drawn_tokens(random, folder, data):
    """Texts in place of drawn sequences, as long and of as many words."""
    kind = data["kind"]
    texts = [text for _ in range(TRAINED) for text in word_texts(random, DRAWN_VOCABULARY[kind] - 1)]
    longest = data.get(kind, {}).get("max_tokens", 32)  # that of majority
    return {**write_texts(random, folder, texts, data["classes"]), "data.kind": "text", "data.name": kind,
            "data.text.max_tokens": longest}


def drawn(kind):
    """Data that asap-train draws itself."""
    return lambda random, folder, data: {f"data.{kind}.examples": TRAINED, f"data.{kind}.test_examples": TESTED}


def keypoints(random, folder, data):
    """Pairs of images, each with the same keypoints."""
    pairs, count = 4, 24
    places = random.uniform(1, 99, (pairs * count, 2)).astype(np.float32)
    arrays = {"size": np.full((pairs, 2, 2), 100, np.float32)}
    for image in "01":
        arrays |= {f"offset{image}": np.arange(0, pairs * count + 1, count), f"keypoints{image}": places,
                   f"descriptors{image}": random.uniform(size=(pairs * count, 16)).astype(np.float32),
                   f"matches{image}": np.tile(np.arange(count, dtype=np.int32), pairs)}
    np.savez(folder / "pairs.npz", **arrays)
    return {"data.train": folder / "pairs.npz", "data.test": folder / "pairs.npz"}


MAKERS = {"idx": idx, "image_records": image_records, "image_folders": image_folders, "points": points, "text": text,
          "listops": drawn_tokens, "majority": drawn_tokens, "shapes": drawn("shapes"), "solids": drawn("solids"),
          "matching": drawn("matching"), None: keypoints}


def write_data(folder, data):
    """Data for a configuration whose part `data` is this. -> settings of asap-train."""
    folder.mkdir()
    return MAKERS[data.get("kind")](np.random.default_rng(1), folder, data)


def new_images(random, path, model, sizes):
    path.mkdir()
    pixels = random.integers(0, 256, (sum(sizes), model["channels"], model["image_height"], model["image_width"]), np.uint8)
    for i, image in enumerate(pixels):
        (path / f"{i:03}.png").write_bytes(png(image))
    return [{"pixels": batch} for batch in np.split(pixels, np.cumsum(sizes)[:-1])]


def new_texts(random, path, data, vocabulary, sizes):
    """vocabulary: its words, of ids from 1; none for bytes."""
    batches, lines = [], []
    for longest in sizes:
        lengths = np.array([longest, max(longest // 3, 1)])
        if vocabulary is None:
            tokens = random.choice([ord(letter) for letter in LETTERS[:-1]], (2, longest))
            lines += ["".join(map(chr, row[:length])) for row, length in zip(tokens, lengths)]
            ids = tokens + 1
        else:
            ids = random.integers(0, len(vocabulary) + 1, (2, longest))
            words = ["unseen", *vocabulary]
            lines += [" ".join(words[token] for token in row[:length]) for row, length in zip(ids, lengths)]
        batches.append({"ids": ids.astype(np.int64), "lengths": lengths})
    path.write_text("\n".join(lines) + "\n")
    return batches


def normalised(points):
    """Mean 0, the farthest at distance 1."""
    centred = points - points.mean(0)
    return (centred / np.linalg.norm(centred, axis=1).max()).astype(np.float32)


def new_sets(random, path, model, sizes):
    path.mkdir()
    batches = []
    for count in sizes:
        lengths = np.array([count, max(count // 3, 2)])
        points = np.zeros((2, count, model["point_width"]), np.float32)
        for row, length in enumerate(lengths):
            values = random.normal(size=(length, model["point_width"])).astype(np.float32)
            np.save(path / f"{len(batches)}{row}.npy", values)
            points[row, :length] = values if model["pooling"] == "none" else normalised(values)  # codes are no places
        batches.append({"points": points, "lengths": lengths})
    return batches


def write_new(path, run, config, sizes):
    """New examples at `path` for a run: batches of `sizes` images, or of two examples, whose longer one has `sizes` tokens."""
    random, model = np.random.default_rng(2), config["model"]
    if model["kind"] in ("vit", "mlp"):
        return new_images(random, path, model, sizes)
    if model["kind"] == "set":
        return new_sets(random, path, model, sizes)
    words = run / "text" / "vocabulary.txt"
    return new_texts(random, path, config["data"], words.read_text().splitlines() if words.exists() else None, sizes)

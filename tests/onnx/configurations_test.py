#!/usr/bin/env python3
"""Exports a network of every configuration in configs/train and compares its logits in ONNX Runtime with asap-eval predict.

The data sets of most configurations are not on every machine, so small_data.py writes random data in their layouts. A
network of the configuration's shape is trained for one step, its weights are moved far from their first values, and an
operator with all features is compiled from it (of softmax attention: one that imitates ten Sinkhorn iterations on its
scores). The teacher, with all its iterations, and the compiled network are exported and run on three batches: two
examples each, the longer one of a quarter, a half and all of the most tokens; of images, whose number of tokens is fixed,
1, 3 and 2 of them. Logits must be within 1e-4. What export refuses is named in REFUSED, so that a new configuration
cannot be forgotten. Needs the packages of runtime_test.py; exit code 77: nothing was tested, and why is printed.
"""

import concurrent.futures
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import packages

ROOT = HERE.parents[1]
BINARIES = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build" / "bin"))
CONFIGURATIONS = sorted((ROOT / "configs" / "train").glob("*.json"))
PACKAGES = ("numpy", "onnx", "onnxruntime")
TOLERANCE = 1e-4  # of logits around 1, in float32 on both sides
# Configurations that asap-eval export refuses, and what it says.
REFUSED = {
    "cifar10_convolutional": "model.kind convolutional is not exported",
    "fashion_mnist_convolutional": "model.kind convolutional is not exported",
    "keypoints_dual_softmax": "a matcher",
    "keypoints_dustbin": "a matcher",
    "matching_espformer": "model.attention.kind cannot be exported",
    "matching_hard_espformer": "model.attention.kind cannot be exported",
}
WITHOUT_ATTENTION = {"fashion_mnist_perceptron"}
OPERATOR = ("--features", "pot,gau,lin,tilt,lse,landmarks:8", "--calibration", "12", "--set", "held_out=4", "--simd", "avx3")


class Failure(Exception):
    pass


def run(program, *words, refused=False):
    """What the program says; of a refusal, on standard error."""
    done = subprocess.run([BINARIES / program, *map(str, words), *(() if refused else ("--quiet", "--threads", "1"))],
                          capture_output=True, text=True)
    if (done.returncode != 0) != refused:
        raise Failure(f"{program} {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stderr}")
    return done.stderr


def read_tensors(path):
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    tensors = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = (np.frombuffer(content[begin:end], np.float32).reshape(entry["shape"]), begin)
    return content, tensors


def vary_weights(run_folder):
    """Attention far from uniform, norms and biases not 0. -> the tensors, and the configuration of the run."""
    (path,) = run_folder.glob("checkpoint/*/model.safetensors")
    state = json.loads((path.parent / "state.json").read_text())
    del state["files"]  # fingerprints of what asap-train wrote
    (path.parent / "state.json").write_text(json.dumps(state))
    content, tensors = read_tensors(path)
    content, random = bytearray(content), np.random.default_rng(3)
    for name, (values, begin) in tensors.items():
        # Region-constrained activations amplify; scores of matching networks, whose tokens are codes, are large already.
        noise = 0.01 if state["config"]["model"]["kind"] == "mlp" else 0.1
        factor = 3 if name.endswith("qkv.weight") and state["config"]["data"]["kind"] != "matching" else 1
        varied = (factor * values + noise * random.normal(size=values.shape)).astype(np.float32)
        content[begin:begin + varied.nbytes] = varied.tobytes()
    path.write_bytes(content)
    return {name: values for name, (values, _) in read_tensors(path)[1].items()}, state["config"]


def train(folder, path):
    """A run of the shape that the configuration describes."""
    config = json.loads(path.read_text())
    settings = {**small_data.write_data(folder / "data", config["data"]), "train.batch": 2}
    if config["model"]["kind"] != "matcher":
        settings["train.shard"] = 2
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    run("asap-train", "--config", path, *words, "--max-steps", 1, "--out", folder / "run")


def sizes_of(config):
    """Of three batches: images, or most tokens."""
    model, data = config["model"], config["data"]
    if model["kind"] in ("vit", "mlp"):
        return 1, 3, 2
    longest = model["max_tokens"] or data["points"]["count"] or {"solids": data["solids"]["points"],
                                                                 "matching": 2 * data["matching"]["pairs"]}[data["kind"]]
    return longest // 4, longest // 2, longest


class Export:
    """One network with one method, exported and answered by the toolkit."""

    def __init__(self, folder, method, tensors, examples):
        words = ["--run", folder / "run", *(("--method", method) if method else ()),
                 *(("--compiled", folder / "operator") if method == "compiled" else ())]
        out = folder / f"export_{method}"
        run("asap-eval", "export", *words, "--out", out)
        run("asap-eval", "predict", *words, "--input", examples, "--embeddings", "--out", folder / f"answers_{method}")
        self.path = out / "network.onnx"
        self.summary = json.loads((out / "summary.json").read_text())
        weight, bias = (tensors[f"head.{name}"].astype(np.float64) for name in ("weight", "bias"))
        self.logits = np.load(folder / f"answers_{method}" / "embeddings.npy") @ weight.T + bias
        with open(folder / f"answers_{method}" / "predictions.csv", newline="") as file:
            self.answers = [(row["class"], float(row["probability"])) for row in csv.DictReader(file)]

    def check_logits(self, test):
        """They are those of the answers."""
        probabilities = np.exp(self.logits - self.logits.max(1, keepdims=True))
        probabilities /= probabilities.sum(1, keepdims=True)
        names = [self.summary["classes"].index(name) for name, _ in self.answers]
        named = probabilities[np.arange(len(names)), names]
        test.assertLess(np.abs(named - [probability for _, probability in self.answers]).max(), TOLERANCE)


def compare(folder, path):
    """-> {method: (logits of predict, those of ONNX Runtime)}, live tokens only."""
    train(folder, path)
    tensors, config = vary_weights(folder / "run")
    batches = small_data.write_new(folder / "new", folder / "run", config, sizes_of(config))
    methods = ("",)
    if path.stem not in WITHOUT_ATTENTION:
        softmax = config["model"]["attention"]["kind"] == "softmax"
        run("asap-compile", "--run", folder / "run", *OPERATOR, *(("--teacher", "sinkhorn:10") if softmax else ()),
            "--out", folder / "operator")
        methods = ("teacher", "compiled")
    exports = {method: Export(folder, method, tensors, folder / "new") for method in methods}
    return {method: (export, run_in_runtime(export, config, batches)) for method, export in exports.items()}


def run_in_runtime(export, config, batches):
    model = onnx.load(export.path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(export.path), options, providers=["CPUExecutionProvider"])
    rows = []
    for batch in batches:
        if config["model"]["kind"] == "mlp":
            values = (batch["pixels"] / 255 - export.summary["pixel_mean"]) / export.summary["pixel_deviation"]
            rows.append(session.run(["y"], {"x": values.reshape(len(values), -1)})[0])
            continue
        (logits,) = session.run(["logits"], batch)
        if config["model"]["pooling"] == "none":
            logits = np.concatenate([row[:length] for row, length in zip(logits, batch["lengths"])])
        rows.append(logits)
    return np.concatenate(rows)


class Configurations(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="asap-onnx-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def test_logits_of_every_configuration_are_those_of_predict(self):
        exported = [path for path in CONFIGURATIONS if path.stem not in REFUSED]
        self.assertGreater(len(exported), 30)
        with concurrent.futures.ThreadPoolExecutor(2) as workers:
            for path in exported:
                (self.folder / path.stem).mkdir()
            found = {path.stem: workers.submit(compare, self.folder / path.stem, path) for path in exported}
            for name, future in found.items():
                with self.subTest(configuration=name):
                    self.check(future.result())

    def check(self, methods):
        for method, (export, logits) in methods.items():
            self.assertEqual(logits.shape, export.logits.shape, method)
            export.check_logits(self)
            self.assertLess(np.abs(logits - export.logits).max(), TOLERANCE, method)
        if "compiled" in methods:  # or the comparison is blind to attention
            difference = methods["teacher"][0].logits - methods["compiled"][0].logits
            self.assertGreater(np.abs(difference).max(), 10 * TOLERANCE)

    def test_refusals_say_why(self):
        for name, reason in REFUSED.items():
            with self.subTest(configuration=name):
                (self.folder / name).mkdir()
                train(self.folder / name, ROOT / "configs" / "train" / f"{name}.json")
                out = self.folder / name / "export"
                self.assertIn(reason, run("asap-eval", "export", "--run", self.folder / name / "run", "--out", out,
                                          refused=True))
                self.assertFalse(out.exists())


if __name__ == "__main__":
    if not (BINARIES / "asap-compile").exists():
        packages.skip(f"the commands are not built in {BINARIES}")
    packages.run_with(__file__, PACKAGES, PACKAGES)
    import numpy as np
    import onnx
    import onnxruntime
    import small_data
    unittest.main()

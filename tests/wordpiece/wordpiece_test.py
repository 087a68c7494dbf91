"""Compares the ids of the toolkit's WordPiece tokenizer with those of the package `tokenizers`.

  wordpiece_test.py WORDPIECE_IDS

The package must be importable, or ASAP_TEST_TOKENIZERS must name a Python that can import it; else the test is skipped
(exit code 77). Half of the 5,000 texts are news where ASAP_DATA_DIR has AG News, and made of its own words otherwise; the
others are drawn from all of Unicode. ASAP_TEST_VOCABULARY names a vocab.txt; without it, one is learnt from the texts.
"""

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
TEXTS = 5000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def news(count):
    for path in sorted(Path(os.environ.get("ASAP_DATA_DIR", "/nowhere")).glob("text/agnews_train*")):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            return [line.rstrip("\n") for _, line in zip(range(count), lines)]
    return []


def made_up(generator, count):
    words = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8").split()
    return [" ".join(generator.choices(words, k=generator.randint(1, 40))) for _ in range(count)]


def drawn_character(generator):
    """A character that Unicode 9 has: later ones the package and utf8proc need not know alike."""
    kind = generator.random()
    if kind < 0.35:
        return chr(generator.randint(32, 126))
    if kind < 0.4:
        return generator.choice("\t\n\r\0\x07\x85\u00a0\u200b\u200d\u2028\u2029\u3000\ufeff\ufffd\u0130\u03a3\u1e9e")
    ranges = [(0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5EA), (0x621, 0x64A),
              (0x900, 0x939), (0xE01, 0xE3A), (0x1E00, 0x1EFF), (0x2010, 0x205E), (0x20A0, 0x20BE), (0x3041, 0x30FF),
              (0x3400, 0x4DB5), (0x4E00, 0x9FD5), (0xAC00, 0xD7A3), (0xF900, 0xFA6D), (0xFF01, 0xFF5E),
              (0x1D400, 0x1D454), (0x1F300, 0x1F64F), (0x20000, 0x20100)]
    return chr(generator.randint(*generator.choice(ranges)))


def drawn_text(generator):
    if generator.random() < 0.02:
        return "a" * generator.randint(98, 103) + " " + "\u00e9" * generator.randint(99, 102)
    text = "".join(drawn_character(generator) for _ in range(generator.randint(0, 60)))
    if generator.random() < 0.1:
        at = generator.randint(0, len(text))
        text = text[:at] + generator.choice(SPECIAL) + text[at:]
    return text


def learn_vocabulary(texts):
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(texts, vocab_size=4000, min_frequency=2, special_tokens=SPECIAL, show_progress=False)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.get)


def expected_ids(vocabulary, texts, lowercase, strip_accents):
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(
        {piece: index for index, piece in enumerate(vocabulary)}, lowercase=lowercase, strip_accents=strip_accents
    )
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


def own_ids(program, vocabulary_file, texts, lowercase, strip_accents):
    result = subprocess.run(
        [program, vocabulary_file, str(int(lowercase)), str(int(strip_accents))],
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True, text=True, encoding="utf-8", check=True,
    )
    return [[int(part) for part in line.split()] for line in result.stdout.split("\n")[: len(texts)]]


def compare(program, folder):
    generator = random.Random(1)
    texts = news(TEXTS // 2) or made_up(generator, TEXTS // 2)
    texts += [drawn_text(generator) for _ in range(TEXTS - len(texts))]
    named = os.environ.get("ASAP_TEST_VOCABULARY")
    vocabulary = Path(named).read_text(encoding="utf-8").rstrip("\n").split("\n") if named else learn_vocabulary(texts)
    vocabulary_file = Path(folder) / "vocab.txt"
    vocabulary_file.write_text("".join(piece + "\n" for piece in vocabulary), encoding="utf-8")
    failures = 0
    for lowercase, strip_accents in [(True, True), (False, False), (True, False), (False, True)]:
        expected = expected_ids(vocabulary, texts, lowercase, strip_accents)
        found = own_ids(program, vocabulary_file, texts, lowercase, strip_accents)
        different = [i for i in range(len(texts)) if found[i] != expected[i]]
        print(f"lowercase={lowercase}, strip_accents={strip_accents}: {len(texts) - len(different)} of {len(texts)} equal")
        for i in different[:3]:
            print(f"  {texts[i]!r}\n    expected {expected[i]}\n    found    {found[i]}")
        failures += len(different)
    return failures


def main():
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        python = os.environ.get("ASAP_TEST_TOKENIZERS")
        if not python or os.environ.get("ASAP_TEST_TOKENIZERS_TRIED"):
            print("skipped: no Python package tokenizers (pip install tokenizers in a virtual environment; its python is "
                  "named by ASAP_TEST_TOKENIZERS)")
            return SKIPPED
        return subprocess.run([python, *sys.argv], env=os.environ | {"ASAP_TEST_TOKENIZERS_TRIED": "1"}).returncode
    with tempfile.TemporaryDirectory() as folder:
        return 1 if compare(sys.argv[1], folder) else 0


if __name__ == "__main__":
    sys.exit(main())

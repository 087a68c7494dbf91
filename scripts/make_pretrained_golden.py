#!/usr/bin/python3
"""Writes the golden values of pretrained models: tests/golden/data/wordpiece.json, ids of hard texts from the package
`tokenizers`, and tests/golden/data/bert_tiny, a model of width 8 with random weights, its config.json and vocab.txt, and
the embeddings that PyTorch finds for it, also for pairs of texts; likewise vit_tiny, which reads images. Run it only to change the values; the
tests read the files.

  pip install torch tokenizers      # in a virtual environment
  scripts/make_pretrained_golden.py
"""

import json
import struct
import sys
from pathlib import Path

import tokenizers
import torch

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "tests" / "reference"))
import bert  # noqa: E402  (found through the line above)
import pretrained_vit  # noqa: E402

golden = root / "tests" / "golden" / "data"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the a un ##aff ##able hello world ##s ##ing play run ##ner , . ! ? ' - ( ) # $ & [ ] unk cls cafe naive uber
strasse i o' ##n't don t we ' ll 20 ##24 3 ##. ##14 % e ##mail @ e é ü ss ß i̇ ı σ ς 中 国 人 日 の ##の 한 ##국 ф ##и ##л
##ь ##м א ##ב ﷺ ﬁ fi 𝐀 😀 x ##x A B The World Hello Café É""".split()
TEXTS = [
    "Hello, World!", "unaffable", "The runner's playing.", "don't we'll O'n't", "Café naïve über Straße", "CAFÉ É é",
    "cafe\u0301 e\u0301", "中国人日の 한국", "中x国", "фильм", "\u05d0\u05d1", "İ I ı i", "ΣΑΣ σας", "3.14 2024 20%",
    "e-mail@world.un", "[CLS] hello [SEP] [MASK] [mask] [UNK]x[PAD]", "[ CLS ]", "\thello\nworld\r\n", "a\u00a0b\u3000c",
    "a\u200bb\u200dc\ufeffd", "a\u2028b\u2029c", "zero\0byte\ufffdx", "\x07bell\x1f", "\u0085next\u000bline", "", "   ",
    "ﬁ ﷺ 𝐀 😀", "a😀b", "x" * 100, "x" * 101, "é" * 100, "é" * 101, "##s ##", "hello##s", "—en–dash…", "¿qué?", "$&#",
    "\u0327\u0301", "a\u0300\u0316", "unknownword hello", "helloo", "ＡＢＣ！", "\ue000private", "1\u0660\u0967", "_a_b_",
]


def wordpiece_values():
    vocabulary = list(dict.fromkeys(SPECIAL + WORDS))
    cases = []
    for lowercase, strip_accents in [(True, True), (True, False), (False, False), (False, True)]:
        tokenizer = tokenizers.BertWordPieceTokenizer(
            {piece: index for index, piece in enumerate(vocabulary)}, lowercase=lowercase, strip_accents=strip_accents
        )
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            cases.append({"text": text, "lowercase": lowercase, "strip_accents": strip_accents, "ids": ids})
    content = {"tokenizers": tokenizers.__version__, "vocabulary": vocabulary, "cases": cases}
    (golden / "wordpiece.json").write_text(json.dumps(content, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    return vocabulary


def write_safetensors(path, tensors):
    header, blob = {}, b""
    for name in sorted(tensors):
        data = b"".join(struct.pack("<f", value) for value in tensors[name].flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape),
                        "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def tiny_tensors(generator, vocabulary, width=8, hidden=12, layers=2, positions=24):
    def normal(*shape, scale=0.5, shift=0.0):
        return shift + scale * torch.randn(*shape, generator=generator)

    tensors = {
        "embeddings.word_embeddings.weight": normal(vocabulary, width),
        "embeddings.position_embeddings.weight": normal(positions, width),
        "embeddings.token_type_embeddings.weight": normal(2, width),
    }

    def add(name, out, inputs):
        tensors[name + ".weight"], tensors[name + ".bias"] = normal(out, inputs), normal(out, scale=0.1)

    def add_norm(name):
        tensors[name + ".weight"], tensors[name + ".bias"] = normal(width, scale=0.2, shift=1.0), normal(width, scale=0.1)

    add_norm("embeddings.LayerNorm")
    for index in range(layers):
        layer = f"encoder.layer.{index}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            add(layer + part, width, width)
        add_norm(layer + "attention.output.LayerNorm")
        add(layer + "intermediate.dense", hidden, width)
        add(layer + "output.dense", width, hidden)
        add_norm(layer + "output.LayerNorm")
    add("pooler.dense", width, width)
    return tensors


def model_values(vocabulary):
    folder = golden / "bert_tiny"
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "model.safetensors", tiny_tensors(torch.Generator().manual_seed(1), len(vocabulary)))
    config = {
        "model_type": "bert", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2, "hidden_act": "gelu",
        "intermediate_size": 12, "layer_norm_eps": 1e-12, "max_position_embeddings": 24, "type_vocab_size": 2,
        "vocab_size": len(vocabulary),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary), encoding="utf-8")
    tokenizer = tokenizers.BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    texts = ["Hello, World!", "The runner's playing, unaffable.", "a", "don't play 20 中国"]
    ids = [tokenizer.encode(text).ids for text in texts]
    values = {"torch": torch.__version__, "texts": texts, "ids": ids}
    for name, iterations in [("softmax", None), ("sinkhorn_3", 3)]:
        encoder = bert.Encoder(folder, iterations, torch.float64)
        for pooling in ("mean", "first", "pooler"):
            values[f"{name}.{pooling}"] = encoder.embeddings(ids, pooling).tolist()
    (folder / "embeddings.json").write_text(json.dumps(values, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def pair_values():
    """Embeddings of pairs of texts: the second has token type 1, the longer one is cut first."""
    folder = golden / "bert_tiny"
    tokenizer = tokenizers.BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    tokenizer.enable_truncation(12, strategy="longest_first")
    pairs = [["Hello, World!", "unaffable"], ["a", "The runner's playing, don't play."], ["20", ""],
             ["The runner's playing, unaffable.", "a."], ["don't play 20 world 24", "hello , world ! runner s"]]
    encodings = [tokenizer.encode(*pair) for pair in pairs]
    ids, types = [encoding.ids for encoding in encodings], [encoding.type_ids for encoding in encodings]
    values = {"torch": torch.__version__, "pairs": pairs, "most": 12, "ids": ids, "types": types}
    for name, iterations in [("softmax", None), ("sinkhorn_3", 3)]:
        values[name] = bert.Encoder(folder, iterations, torch.float64).embeddings(ids, "mean", types).tolist()
    (folder / "pairs.json").write_text(json.dumps(values, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def vit_tensors(generator, config):
    width, hidden, patch = config["hidden_size"], config["intermediate_size"], config["patch_size"]

    def normal(*shape, scale=0.5, shift=0.0):
        return shift + scale * torch.randn(*shape, generator=generator)

    projection = "embeddings.patch_embeddings.projection"
    tensors = {
        "embeddings.cls_token": normal(1, 1, width),
        "embeddings.position_embeddings": normal(1, 1 + (config["image_size"] // patch) ** 2, width),
        projection + ".weight": normal(width, config["num_channels"], patch, patch, scale=0.2),
        projection + ".bias": normal(width, scale=0.1),
    }

    def add(name, out, inputs):
        tensors[name + ".weight"], tensors[name + ".bias"] = normal(out, inputs), normal(out, scale=0.1)

    def add_norm(name):
        tensors[name + ".weight"], tensors[name + ".bias"] = normal(width, scale=0.2, shift=1.0), normal(width, scale=0.1)

    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}."
        add_norm(layer + "layernorm_before")
        for part in ("query", "key", "value"):
            add(layer + "attention.attention." + part, width, width)
        add(layer + "attention.output.dense", width, width)
        add_norm(layer + "layernorm_after")
        add(layer + "intermediate.dense", hidden, width)
        add(layer + "output.dense", width, hidden)
    add_norm("layernorm")
    add("pooler.dense", width, width)
    return tensors


def vit_values():
    folder = golden / "vit_tiny"
    folder.mkdir(exist_ok=True)
    config = {
        "model_type": "vit", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2, "hidden_act": "gelu",
        "intermediate_size": 12, "layer_norm_eps": 1e-12, "image_size": 12, "patch_size": 4, "num_channels": 3,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    preprocessor = {"do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")
    generator = torch.Generator().manual_seed(2)
    write_safetensors(folder / "model.safetensors", vit_tensors(generator, config))
    images = torch.randint(0, 256, (3, 3, 12, 12), generator=generator, dtype=torch.uint8)
    values = {"torch": torch.__version__, "images": images.flatten(1).tolist()}
    encoder = pretrained_vit.Encoder(folder, torch.float64)
    for pooling in ("class_token", "pooler"):
        values[pooling] = encoder.embeddings(images, pooling).tolist()
    (folder / "embeddings.json").write_text(json.dumps(values, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    vit_values()
    pieces = wordpiece_values()
    model_values([piece for piece in pieces if piece in SPECIAL or piece == piece.lower()])
    pair_values()

"""Trained networks: the answers of asap-eval predict, to the last byte."""

import unittest
from pathlib import Path

import numpy as np

import asap
import trained


def answers_of(prediction):
    return [(name, row[index]) for name, index, row in
            zip(prediction.classes, prediction.indices, prediction.probabilities)]


class ModelTest(unittest.TestCase):
    def test_texts_from_a_bundle_and_a_run(self):
        work = trained.texts()
        texts = (work / "texts.txt").read_text().splitlines()
        bundle = asap.Model.load(work / "reviews.safetensors")
        self.assertEqual((bundle.input, bundle.class_names, bundle.method), ("texts", ["bad", "good"], "compiled"))
        self.assertEqual((bundle.image_shape, bundle.point_width, bundle.embedding_width), (None, None, 16))
        self.assertEqual(repr(bundle), "<asap.Model of 2 classes of texts, attention compiled>")
        expected = trained.answers(work, ["--model", "reviews.safetensors"], "texts.txt", "of_bundle", "--certificate",
                                   "--embeddings")
        got = bundle.predict(texts, embeddings=True, column_errors=True)
        self.assertEqual(answers_of(got), expected)
        self.assertEqual(got.embeddings.tobytes(), np.load(work / "of_bundle" / "embeddings.npy").tobytes())
        rows = (work / "of_bundle" / "predictions.csv").read_text().splitlines()[1:]
        self.assertEqual(list(got.column_errors), [float(row.split(",")[3]) for row in rows])
        for method in ("teacher", "sinkhorn:2"):
            expected = trained.answers(work, ["--run", "run"], "texts.txt", method.replace(":", "_"), "--method", method)
            run = asap.Model.load(str(work / "run"), method=method)
            self.assertEqual((answers_of(run.predict(texts)), run.fingerprint), (expected, bundle.fingerprint))
        self.assertEqual(len(bundle.predict([])), 0)
        self.assertEqual(bundle.predict(texts[3:5]).probabilities.tobytes(), got.probabilities[3:5].tobytes())

    def test_images(self):
        work, pixels = trained.images()
        model = asap.Model.load(work / "run")
        self.assertEqual((model.input, model.image_shape, model.method), ("images", (3, 8, 8), "teacher"))
        self.assertEqual(answers_of(model.predict(pixels)), trained.answers(work, ["--run", "run"], "pictures", "answers"))
        with self.assertRaisesRegex(ValueError, r"^examples has shape \[12, 8, 8, 3\] of uint8: .* \[examples, 3, 8, 8\]"):
            model.predict(pixels.transpose(0, 2, 3, 1))
        with self.assertRaisesRegex(ValueError, "^examples has shape .* of float32: .* of uint8"):
            model.predict(pixels.astype(np.float32))

    def test_points(self):
        work, sets = trained.points()
        model = asap.Model.load(work / "run")
        self.assertEqual((model.input, model.point_width), ("points", 2))
        self.assertEqual(answers_of(model.predict(sets)), trained.answers(work, ["--run", "run"], "sets.csv", "answers"))
        with self.assertRaisesRegex(ValueError, r"^examples\[1\] has shape \[4, 3\] .* sets of points \[points, 2\]"):
            model.predict([sets[0], np.zeros((4, 3), np.float32)])

    def test_errors(self):
        model = asap.Model.load(trained.texts() / "reviews.safetensors")
        cases = [
            (lambda: model.predict("one text"), TypeError, r"^examples is one text.*hint: \[text\]"),
            (lambda: model.predict(["a", 3]), TypeError, r"^examples\[1\] is of int: the network reads texts"),
            (lambda: model.predict(["kind film", "  "]), ValueError, "text 1"),
            (lambda: asap.Model.load("nowhere.safetensors"), asap.DataError, "nowhere.safetensors"),
            (lambda: asap.Model.load(Path(__file__)), asap.DataError, "model_test.py"),
            (lambda: asap.Model.load(trained.texts() / "run", method="compiled"), ValueError, "compiled operator"),
            (lambda: asap.Model.load(trained.texts() / "run", method="sinkhorm:3"), ValueError, "sinkhorm"),
        ]
        for call, error, message in cases:
            with self.assertRaisesRegex(error, message):
                call()


if __name__ == "__main__":
    unittest.main()

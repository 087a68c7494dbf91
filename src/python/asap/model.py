"""Trained networks: classes and probabilities of texts, images and sets of points."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _asap
from ._arrays import as_numpy


@dataclass(frozen=True)
class Prediction:
    """The answers to some examples, in their order."""

    classes: list[str]
    """The name of the most probable class of each example."""
    indices: npt.NDArray[np.int32]
    """Its index in `Model.class_names`, [examples]; the first of equal ones."""
    probabilities: npt.NDArray[np.float32]
    """[examples, classes]"""
    embeddings: npt.NDArray[np.float32] | None = None
    """What the last linear layer reads, [examples, embedding_width], where it was asked for."""
    column_errors: npt.NDArray[np.float64] | None = None
    """How far the plans are from doubly stochastic, [examples], mean over heads, where it was asked for."""

    def __len__(self) -> int:
        return len(self.classes)


class Model:
    """A trained network: a bundle of `asap-eval bundle`, or the folder of a run of asap-train."""

    def __init__(self, model: _asap.Model) -> None:
        """Use `load`."""
        self._model = model

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, method: str | None = None) -> "Model":
        """Reads a bundle or a run.

        Args:
            path: file or folder.
            method: the attention: "teacher", "compiled", "sinkhorn:3", ... as --method of `asap-eval predict`; None:
                compiled where there is an operator, else teacher.

        Raises:
            DataError: a file is missing or damaged. ValueError: the network has no such method.
        """
        return cls(_asap.Model.load(os.fsdecode(path), method))

    @property
    def input(self) -> str:
        """What the network reads: "texts", "images" or "points"."""
        return self._model.input

    @property
    def class_names(self) -> list[str]:
        """The names of the classes."""
        return self._model.class_names

    @property
    def embedding_width(self) -> int:
        """Numbers that the last linear layer reads."""
        return self._model.embedding_width

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of an image in pixels; None for other inputs."""
        return self._model.image_shape if self.input == "images" else None

    @property
    def point_width(self) -> int | None:
        """Coordinates of a point; None for other inputs."""
        return self._model.point_width if self.input == "points" else None

    @property
    def method(self) -> str:
        """The attention that answers."""
        return self._model.method

    @property
    def fingerprint(self) -> str:
        """Identifies the trained weights."""
        return self._model.fingerprint

    def predict(self, examples: Any, *, embeddings: bool = False, column_errors: bool = False) -> Prediction:
        """Answers examples. An answer depends on its example alone, and is that of `asap-eval predict`.

        Args:
            examples: a sequence of strings; or images [examples, channels, height, width] of uint8 (without the
                channels where there is one); or a sequence of sets of points [points, point_width] of float32.
            embeddings: also return what the last linear layer reads.
            column_errors: also return how far the plans are from doubly stochastic.

        Raises:
            ValueError: examples that the network does not read.
        """
        if self.input == "texts":
            texts = self._texts(examples)
            return self._answer(len(texts), embeddings, column_errors, self._model.predict_texts, texts)
        if self.input == "images":
            pixels = self._pixels(examples)
            return self._answer(len(pixels), embeddings, column_errors, self._model.predict_images, pixels)
        points, lengths = self._points(examples)
        return self._answer(len(lengths), embeddings, column_errors, self._model.predict_points, points, lengths)

    def _answer(self, count: int, embeddings: bool, column_errors: bool, predict: Any, *inputs: Any) -> Prediction:
        names = self.class_names
        probabilities = np.empty((count, len(names)), np.float32)
        indices = np.empty(count, np.int32)
        embedded = np.empty((count, self.embedding_width), np.float32) if embeddings else None
        errors = np.empty(count, np.float64) if column_errors else None
        predict(*inputs, _asap.Answers(probabilities, indices, embedded, errors))
        return Prediction([names[index] for index in indices], indices, probabilities, embedded, errors)

    def _texts(self, examples: Any) -> list[str]:
        if isinstance(examples, (str, bytes)):
            raise TypeError("examples is one text, expected a sequence of texts (hint: [text])")
        texts = list(examples)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"examples[{index}] is of {type(text).__name__}: the network reads texts")
        return texts

    def _pixels(self, examples: Any) -> npt.NDArray[np.uint8]:
        pixels = as_numpy("examples", examples)
        channels, height, width = self._model.image_shape
        if pixels.ndim == 3 and channels == 1:
            pixels = pixels[:, np.newaxis]
        if pixels.shape[1:] != (channels, height, width) or pixels.dtype != np.uint8:
            raise ValueError(
                f"examples has shape {list(pixels.shape)} of {pixels.dtype}: the network reads images [examples, "
                f"{channels}, {height}, {width}] of uint8"
            )
        return np.ascontiguousarray(pixels)

    def _points(self, examples: Sequence[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        width = self._model.point_width
        sets = []
        for index, example in enumerate(examples):
            points = as_numpy(f"examples[{index}]", example)
            if points.ndim != 2 or points.shape[1] != width or points.shape[0] == 0 or points.dtype.kind not in "fiu":
                raise ValueError(
                    f"examples[{index}] has shape {list(points.shape)} of {points.dtype}: the network reads sets of "
                    f"points [points, {width}] of float32"
                )
            sets.append(points.astype(np.float32, copy=False))
        lengths = np.array([len(points) for points in sets], np.int64)
        return np.concatenate(sets) if sets else np.empty((0, width), np.float32), lengths

    def __repr__(self) -> str:
        return f"<asap.Model of {len(self.class_names)} classes of {self.input}, attention {self.method}>"

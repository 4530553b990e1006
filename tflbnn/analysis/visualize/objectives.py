"""What DeepDream raises: a class, a layer, a filter or a neuron (LTB 3.3)."""

from __future__ import annotations

import dataclasses
from typing import Any

from tflbnn._keras import tf
from tflbnn.analysis.visualize import tensors
from tflbnn.errors import UserError

KINDS = ("class", "layer", "filter", "neuron")
_FORMS = "class:NUMBER, layer:NAME, filter:NAME:CHANNEL or neuron:NAME:ROW,COLUMN,CHANNEL"


@dataclasses.dataclass(frozen=True)
class Objective:
    """A part of a network, and how strongly it answers to images.

        class     the logit of class k
        layer     the mean of the squares of all that the layer gives
        filter    the mean of one channel of what it gives
        neuron    one value of what it gives

    Attributes:
        kind: one of `KINDS`.
        layer: a layer's name; empty for a class.
        index: (class,), (), (channel,) or (row, column, channel).
    """

    kind: str
    layer: str = ""
    index: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Objective:
        """An objective as it is written on the command line.

        Raises:
            UserError: it is written in another way.

        >>> Objective.parse("neuron:stem_conv:3,5,7")
        Objective(kind='neuron', layer='stem_conv', index=(3, 5, 7))
        """
        kind, _, rest = text.partition(":")
        layer, index = ("", rest) if kind == "class" else (rest, "") if kind == "layer" else rest.rpartition(":")[::2]
        numbers = index.split(",") if index else []
        lengths = {"class": 1, "layer": 0, "filter": 1, "neuron": 3}
        valid = all(number.isascii() and number.isdigit() for number in numbers)
        if kind not in KINDS or not valid or len(numbers) != lengths[kind] or (kind != "class" and not layer):
            raise UserError(f"An objective is {_FORMS}. Received: {text!r}.")
        return cls(kind, layer, tuple(int(number) for number in numbers))

    def __str__(self) -> str:
        parts = [self.kind, self.layer, ",".join(map(str, self.index))]
        return ":".join(part for part in parts if part)

    def tensor(self, model: Any) -> Any:
        """What of the network is looked at, a symbolic tensor.

        Raises:
            UserError: the network has not what the objective names.
        """
        tensor = tensors.logits(model) if self.kind == "class" else tensors.find(model, self.layer).get_output_at(0)
        shape = tensor.shape[1:]
        sizes = {"class": shape[-1:], "layer": (), "filter": shape[-1:], "neuron": shape}[self.kind]
        if len(sizes) != len(self.index):
            raise UserError(f"A neuron has a row, a column and a channel. Received: {self}, of shape {tuple(shape)}.")
        for position, size in zip(self.index, sizes, strict=True):
            if size is not None and position >= size:
                raise UserError(f"{self} must lie in {tuple(shape)}. Received: {position}, from 0 to {size - 1} there.")
        return tensor

    def values(self, output: tf.Tensor) -> tf.Tensor:
        """How strongly it answers to each image, (batch,); `output` is what `tensor` is for them."""
        if self.kind == "class":
            return output[:, self.index[0]]
        if self.kind == "neuron":
            row, column, channel = self.index
            return output[:, row, column, channel]
        chosen = output if self.kind == "layer" else output[..., self.index[0] : self.index[0] + 1]
        power = 2 if self.kind == "layer" else 1
        return tf.reduce_mean(chosen**power, axis=list(range(1, output.shape.rank)))

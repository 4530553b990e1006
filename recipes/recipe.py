"""What a training run is made of, as data: frozen, without TensorFlow, the same in Python, JSON and a command.

A variant changes fields: `dataclasses.replace(recipe, epochs=3)` in Python, `recipe.override({"epochs": "3"})` in text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.recipes import overrides, tunable
from tflbnn.recipes.parts import (
    Augmentation,
    Checked,
    Data,
    Execution,
    Loss,
    Network,
    Optimizer,
    Pretraining,
    Schedule,
    bounded,
    hints,
)
from tflbnn.recipes.tunable import Choice, Range
from tflbnn.recipes.values import check, shown


@dataclasses.dataclass(frozen=True)
class Recipe(Checked):
    """Everything that decides what a training run computes.

    Attributes:
        name, summary: what it is called, and what it is in a few words.
        paper: the table it is an experiment of.
        published: the accuracy that the paper states for it; empty where there is none.
        members: how many networks vote, BENN's K: such a recipe is trained by `tflbnn ensemble`, as bagging.

    >>> from tflbnn import recipes
    >>> recipe = recipes.get("digits").override({"t_clip": "0.5", "epochs": "3"})
    >>> recipe.binarization.t_clip, recipe.epochs
    (0.5, 3)
    >>> recipes.Recipe.from_dict(recipe.to_dict()) == recipe
    True
    """

    name: str
    summary: str
    paper: str
    network: Network
    data: Data
    published: str = ""
    binarization: Binarization = dataclasses.field(default_factory=Binarization)
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    schedule: Schedule = dataclasses.field(default_factory=Schedule)
    loss: Loss = dataclasses.field(default_factory=Loss)
    pretraining: Pretraining = dataclasses.field(default_factory=Pretraining)
    execution: Execution = dataclasses.field(default_factory=Execution)
    epochs: int = bounded(20, 1, 100_000)
    batch_size: int = bounded(64, 1, 65_536)
    seed: int = bounded(0, 0, 2**31 - 1)
    members: int = bounded(1, 1, 10_000)
    tunable: dict[str, Choice | Range] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", self.name):  # it names folders
            raise UserError(
                "A recipe's name must be lower-case letters, digits, '-', '_' and '.', at most 64 of them. "
                f"Received: {shown(self.name)}."
            )
        if not isinstance(self.tunable, Mapping):
            raise UserError(f"tunable must be a table. Received: {shown(self.tunable)}.")
        for key, space in self.tunable.items():
            if not isinstance(key, str) or not isinstance(space, (Choice, Range)):
                raise UserError(f"tunable must map keys to Choice or Range. Received: {shown((key, space))}.")

    def override(self, values: Mapping[str, str]) -> Recipe:
        """A copy with fields set from text: `{"binarization.t_clip": "0.5", "growth_rate": "16"}`.

        A key is the dotted path of a field; its last component alone does where only one field ends so.
        `network.KEY` is any keyword argument of the network's builder. Naming another network drops the knobs
        of the old one.

        Raises:
            UserError: an unknown or ambiguous key, or a value that the field refuses.
        """
        return overrides.apply(self, values)

    def get(self, key: str) -> Any:
        """The value of a field by its key as in `override`; a knob the recipe leaves out has its builder's default.

        Raises:
            UserError: an unknown or ambiguous key.
        """
        return overrides.lookup(self, key)

    def replace(self, key: str, value: Any) -> Recipe:
        """A copy with one field set to a value that has its type already; `key` as in `override`.

        Raises:
            UserError: an unknown or ambiguous key, or a value that the field refuses.
        """
        return overrides.replace(self, key, value)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON knows it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name, value in values.items():
            if dataclasses.is_dataclass(value):
                values[name] = _lists(dataclasses.asdict(value))
        values["tunable"] = {key: space.to_dict() for key, space in self.tunable.items()}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The opposite of `to_dict`. Reads data, runs nothing: the network is only looked up by name.

        Raises:
            UserError: a missing or unknown field, or a value that its field refuses.
        """
        fields = _fields(cls, values, "A recipe")
        parts = {name: hint for name, hint in hints(cls).items() if dataclasses.is_dataclass(hint)}
        for name, part in parts.items():
            if name not in fields:
                continue
            values = _fields(part, fields[name], name)
            if part is Binarization:  # the other parts check their types themselves
                values = {key: check(f"{name}.{key}", value, hints(part)[key]) for key, value in values.items()}
            fields[name] = part(**values)
        if "tunable" in fields:
            if not isinstance(fields["tunable"], Mapping):
                raise UserError(f"tunable must be a table. Received: {shown(fields['tunable'])}.")
            fields["tunable"] = {str(key): tunable.from_dict(key, value) for key, value in fields["tunable"].items()}
        return cls(**fields)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _fields(cls: Any, values: Any, what: str) -> dict[str, Any]:
    """`values` as keyword arguments of the dataclass `cls`."""
    if not isinstance(values, Mapping):
        raise UserError(f"{what} must be a table of fields. Received: {shown(values)}.")
    known = [field.name for field in dataclasses.fields(cls)]
    for key in values:
        if key not in known:
            raise UserError(f"{what} has no field '{shown(key)}'. {nearest(str(key), known)}")
    for field in dataclasses.fields(cls):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in values:
            raise UserError(
                f"{what} needs the field '{field.name}'. Received: {', '.join(map(str, values)) or 'none'}."
            )
    return dict(values)

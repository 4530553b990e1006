"""What a training run is made of, as data: frozen, without TensorFlow, the same in Python, JSON and a command.

A variant changes fields: `dataclasses.replace(recipe, epochs=3)` in Python, `recipe.override({"epochs": "3"})` in text.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Mapping
from typing import Any, Literal

from tflbnn import data as datasets
from tflbnn import networks
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.recipes import overrides, tunable
from tflbnn.recipes.tunable import Choice, Range
from tflbnn.recipes.values import check, shown

LARGEST_KNOB = 65_536  # more filters or layers than any network has: refused before memory is asked for


def _bounded(default: Any, low: float, high: float, above: bool = False) -> Any:
    """A field whose value lies from `low` to `high`, or above `low` where it must not be reached."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "above": above})


@functools.cache
def hints(cls: type) -> dict[str, Any]:
    """The annotations of a dataclass as types."""
    return typing.get_type_hints(cls)


class Checked:
    """Checks every field against its annotation and its bounds, also after `dataclasses.replace`."""

    prefix = ""  # how the command line names the part

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            hint, value = hints(type(self))[field.name], getattr(self, field.name)
            key = self.prefix + field.name
            if dataclasses.is_dataclass(hint):
                if not isinstance(value, hint):
                    raise UserError(f"{key} must be a {hint.__name__}. Received: {shown(value)}.")
                continue
            if typing.get_origin(hint) is dict:
                continue
            value = check(key, value, hint)
            low, high = field.metadata.get("low"), field.metadata.get("high")
            if value is not None and low is not None:
                too_low = value <= low if field.metadata["above"] else value < low
                if too_low or value > high:
                    bound = "above" if field.metadata["above"] else "at least"
                    cure = high if field.default is None else field.default
                    raise UserError(
                        f"{key} must be {bound} {low:g} and at most {high:g}. Received: {value}. Set {key}={cure}."
                    )
            object.__setattr__(self, field.name, value)


@dataclasses.dataclass(frozen=True)
class Network(Checked):
    """A network's name in `tflbnn.networks` and the keyword arguments of its builder that differ from its defaults."""

    prefix = "network."
    name: str
    knobs: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name not in networks.NAMES:
            raise UserError(f"There is no network '{shown(self.name)}'. {nearest(self.name, list(networks.NAMES))}")
        if not isinstance(self.knobs, Mapping):
            raise UserError(f"network.knobs must be a table. Received: {shown(self.knobs)}.")
        known, checked = overrides.knobs(self.name), {}
        for knob, value in self.knobs.items():
            if knob not in known:
                raise UserError(f"{self.name} has no knob '{shown(knob)}'. {nearest(shown(knob), list(known))}")
            checked[knob] = check(f"network.{knob}", value, known[knob])
            numbers = checked[knob] if isinstance(checked[knob], tuple) else (checked[knob],)
            if any(isinstance(number, (int, float)) and abs(number) > LARGEST_KNOB for number in numbers):
                raise UserError(f"network.{knob} must be at most {LARGEST_KNOB}. Received: {shown(value)}.")
        object.__setattr__(self, "knobs", checked)

    def build(self, input_shape: tuple[int, int, int], classes: int, binarization: Binarization) -> Any:
        """The Keras model.

        Raises:
            UserError: a value that the builder refuses, for these images.
        """
        return networks.get(self.name)(input_shape, classes, binarization, **self.knobs)


@dataclasses.dataclass(frozen=True)
class Data(Checked):
    """A data set of `tflbnn.data` and how its training images are divided.

    Attributes:
        name: the data set.
        validation: the share of the training images kept for validation, the same share of every class.
        split_seed: which images those are; independent of the recipe's seed, so runs with several seeds compare.
        samples: at most so many images for training and for the test; None takes all.
    """

    prefix = "data."
    name: str
    validation: float = _bounded(0.1, 0, 0.5, above=True)
    split_seed: int = _bounded(0, 0, 2**31 - 1)
    samples: int | None = _bounded(None, 1, 100_000_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name not in datasets.NAMES:
            raise UserError(f"There is no data set '{shown(self.name)}'. {nearest(self.name, list(datasets.NAMES))}")


@dataclasses.dataclass(frozen=True)
class Augmentation(Checked):
    """Random changes of the training images, drawn anew every epoch.

    Attributes:
        padding: pixels of zeros added on every side before a window of the old size is cut out at random.
        flip: mirror half of the images left to right.
    """

    prefix = "augmentation."
    padding: int = _bounded(0, 0, 64)
    flip: bool = False


@dataclasses.dataclass(frozen=True)
class Optimizer(Checked):
    """The optimizer; `momentum` counts for "sgd" only."""

    prefix = "optimizer."
    name: Literal["adam", "sgd"] = "adam"
    learning_rate: float = _bounded(1e-3, 0, 100, above=True)
    momentum: float = _bounded(0.9, 0, 0.999)


@dataclasses.dataclass(frozen=True)
class Schedule(Checked):
    """The learning rate of an epoch; see `tflbnn.training.schedules`.

    Attributes:
        name: "constant"; "step": times `factor` at each of `milestones`; "cosine": down to zero.
        milestones: shares of all epochs, so that a run with fewer epochs keeps its shape.
        factor: what a milestone multiplies the learning rate by.
    """

    prefix = "schedule."
    name: Literal["constant", "step", "cosine"] = "constant"
    milestones: tuple[float, ...] = ()
    factor: float = _bounded(0.1, 0, 1, above=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        inside = all(0 < milestone < 1 for milestone in self.milestones)
        if not inside or list(self.milestones) != sorted(set(self.milestones)) or len(self.milestones) > 100:
            raise UserError(
                "schedule.milestones must rise, each between 0 and 1, the share of all epochs. "
                f"Received: {shown(self.milestones)}. Set for example schedule.milestones=0.5,0.75."
            )


@dataclasses.dataclass(frozen=True)
class Recipe(Checked):
    """Everything that decides what a training run computes.

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
    binarization: Binarization = dataclasses.field(default_factory=Binarization)
    augmentation: Augmentation = Augmentation()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    epochs: int = _bounded(20, 1, 100_000)
    batch_size: int = _bounded(64, 1, 65_536)
    seed: int = _bounded(0, 0, 2**31 - 1)
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
        values["binarization"] = self.binarization.to_dict()
        values["tunable"] = {key: space.to_dict() for key, space in self.tunable.items()}
        for part in ("network", "data", "augmentation", "optimizer", "schedule"):
            values[part] = _lists(dataclasses.asdict(values[part]))
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

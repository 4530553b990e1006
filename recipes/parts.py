"""The parts of a recipe: frozen dataclasses that check every field, without TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Mapping
from typing import Any, Literal

from tflbnn import data as datasets
from tflbnn import networks
from tflbnn.binarization import PRESETS, Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.recipes import overrides
from tflbnn.recipes.values import check, shown

LARGEST_KNOB = 65_536  # more filters or layers than any network has: refused before memory is asked for


def bounded(default: Any, low: float, high: float, above: bool = False) -> Any:
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
        side: photographs are brought to so many pixels a side; None is what their data set says.
        crop: a window of so many pixels a side is cut out of every image, anywhere in training, elsewhere from the
            middle; None is what the data set says: 224 of ImageNet's, all of the others.
    """

    prefix = "data."
    name: str
    validation: float = bounded(0.1, 0, 0.5, above=True)
    split_seed: int = bounded(0, 0, 2**31 - 1)
    samples: int | None = bounded(None, 1, 100_000_000)
    side: int | None = bounded(None, 8, 4096)
    crop: int | None = bounded(None, 1, 4096)

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
        mixup: alpha of the Beta distribution that the weights of pairs of images are drawn from; 0 mixes none. See
            `tflbnn.data.augmentation.mixup`.
    """

    prefix = "augmentation."
    padding: int = bounded(0, 0, 64)
    flip: bool = False
    mixup: float = bounded(0.0, 0, 100)


@dataclasses.dataclass(frozen=True)
class Optimizer(Checked):
    """The optimizers, by role: of binary kernels, and of everything else. See `tflbnn.training.optimizers`.

    Attributes:
        name: of everything, or of everything but binary kernels.
        learning_rate: its learning rate, before the schedule.
        momentum: of "sgd".
        binary: of the kernels that are quantized to one bit; "same" is no other.
        binary_learning_rate: that one's learning rate, and gamma of "bop", before the schedule, which multiplies both
            alike; None is `learning_rate`, and 1e-4 for "bop".
        threshold: what the mean gradient must exceed to flip a weight, of "bop".
    """

    prefix = "optimizer."
    name: Literal["adam", "sgd", "radam"] = "adam"
    learning_rate: float = bounded(1e-3, 0, 100, above=True)
    momentum: float = bounded(0.9, 0, 0.999)
    binary: Literal["same", "adam", "sgd", "radam", "bop"] = "same"
    binary_learning_rate: float | None = bounded(None, 0, 100, above=True)
    threshold: float = bounded(1e-8, 0, 1)


@dataclasses.dataclass(frozen=True)
class Schedule(Checked):
    """The learning rate of an epoch; see `tflbnn.training.schedules`.

    Attributes:
        name: "constant"; "step": times `factor` at each of `milestones`; "cosine": down to zero.
        milestones: shares of all epochs, so that a run with fewer epochs keeps its shape.
        factor: what a milestone multiplies the learning rate by.
        warm_up: the share of all epochs in which the learning rate rises in equal steps, before the rest begins.
        regularization_rise: the share of all epochs in which lambda of R1 and R2 rises in equal steps to
            `binarization.regularization` (BNN+ 4.3); 0 has it there from the start.
    """

    prefix = "schedule."
    name: Literal["constant", "step", "cosine"] = "constant"
    milestones: tuple[float, ...] = ()
    factor: float = bounded(0.1, 0, 1, above=True)
    warm_up: float = bounded(0.0, 0, 0.5)
    regularization_rise: float = bounded(0.0, 0, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        inside = all(0 < milestone < 1 for milestone in self.milestones)
        if not inside or list(self.milestones) != sorted(set(self.milestones)) or len(self.milestones) > 100:
            raise UserError(
                "schedule.milestones must rise, each between 0 and 1, the share of all epochs. "
                f"Received: {shown(self.milestones)}. Set for example schedule.milestones=0.5,0.75."
            )


@dataclasses.dataclass(frozen=True)
class Loss(Checked):
    """What a classifier's cross-entropy compares its outputs with. See `tflbnn.training.losses`.

    Attributes:
        label_smoothing: the share of the target that all classes get alike (Szegedy et al., 2016).
        teacher: the folder of a finished run, whose network's outputs are targets as well (Hinton et al., 2015).
        teacher_weight: the share of the loss that compares with the teacher, the rest with the labels.
        temperature: what both networks' logits are divided by there.
    """

    prefix = "loss."
    label_smoothing: float = bounded(0.0, 0, 0.9)
    teacher: str = ""
    teacher_weight: float = bounded(0.5, 0, 1)
    temperature: float = bounded(1.0, 0, 100, above=True)


@dataclasses.dataclass(frozen=True)
class Pretraining(Checked):
    """The stage before: another training, whose weights this one starts from where name and shape are the same.

    One of the first three says which; all empty, there is none. See `tflbnn.training.stages`.

    Attributes:
        method: this recipe with another binarization, one of `tflbnn.binarization.PRESETS`, such as "htanh".
        recipe: another recipe by its name, with a stage before of its own if it has one.
        run: the folder of a finished run, whatever it was.
        epochs: of that stage; None is what its recipe says.
    """

    prefix = "pretraining."
    method: str = ""
    recipe: str = ""
    run: str = ""
    epochs: int | None = bounded(None, 1, 100_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [f"pretraining.{field}={shown(getattr(self, field))}" for field in _STAGES if getattr(self, field)]
        if len(given) > 1:
            raise UserError(f"There is one stage before a training. Received: {' and '.join(given)}. Leave one out.")
        if self.method and self.method not in PRESETS:
            raise UserError(f"There is no binarization '{shown(self.method)}'. {nearest(self.method, list(PRESETS))}")

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in _STAGES)


@dataclasses.dataclass(frozen=True)
class Execution(Checked):
    """How the machine computes a training.

    Attributes:
        precision: "float32"; "mixed_bfloat16", which computes in half of the bits and keeps the variables in float32:
            products of signs are exact, their sums rounded to 8 significant bits; "auto" takes the latter where it
            pays, see `tflbnn.training.execution`. Tests, and what is exported, are in float32 either way.
        jit_compile: XLA compiles the training step.
        steps_per_execution: how many steps are one call of TensorFlow; callbacks are told after each call.
    """

    prefix = "execution."
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "float32"
    jit_compile: bool = False
    steps_per_execution: int = bounded(1, 1, 4096)


_STAGES = ("method", "recipe", "run")

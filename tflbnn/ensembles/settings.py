"""What an ensemble is besides its recipe, as data."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, Literal

from tflbnn.errors import UserError, nearest

Method = Literal["bagging", "samme", "samme.r", "logitboost"]
METHODS: tuple[Method, ...] = typing.get_args(Method)
MOST_MEMBERS = 10_000


@dataclasses.dataclass(frozen=True)
class Settings:
    """How members are trained and how they vote.

    Attributes:
        method: "bagging", or one of the boosting methods: "samme" and "samme.r" (Zhu et al., 2009), "logitboost"
            (Friedman et al., 2000).
        members: K.
        sequential: a member starts from the weights of the last one (warm restart), not from its own; the optimizer
            always starts anew.
        reweighting: a member's examples are drawn by their weights ("sampling"), or their losses are multiplied by
            them ("loss").
        voting: "soft" or "hard"; see `tflbnn.ensembles.voting`.
        best: members are as they were in the epoch with the best validation accuracy, else as in the last.
        step_images: of so many test images, what members say is kept for each of the last 20 training steps.

    >>> Settings("samme", 5).boosts, Settings("bagging", 5).boosts
    (True, False)
    """

    method: Method = "bagging"
    members: int = 5
    sequential: bool = False
    reweighting: Literal["sampling", "loss"] = "sampling"
    voting: Literal["soft", "hard"] = "soft"
    best: bool = True
    step_images: int = 0

    def __post_init__(self) -> None:
        for field, hint in typing.get_type_hints(type(self)).items():
            value, choices = getattr(self, field), typing.get_args(hint)
            if choices and value not in choices:
                raise UserError(
                    f"An ensemble's {field} must be one of {', '.join(choices)}. Received: {value!r}. "
                    f"{nearest(str(value), list(choices))}"
                )
            if not choices and type(value) is not hint:
                raise UserError(f"An ensemble's {field} must be of type {hint.__name__}. Received: {value!r}.")
        if not 1 <= self.members <= MOST_MEMBERS:
            raise UserError(f"An ensemble has 1 to {MOST_MEMBERS:,} members. Received: {self.members}.")
        if self.step_images < 0:
            raise UserError(f"step_images must be at least 0. Received: {self.step_images}.")

    @property
    def boosts(self) -> bool:
        """A member depends on those before it."""
        return self.method != "bagging"

    @property
    def ordered(self) -> bool:
        """Members must be trained one after another."""
        return self.boosts or self.sequential

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Settings:
        """The opposite of `to_dict`.

        Raises:
            UserError: an unknown field, or a value that its field refuses.
        """
        fields = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(values, Mapping):
            raise UserError(f"An ensemble's settings must be a table. Received: {str(values)[:80]}.")
        for key in values:
            if key not in fields:
                raise UserError(f"An ensemble has no setting '{str(key)[:80]}'. {nearest(str(key), fields)}")
        return cls(**values)

"""What a tuner may vary: a list of choices or a range, declared beside the recipe's defaults."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tflbnn.errors import UserError
from tflbnn.recipes.values import shown


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of several values.

    >>> Choice((8, 16, 32)).to_dict()
    {'choices': [8, 16, 32]}
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(tuple(v) if isinstance(v, list) else v for v in self.values))
        scalars = [item for value in self.values for item in (value if isinstance(value, tuple) else (value,))]
        if not self.values or not all(_is_scalar(item) for item in scalars):
            raise UserError(
                f"The choices of a tunable must be numbers, words or lists of them. Received: {shown(self.values)}."
            )

    def to_dict(self) -> dict[str, Any]:
        return {"choices": [list(value) if isinstance(value, tuple) else value for value in self.values]}


@dataclasses.dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included; `log` draws evenly over the orders of magnitude.

    >>> Range(0.25, 2.0).to_dict()
    {'low': 0.25, 'high': 2.0, 'log': False}
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        numbers = all(type(value) in (int, float) and math.isfinite(value) for value in (self.low, self.high))
        if not numbers or type(self.log) is not bool or self.low >= self.high or (self.log and self.low <= 0):
            raise UserError(
                "A tunable range needs two finite numbers, the lower one first, above 0 where log is true. "
                f"Received: low={shown(self.low)}, high={shown(self.high)}, log={shown(self.log)}."
            )

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def from_dict(key: str, value: Any) -> Choice | Range:
    """The inverse of both `to_dict`.

    Raises:
        UserError: the value is neither {"choices": [...]} nor {"low": ..., "high": ..., "log": ...}.
    """
    if isinstance(value, dict):
        if set(value) == {"choices"} and isinstance(value["choices"], list):
            return Choice(tuple(value["choices"]))
        if {"low", "high"} <= set(value) <= {"low", "high", "log"}:
            return Range(**value)
    raise UserError(
        f'A tunable must be {{"choices": [...]}} or {{"low": a, "high": b, "log": false}}. '
        f"Received: {key} = {shown(value)}."
    )

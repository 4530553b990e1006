"""The search space, checked against a recipe: `growth_rate=8,16,32 t_clip=0.25..2.0 learning_rate=1e-4..1e-2:log`.

Importing this module loads neither TensorFlow nor Keras Tuner.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from tflbnn.errors import UserError
from tflbnn.recipes import overrides
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range
from tflbnn.recipes.values import check, parse

HELP = "Write choices as growth_rate=8,16,32, a range as t_clip=0.25..2.0 or learning_rate=1e-4..1e-2:log."


@dataclasses.dataclass(frozen=True)
class Space:
    """What a search varies.

    Attributes:
        recipe: what every trial has in common.
        tunables: full key, such as "network.growth_rate", to the values it may take. Where networks are searched, a
            knob counts for those that have it.

    Raises:
        UserError: nothing to vary, or a key or value that the recipe refuses.

    >>> from tflbnn import recipes
    >>> space = Space(recipes.get("digits"), {"binarization.t_clip": Range(0.25, 2)})
    >>> space.variant({"binarization.t_clip": 0.5}).binarization.t_clip
    0.5
    """

    recipe: Recipe
    tunables: dict[str, Choice | Range]

    def __post_init__(self) -> None:
        checked: dict[str, Choice | Range] = {}
        names = self.tunables.get("network.name")
        networks = names.values if isinstance(names, Choice) else (self.recipe.network.name,)
        for key, tunable in self.tunables.items():
            full, hints = _resolve(self.recipe, networks, key)
            if full in checked:
                raise UserError(f"A field is searched once. Received: {full} twice. Remove one.")
            if full == "epochs" or full.startswith("data."):
                raise UserError(
                    f"A search compares accuracy on the same data after the same training. Received: {full}. "
                    f"Fix it with one value, {full}={_text(self.recipe.get(full))}, and search other fields."
                )
            for recipe, hint in hints:
                checked[full] = _typed(recipe, full, tunable, hint)
        if not checked:
            raise UserError(f"There is nothing to search: {self.recipe.name} declares no tunable field. {HELP}")
        # The network first: it decides which knobs there are.
        object.__setattr__(self, "tunables", dict(sorted(checked.items(), key=lambda item: item[0] != "network.name")))

    def networks_with(self, key: str) -> tuple[str, ...] | None:
        """The searched networks that have a field; None where all of them have."""
        names = self.tunables.get("network.name")
        if names is None or not key.startswith("network.") or key == "network.name":
            return None
        knob = key.partition(".")[2]
        having = tuple(name for name in names.values if knob in overrides.knobs(name))
        return None if having == names.values else having

    def variant(self, values: Mapping[str, Any]) -> Recipe:
        """The recipe of one trial.

        Raises:
            UserError: values that do not go together.
        """
        recipe = self.recipe
        # The network first: naming another one drops the knobs of the old one. A preset before what varies it.
        for key in sorted(values, key=lambda key: (key != "network.name", key != "binarization")):
            recipe = recipe.replace(key, values[key])
        return recipe

    def size(self) -> int | None:
        """How many different trials there are; None where a float range makes them countless."""
        sizes = {key: _size(tunable) for key, tunable in self.tunables.items()}
        if None in sizes.values():
            return None
        names = self.tunables.get("network.name")
        if names is None:
            return math.prod(sizes.values())
        del sizes["network.name"]
        having = {key: self.networks_with(key) or names.values for key in sizes}
        return sum(math.prod(size for key, size in sizes.items() if name in having[key]) for name in names.values)

    def __str__(self) -> str:
        return "  ".join(f"{key}={_describe(tunable)}" for key, tunable in self.tunables.items())


def parse_space(recipe: Recipe, words: Sequence[str]) -> Space:
    """The space that command line words describe.

    A word with one value fixes that field. The words with several values or a range are the space; without any,
    it is what the recipe declares tunable, less what is fixed. The choices of a field that holds several numbers
    are separated by "/": layers=2,2/3,3.

    Raises:
        UserError: a word that is no key=values, an unknown key, a wrong type, an empty or reversed range.

    >>> from tflbnn import recipes
    >>> digits = recipes.get("digits")
    >>> print(parse_space(digits, ["binarization.t_clip=0.25..2.0", "optimizer.learning_rate=1e-3,2e-3"]))
    binarization.t_clip=0.25..2.0  optimizer.learning_rate=0.001,0.002
    """
    pairs = [_split(word) for word in words]
    # The network first: it decides which keys there are. Fields are fixed before the others are read.
    pairs.sort(key=lambda pair: pair[0] not in ("network.name",))
    fixed: set[str] = set()
    searched: dict[str, str] = {}
    networks = (recipe.network.name,)
    for key, text in pairs:
        full, hints = _resolve(recipe, networks, key)
        if full in fixed or full in searched:
            raise UserError(f"A field is named once. Received: {full} twice. Remove one.")
        several = ".." in text or len(_choices(text, hints[0][1])) > 1
        if several and full == "network.name":
            networks = _parse(full, text, hints[0][1]).values
        # A knob of some of the networks is fixed where they are chosen.
        if several or (len(networks) > 1 and full.startswith("network.")):
            searched[full] = text
        else:
            recipe = recipe.override({full: text})
            networks = networks if len(networks) > 1 else (recipe.network.name,)
            fixed.add(full)
    if searched:
        tunables = {key: _parse(key, text, _resolve(recipe, networks, key)[1][0][1]) for key, text in searched.items()}
    else:
        tunables = {key: tunable for key, tunable in recipe.tunable.items() if key not in fixed}
    return Space(recipe, tunables)


def _resolve(recipe: Recipe, networks: Sequence[str], key: str) -> tuple[str, list[tuple[Recipe, Any]]]:
    """The full key of a field, with the recipe of each network that has it, and its type there."""
    found: dict[str, list[tuple[Recipe, Any]]] = {}
    missing: UserError | None = None
    for name in networks:
        variant = recipe.replace("network.name", name)
        try:
            full, hint = overrides.resolve(variant, key)
        except UserError as error:
            missing = missing or error
            continue
        found.setdefault(full, []).append((variant, hint))
    if not found and missing:
        raise missing
    full = next(iter(found))
    return full, found[full]


def _split(word: str) -> tuple[str, str]:
    key, equals, text = (part.strip() for part in word.partition("="))
    if not (key and equals and text):
        raise UserError(f"What is searched must be key=values. Received: {word[:80]!r}. {HELP}")
    return key, text


def _choices(text: str, hint: Any) -> list[str]:
    return text.split("/" if _holds_tuple(hint) else ",")


def _parse(key: str, text: str, hint: Any) -> Choice | Range:
    if ".." not in text:
        return Choice(tuple(parse(key, part, hint) for part in _choices(text, hint)))
    ends, colon, scale = text.partition(":")
    low, _, high = ends.partition("..")
    if not _numeric(hint) or (colon and scale != "log") or not low.strip() or not high.strip():
        raise UserError(
            f"A range must be low..high or low..high:log, of a field that is a number. Received: {key}={text[:80]}. "
            + HELP
        )
    first, last = (parse(key, end, hint) for end in (low, high))
    if not first < last:
        raise UserError(
            f"A range must have its lower end first. Received: {key}={text[:80]}. Write {key}={last}..{first}, "
            "or one value to fix it."
        )
    if colon and first <= 0:
        raise UserError(
            f"A logarithmic range must begin above 0. Received: {key}={text[:80]}. "
            f"Write {key}={last / 100:g}..{last}:log."
        )
    return Range(first, last, log=bool(colon))


def _typed(recipe: Recipe, key: str, tunable: Choice | Range, hint: Any) -> Choice | Range:
    """The tunable with values as the field has them, each accepted by the recipe."""
    if isinstance(tunable, Range):
        if not _numeric(hint):
            raise UserError(f"A range needs a field that is a number. Received: {key}={_describe(tunable)}. {HELP}")
        typed: Choice | Range = Range(check(key, tunable.low, hint), check(key, tunable.high, hint), tunable.log)
        ends = (typed.low, typed.high)
    else:
        typed = Choice(tuple(check(key, value, hint) for value in tunable.values))
        ends = typed.values
        if len(set(ends)) < len(ends):
            raise UserError(f"Choices must differ. Received: {key}={_describe(typed)}. Remove what stands twice.")
    for value in ends:
        recipe.replace(key, value)
    return typed


def _members(hint: Any) -> tuple[Any, ...]:
    """The annotations in a union; of any other annotation itself."""
    arguments = typing.get_args(hint)
    return (hint,) if typing.get_origin(hint) in (None, tuple, typing.Literal) else arguments


def _holds_tuple(hint: Any) -> bool:
    return any(typing.get_origin(member) is tuple for member in _members(hint))


def _numeric(hint: Any) -> bool:
    return any(member in (int, float) for member in _members(hint))


def _size(tunable: Choice | Range) -> int | None:
    if isinstance(tunable, Choice):
        return len(tunable.values)
    return tunable.high - tunable.low + 1 if isinstance(tunable.low, int) else None


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _describe(tunable: Choice | Range) -> str:
    if isinstance(tunable, Range):
        return f"{tunable.low}..{tunable.high}" + (":log" if tunable.log else "")
    separator = "/" if any(isinstance(value, tuple) for value in tunable.values) else ","
    return separator.join(_text(value) for value in tunable.values)

"""Keys of a recipe's fields, `binarization.t_clip` or short `t_clip`, and what can be done with them."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tflbnn import networks
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.recipes.values import check, parse, shown

if TYPE_CHECKING:
    from tflbnn.recipes.recipe import Recipe

_hints = functools.cache(typing.get_type_hints)

FIXED = ("name", "summary", "paper", "published", "tunable")  # a variant keeps them


@functools.cache
def knobs(network: str) -> dict[str, Any]:
    """The keyword-only parameters of a network's builder and their types."""
    builder = networks.get(network)
    types = typing.get_type_hints(builder)
    parameters = inspect.signature(builder).parameters.values()
    return {p.name: types[p.name] for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _keys(recipe: Recipe) -> dict[str, Any]:
    """Key and type of every field that can be set."""
    keys = {}
    for name, hint in _hints(type(recipe)).items():
        if name in FIXED or name == "prefix":
            continue
        if dataclasses.is_dataclass(hint):
            parts = _hints(hint)
            keys.update({f"{name}.{field.name}": parts[field.name] for field in dataclasses.fields(hint)})
        else:
            keys[name] = hint
    del keys["network.knobs"]
    keys.update({f"network.{knob}": hint for knob, hint in knobs(recipe.network.name).items()})
    return keys


def resolve(recipe: Recipe, key: str) -> tuple[str, Any]:
    """The full key and the type of the field that `key` names."""
    known = _keys(recipe)
    if key == "binarization":
        return key, str  # a preset
    if key in known:
        return key, known[key]
    matches = [full for full in known if full.rpartition(".")[2] == key]
    if len(matches) == 1:
        return matches[0], known[matches[0]]
    if matches:
        raise UserError(f"'{key}' is ambiguous. Write one of: {', '.join(matches)}.")
    short = [full.rpartition(".")[2] for full in known]
    unique = [name for name in short if short.count(name) == 1]
    ambiguous = [full for full, name in zip(known, short, strict=True) if name not in unique]
    near = nearest(key, [*known, *unique])
    if not near.startswith("Did"):  # nothing is near: each field once, as short as it can be written
        near = nearest(key, [*unique, *ambiguous])
    raise UserError(f"The recipe {recipe.name} has no field '{shown(key)}'. {near}")


def replace(recipe: Recipe, key: str, value: Any) -> Recipe:
    """See `Recipe.replace`."""
    full, hint = resolve(recipe, key)
    return _replace(recipe, full, check(full, value, hint))


def _replace(recipe: Recipe, full: str, value: Any) -> Recipe:
    part, _, field = full.rpartition(".")
    if full == "binarization":
        # A method says how layers are quantized; which of them are stays what the recipe says.
        kept = {key: getattr(recipe.binarization, key) for key in ("first", "last", "downsampling")}
        value = Binarization.preset(value, **kept)
    if not part:
        return dataclasses.replace(recipe, **{field: value})
    old = getattr(recipe, part)
    if full == "network.name":
        new = old if value == old.name else dataclasses.replace(old, name=value, knobs={})
    elif part == "network":
        new = dataclasses.replace(old, knobs={**old.knobs, field: value})
    else:
        new = dataclasses.replace(old, **{field: value})
    return dataclasses.replace(recipe, **{part: new})


def apply(recipe: Recipe, values: Mapping[str, str]) -> Recipe:
    """See `Recipe.override`."""
    # The network first: it decides which knobs there are; a preset before the fields that vary it.
    for key in sorted(values, key=lambda key: (key != "network.name", key != "binarization")):
        full, hint = resolve(recipe, key)
        recipe = _replace(recipe, full, parse(full, values[key], hint))
    return recipe


def lookup(recipe: Recipe, key: str) -> Any:
    """See `Recipe.get`."""
    full, _ = resolve(recipe, key)
    part, _, field = full.rpartition(".")
    if not part:
        return getattr(recipe, field)
    if part == "network" and field != "name":
        default = inspect.signature(networks.get(recipe.network.name)).parameters[field].default
        return recipe.network.knobs.get(field, default)
    return getattr(getattr(recipe, part), field)

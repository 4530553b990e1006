"""Typed values: text from the command line and JSON from a file, checked against a type annotation.

Text is compared and converted, never evaluated. The annotations are those of dataclass fields and of the networks'
keyword-only parameters: bool, int, float, str, None, Literal, unions of them and tuples of them.
"""

from __future__ import annotations

import math
import reprlib
import types
import typing
from typing import Any, Literal, Union

from tflbnn.errors import UserError

LARGEST = 2**31 - 1  # what TensorFlow takes as a size or a seed
LONGEST = 200  # characters of a text
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def shown(value: Any) -> str:
    """A value in an error message: short, however long or deep it is.

    >>> shown([[[[1] * 100]]] * 100)
    '[[[[1, 1, 1, 1, 1, 1, ...]]], [[[1, 1, 1, 1, 1, 1, ...]]], [[[1, 1, 1, 1, 1, ...'
    """
    text = value if isinstance(value, str) else reprlib.repr(value)
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."


def describe(annotation: Any) -> str:
    """An annotation in a user's words.

    >>> describe(tuple[int, ...] | None)
    'integers with commas between or none'
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is Literal:
        return " or ".join(str(argument) for argument in arguments)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"{describe(arguments[0]).removeprefix('an ').removeprefix('a ')}s with commas between"
        return ", ".join(describe(argument) for argument in arguments)
    words = {bool: "true or false", int: "an integer", float: "a number", str: "text", type(None): "none"}
    return words[annotation]


def _text(text: str, annotation: Any) -> Any:
    """The value of `text`; ValueError if it is none of that type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        # Text fits every word, so it comes last.
        for argument in sorted(arguments, key=lambda argument: argument is str):
            try:
                return _text(text, argument)
            except ValueError:
                continue
        raise ValueError
    if origin is Literal:
        for argument in arguments:
            if text == str(argument):
                return argument
        raise ValueError
    if origin is tuple:
        parts = [part.strip() for part in text.strip("()[] ").rstrip(",").split(",") if part.strip()]
        if arguments[-1] is Ellipsis:
            return tuple(_text(part, arguments[0]) for part in parts)
        if len(parts) != len(arguments):
            raise ValueError
        return tuple(_text(part, argument) for part, argument in zip(parts, arguments, strict=True))
    if annotation is bool:
        if text.lower() not in _WORDS:
            raise ValueError
        return _WORDS[text.lower()]
    if annotation is type(None):
        if text.lower() not in ("none", "null"):
            raise ValueError
        return None
    return _checked(annotation(text), annotation)  # int, float and str raise ValueError themselves


def _checked(value: Any, annotation: Any) -> Any:
    """`value`, lists made tuples and integers made floats where wanted; ValueError if it is not of that type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        for argument in arguments:
            try:
                return _checked(value, argument)
            except ValueError:
                continue
        raise ValueError
    if origin is Literal:
        for argument in arguments:
            if type(value) is type(argument) and value == argument:
                return argument
        raise ValueError
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError
        if arguments[-1] is Ellipsis:
            return tuple(_checked(item, arguments[0]) for item in value)
        if len(value) != len(arguments):
            raise ValueError
        return tuple(_checked(item, argument) for item, argument in zip(value, arguments, strict=True))
    if annotation is float and type(value) is int and abs(value) <= LARGEST:
        value = float(value)
    if type(value) is not annotation:
        raise ValueError
    if annotation is str and not (len(value) <= LONGEST and value.isprintable()):
        raise ValueError
    if annotation is float and not math.isfinite(value):
        raise ValueError
    if annotation is int and abs(value) > LARGEST:
        raise ValueError
    return value


def parse(key: str, text: str, annotation: Any) -> Any:
    """The value that `text` gives to `key`.

    >>> parse("network.layers", "2,2,2", tuple[int, ...])
    (2, 2, 2)
    >>> parse("epochs", "3.5", int)
    Traceback (most recent call last):
    tflbnn.errors.UserError: epochs must be an integer. Received: 3.5. Write for example epochs=1.

    Raises:
        UserError: the text is not of that type, not finite, or beyond 32 bits.
    """
    try:
        return _text(text.strip(), annotation)
    except ValueError:
        raise UserError(
            f"{key} must be {describe(annotation)}. Received: {shown(text)}. "
            f"Write for example {key}={example(annotation)}."
        ) from None


def check(key: str, value: Any, annotation: Any) -> Any:
    """`value` as the annotation wants it: lists become tuples, integers become floats.

    >>> check("network.reduction", [2, 2.5], tuple[float, ...])
    (2.0, 2.5)

    Raises:
        UserError: the value is not of that type, not finite, or beyond 32 bits.
    """
    try:
        return _checked(value, annotation)
    except ValueError:
        raise UserError(
            f"{key} must be {describe(annotation)}. Received: {shown(value)}. "
            f"Set for example {key}={example(annotation)}."
        ) from None


def example(annotation: Any) -> str:
    """Text that `parse` accepts."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return example(arguments[0])
    if origin is Literal:
        return str(arguments[0])
    if origin is tuple:
        parts = arguments[:1] * 2 if arguments[-1] is Ellipsis else arguments
        return ",".join(example(part) for part in parts)
    return {bool: "true", int: "1", float: "0.5", str: "text", type(None): "none"}[annotation]

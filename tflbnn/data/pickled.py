"""Reads CIFAR's pickles as data. Nothing is imported, called or constructed that a file names.

A pickle is a program for a stack machine. The machine here knows the instructions that Python 2 wrote into CIFAR's
files (protocol 2): numbers, strings, lists, tuples, one dictionary, and NumPy arrays of unsigned bytes. It recognises
the three names that such an array mentions, and refuses every other name and instruction.
"""

from __future__ import annotations

import dataclasses
import math
import pickletools
from typing import Any

import numpy as np

_ARRAY, _NDARRAY, _DTYPE, _UINT8 = (object() for _ in range(4))
_NAMES = {
    "numpy.core.multiarray _reconstruct": _ARRAY,
    "numpy ndarray": _NDARRAY,
    "numpy dtype": _DTYPE,
}
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWFALSE": False, "NEWTRUE": True, "MARK": _MARK}


@dataclasses.dataclass
class _Array:
    value: np.ndarray | None = None


class PickleError(ValueError):
    """What is wrong with the content, in the words of an error message's middle."""


def read_pickle(content: bytes) -> dict[str, Any]:
    """The dictionary that a CIFAR file holds; its arrays are uint8, its strings decoded as Latin-1.

    Raises:
        PickleError: the content is cut, damaged, or not of CIFAR's kind.
    """
    machine = _Machine()
    try:
        end = 0
        for opcode, argument, position in pickletools.genops(content):
            end = position or 0
            if opcode.name != "STOP":  # the last one
                machine.step(opcode.name, argument)
        result = machine.pop(dict)
    except PickleError:
        raise
    except ValueError as error:  # genops: an instruction that does not exist or is not whole
        raise PickleError(f"which is cut or damaged ({str(error)[:80]})") from error
    if machine.stack or end != len(content) - 1:
        raise PickleError("which goes on after its end")
    return {key: value.value if isinstance(value, _Array) else value for key, value in result.items()}


class _Machine:
    """The stack and the memory of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def pop(self, kind: type = object) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind) or self.stack[-1] is _MARK:
            raise PickleError("which is damaged")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise PickleError("which is damaged")
        return self.stack[-1]

    def pop_to_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                items = self.stack[index + 1 :]
                del self.stack[index:]
                return items
        raise PickleError("which is damaged")

    def step(self, name: str, argument: Any) -> None:
        """Carries out one instruction."""
        if name == "PROTO":
            if argument != 2:
                raise PickleError(f"a pickle of protocol {argument}")
        elif name in ("BININT", "BININT1", "BININT2", "BINSTRING", "SHORT_BINSTRING"):
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in ("EMPTY_DICT", "EMPTY_LIST"):
            self.stack.append({} if name == "EMPTY_DICT" else [])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memory[argument] = self.top(object)
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self.memory:
                raise PickleError("which is damaged")
            self.stack.append(self.memory[argument])
        elif name == "TUPLE":
            self.stack.append(tuple(self.pop_to_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            items = [self.pop() for _ in range(int(name[-1]))]
            self.stack.append(tuple(reversed(items)))
        elif name in ("APPEND", "APPENDS"):
            items = [self.pop()] if name == "APPEND" else self.pop_to_mark()
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [self.pop(), self.pop()][::-1] if name == "SETITEM" else self.pop_to_mark()
            self._set_items(items)
        elif name == "GLOBAL":
            if argument not in _NAMES:
                raise PickleError(f"which names {argument.replace(' ', '.')[:60]!a} and will not be loaded")
            self.stack.append(_NAMES[argument])
        elif name == "REDUCE":
            arguments, what = self.pop(tuple), self.pop()
            self.stack.append(self._made(what, arguments))
        elif name == "BUILD":
            state = self.pop(tuple)
            self._build(self.top(object), state)
        else:
            raise PickleError(f"which has the instruction {name}, unknown in CIFAR's files")

    def _set_items(self, items: list[Any]) -> None:
        target = self.top(dict)
        if len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
            raise PickleError("which is damaged")
        target.update(zip(items[::2], items[1::2], strict=True))

    @staticmethod
    def _made(what: Any, arguments: tuple[Any, ...]) -> Any:
        if what is _ARRAY and len(arguments) == 3 and arguments[0] is _NDARRAY:
            return _Array()
        if what is _DTYPE and arguments[:1] in (("u1",), ("|u1",)):
            return _UINT8
        if what is _DTYPE:
            raise PickleError("whose array is not of unsigned bytes")
        raise PickleError("which is damaged")

    @staticmethod
    def _build(target: Any, state: tuple[Any, ...]) -> None:
        if target is _UINT8:  # byte order and fields, of which a byte has none
            return
        if not isinstance(target, _Array) or len(state) != 5 or state[2] is not _UINT8:
            raise PickleError("which is damaged")
        _, shape, _, fortran, data = state
        sizes = isinstance(shape, tuple) and len(shape) <= 4 and all(type(n) is int and n >= 0 for n in shape)
        if not sizes or not isinstance(data, str) or type(fortran) is not bool or math.prod(shape) != len(data):
            raise PickleError("whose array has not the size that it claims")
        flat = np.frombuffer(data.encode("latin-1"), np.uint8)
        target.value = flat.reshape(shape, order="F" if fortran else "C")

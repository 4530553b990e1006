"""What every command shares: --json, one result object, one-line errors."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from tflbnn.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

# typer may carry its own copy of click; its public BadParameter leads to the class of every command line error.
COMMAND_LINE_ERRORS = inspect.getmro(typer.BadParameter)[1]


class Result(Protocol):
    """What a command returns: a dataclass that can show itself to a person."""

    def render(self, console: Console) -> None: ...


def fail(message: str, code: int) -> int:
    """Prints one line to standard error and returns the exit code."""
    sys.stdout.flush()
    if message:  # a call without arguments has printed its help and has nothing to add
        print("tflbnn: " + " ".join(message.split()), file=sys.stderr)
    return code


def interrupted(message: str = "") -> int:
    """The end of a command after Ctrl-C. A second one would only spoil the exit that is under way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return fail(message or "interrupted", 130)


def console(stderr: bool = False) -> Console:
    """A rich console; on standard error for progress, so that standard output holds the result alone.

    Where output goes to a file or a pipe, lines are not broken at 80 columns.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(stderr=stderr, width=width, highlight=False)


def plain(value: Any) -> Any:
    """`value` as JSON knows it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None  # JSON has no NaN and no infinity
    if hasattr(value, "item"):  # a NumPy scalar
        return plain(value.item())
    return value


@contextlib.contextmanager
def _writing_to_standard_output() -> Iterator[None]:
    """A full disk is told in one line; a reader that has gone (head, less) is `main`'s affair."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be flushed to it
        raise UserError(f"Cannot write to standard output: {str(error.strerror).lower()}.") from error


def command(function: Callable[..., Result]) -> Callable[..., None]:
    """Makes a typer command of a function that returns a result: adds --json and prints the result either way."""

    @functools.wraps(function)
    def run(*args: Any, json_output: bool, **kwargs: Any) -> None:
        try:
            result = function(*args, **kwargs)
        except KeyboardInterrupt as interrupt:  # typer would exit without a word; a command may know how to go on
            raise typer.Exit(interrupted(str(interrupt))) from None
        with _writing_to_standard_output():
            if json_output:
                print(json.dumps(plain(result), ensure_ascii=False))
            else:
                result.render(console())

    option = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
    parameter = inspect.Parameter("json_output", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
    signature = inspect.signature(function, eval_str=True)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), parameter], return_annotation=None
    )
    run.__annotations__ = {p.name: p.annotation for p in run.__signature__.parameters.values()}  # type: ignore[attr-defined]
    del run.__wrapped__  # type: ignore[attr-defined]
    return run

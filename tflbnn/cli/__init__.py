"""The command line: one file a command. A command's heavy imports stand inside its function, so --help is quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tflbnn.cli import (
    benchmark,
    calibrate,
    doctor,
    ensemble,
    export,
    lint,
    optimize,
    predict,
    report,
    summary,
    train,
    tune,
    verify,
    visualize,
)
from tflbnn.cli import list as list_
from tflbnn.cli._command import COMMAND_LINE_ERRORS, fail, interrupted
from tflbnn.errors import UserError, VerificationError

app = typer.Typer(
    name="tflbnn",
    help="Train binary neural networks with Keras, export them to TensorFlow Lite, run them in any TFLite app.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 1 internal error, 2 wrong input, 3 verification failed, 130 interrupted.",
)

# The order of --help: what a user does first stands first.
COMMANDS = {
    "list": list_,
    "train": train,
    "tune": tune,
    "ensemble": ensemble,
    "export": export,
    "verify": verify,
    "optimize": optimize,
    "lint": lint,
    "predict": predict,
    "benchmark": benchmark,
    "calibrate": calibrate,
    "summary": summary,
    "visualize": visualize,
    "report": report,
    "doctor": doctor,
}
for name, module in COMMANDS.items():
    if hasattr(module, "app"):  # a command of several
        app.add_typer(module.app, name=name)
    else:
        app.command(name)(module.command)


def _print_version(value: bool) -> None:
    if value:
        from tflbnn import __version__

        print(f"tflbnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None, application: typer.Typer = app) -> None:
    """Runs one command and exits with its code."""
    try:
        code = application(args=arguments, standalone_mode=False)
    except (UserError, VerificationError) as error:
        code = fail(str(error), error.exit_code)
    except COMMAND_LINE_ERRORS as error:
        code = fail(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        code = interrupted()
    except BrokenPipeError:
        # The reader (head, less) has gone: what it wanted, it has. Nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)

"""tflbnn doctor: what is installed, what this CPU can do, what is missing and how to get it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console

RUN_PACKAGES = ("numpy", "ai-edge-litert", "flatbuffers", "typer", "rich")
TRAIN_PACKAGES = ("tensorflow", "tf-keras", "larq", "larq-compute-engine", "keras-tuner", "scikit-learn", "matplotlib")


@dataclasses.dataclass(frozen=True)
class Doctor:
    """The state of this installation; `problems` is empty when everything works."""

    tflbnn: str
    python: str
    platform: str
    packages: dict[str, str | None]
    cpu_features: list[str]
    kernels: list[str]
    kernel: str | None
    problems: list[str]

    def render(self, console: Console) -> None:
        from rich.table import Table

        console.print(f"[bold]tflbnn {self.tflbnn}[/], Python {self.python}, {self.platform}")
        table = Table("package", "version")
        for name, version in self.packages.items():
            table.add_row(name, version or "[yellow]not installed[/]")
        console.print(table)
        console.print(f"CPU features   {' '.join(self.cpu_features) or 'none that matter'}")
        console.print(f"kernels        {', '.join(self.kernels) or 'none'}  (in use: {self.kernel or 'none'})")
        for problem in self.problems:
            console.print(f"[yellow]missing[/]        {problem}", soft_wrap=True)
        if not self.problems:
            console.print("[green]Nothing is missing.[/]")


def _packages() -> dict[str, str | None]:
    import importlib.metadata

    versions: dict[str, str | None] = {}
    for name in (*RUN_PACKAGES, *TRAIN_PACKAGES):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


@_command
def command(
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 2 when something is missing.")] = False,
) -> Doctor:
    """Versions, CPU features, the chosen kernels, what is missing and how to get it."""
    import platform

    from tflbnn import __version__
    from tflbnn.errors import INSTALL_TRAIN, UserError
    from tflbnn.runtime import delegate

    packages = _packages()
    problems = []
    features: list[str] = []
    kernels: list[str] = []
    missing = [name for name in RUN_PACKAGES if packages[name] is None]
    if missing:
        problems.append(f"Running a model needs {', '.join(missing)}. Run: pip install {' '.join(missing)}")
    missing = [name for name in TRAIN_PACKAGES if packages[name] is None]
    if missing:
        problems.append(f"Training and converting need {', '.join(missing)}. {INSTALL_TRAIN}")
    numpy = packages["numpy"]
    if numpy and not numpy.startswith("1.") and not missing:
        problems.append(f"Larq needs numpy below 2. Received: numpy {numpy}. Run: pip install 'numpy<2'")
    try:
        features, kernels = delegate.cpu_features(), delegate.kernels()
    except UserError as error:
        problems.append(str(error))
    if strict and problems:
        raise UserError(" ".join(problems))
    return Doctor(
        tflbnn=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages=packages,
        cpu_features=features,
        kernels=kernels,
        kernel=kernels[0] if kernels else None,
        problems=problems,
    )

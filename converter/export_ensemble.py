"""An ensemble's members as one file: converted, verified, described, written beside the run or where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn.converter.export import Exported, _written, samples
from tflbnn.errors import UserError
from tflbnn.runtime.metadata import Metadata

if TYPE_CHECKING:
    from tflbnn.ensembles.run import EnsembleRun


def export_ensemble(
    run: EnsembleRun,
    out: str | os.PathLike[str] | None = None,
    labels: Sequence[str] | None = None,
    fail_on_float: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Exported:
    """As `tflbnn.converter.export`, of an ensemble's folder.

    Raises:
        UserError: the ensemble is unfinished, a member's file is damaged or cannot be converted, or the file cannot be
            written.
        VerificationError: the file does not compute what the members do; nothing is written.
    """
    from tflbnn.converter.ensemble import convert_ensemble

    path = run.model_tflite if out is None else Path(out)
    if path.is_dir():
        raise UserError(f"The model must be written to a file. Received: {path}, a folder. Write: {path}/model.tflite")
    progress(f"loading {len(run.members)} members")
    models = run.load_models()
    images, source = samples(run, data_dir)
    progress("converting and verifying")
    conversion = convert_ensemble(
        models,
        run.rule,
        run.weights.tolist(),
        labels=run.labels if labels is None else labels,
        samples=images,
        metadata=describe_ensemble(run),
        fail_on_float=fail_on_float,
    )
    beside = run.verification_json if path == run.model_tflite else path.with_suffix(".verification.json")
    progress(f"writing {path}")
    return _written(conversion, path, beside, source)


def describe_ensemble(run: EnsembleRun) -> Metadata:
    """What the file of an ensemble says about itself."""
    recipe, members = run.recipe, len(run.members)
    return Metadata(
        name=f"{recipe.name} {run.settings.method} {members}",
        description=f"{members} networks {recipe.network.name} on {recipe.data.name} by {run.settings.method}, "
        f"{run.settings.voting} votes: {run.metrics['test_accuracy']:.1%} accuracy on its test images",
        mean=run.normalization.mean,
        std=run.normalization.std,
        recipe=recipe.to_dict(),
        accuracy=run.metrics["test_accuracy"],
    )

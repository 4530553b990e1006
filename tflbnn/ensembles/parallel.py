"""Independent members at the same time, through joblib: processes here, or whatever backend joblib is told to use.

    import joblib
    from dask.distributed import Client

    with Client("scheduler:8786"), joblib.parallel_config("dask"):
        Bagging(recipe, 32, n_jobs=-1, out="/shared/runs/bag").fit()

Members' folders must be on a disk that all workers share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflbnn.errors import UserError


def train_in_parallel(jobs: Sequence[dict[str, Any]], names: Sequence[str], n_jobs: int | None) -> None:
    """Trains members, each by the arguments of `tflbnn.ensembles.member.train_member`.

    One that fails keeps the others from nothing: all are trained, then the failures are told together.

    Raises:
        UserError: members failed, or a worker was lost; everything up to their last epochs is there to resume.
    """
    import joblib

    if n_jobs == 1 or len(jobs) <= 1:
        failures = [_attempt(job) for job in jobs]
    else:
        for job in jobs:
            job["progress"] = None  # of this process
        try:
            failures = joblib.Parallel(n_jobs)(joblib.delayed(_attempt)(job) for job in jobs)
        except lost_worker() as error:
            raise UserError(
                "A worker was lost while it trained: it was killed, or the memory did not do for all. "
                "Members that are finished and every member's last whole epoch are saved: continue with --resume, "
                "perhaps with fewer jobs."
            ) from error
    failed = [f"{name}: {text}" for name, text in zip(names, failures, strict=True) if text]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(jobs)} members failed, the others are trained. {' '.join(failed[:3])} "
            "Continue with --resume."
        )


def lost_worker() -> tuple[type[Exception], ...]:
    """What joblib's backends raise when a process has gone."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        from distributed.scheduler import KilledWorker
    except ModuleNotFoundError:
        return (TerminatedWorkerError,)
    return (TerminatedWorkerError, KilledWorker)


def _attempt(job: dict[str, Any]) -> str:
    """Trains a member; what the user should know where that failed."""
    from tflbnn.ensembles.member import train_member

    try:
        train_member(**job)
    except UserError as error:
        return str(error)
    return ""

"""Training on several devices and machines: what `--distribute` chooses, by tf.distribute.

"mirrored": every device of this machine has the weights, and a share of each batch. "multi-worker": so have the
processes that TF_CONFIG names. Both compute what one process computes with the same batch: batch normalization takes
its statistics over all of it, and gradients are summed. "parameter-server": workers train by themselves, each with
whole batches, on weights that parameter servers keep; a worker may be lost and come back.

TF_CONFIG: https://www.tensorflow.org/guide/distributed_training#setting_up_tf_config_environment_variable. The
processes' channel has no authentication: use a network that you trust.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflbnn.errors import UserError, nearest

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.recipes import Recipe

NAMES = ("mirrored", "multi-worker", "parameter-server")
CHIEF_GONE = 10.0  # seconds that a chief does not answer, after which those who serve it end
_EXAMPLES = {
    "multi-worker": '{"cluster": {"worker": ["10.0.0.1:8000", "10.0.0.2:8000"]}, '
    '"task": {"type": "worker", "index": 0}}',
    "parameter-server": '{"cluster": {"chief": ["10.0.0.1:8000"], "worker": ["10.0.0.2:8000"], "ps": '
    '["10.0.0.3:8000"]}, "task": {"type": "chief", "index": 0}}',
}


class Distribution:
    """How a training is spread; made before TensorFlow computes anything.

    Args:
        name: one of `NAMES`.

    Attributes:
        is_chief: this process writes the run folder.
        serves: this process only serves the chief.

    Raises:
        UserError: no such distribution, or TF_CONFIG does not say what it needs.
    """

    def __init__(self, name: str) -> None:
        from tflbnn._keras import tf

        if name not in NAMES:
            raise UserError(f"There is no distribution '{name[:80]}'. {nearest(name, NAMES)}")
        self.name = name
        cluster, task, index = read_cluster(name) if name != "mirrored" else ({}, "", 0)
        self._chief = cluster.get("chief", [""])[0]
        self.is_chief = task in ("", "chief") or (task == "worker" and index == 0 and "chief" not in cluster)
        self.serves = name == "parameter-server" and task != "chief"
        if name == "mirrored":
            kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
            self.strategy = tf.distribute.MirroredStrategy([d.name for d in tf.config.list_logical_devices(kind)])
        elif name == "multi-worker":
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        elif self.serves:
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            self._server = tf.distribute.Server(
                resolver.cluster_spec(), job_name=task, task_index=index, protocol="grpc", start=True
            )
        else:
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            self.strategy = tf.distribute.ParameterServerStrategy(resolver)

    @property
    def is_asynchronous(self) -> bool:
        return self.name == "parameter-server"

    def serve(self) -> None:
        """Serves the chief until it has ended."""
        host, _, port = self._chief.rpartition(":")
        seen, answered = False, time.monotonic()
        while not seen or time.monotonic() - answered < CHIEF_GONE:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                seen, answered = True, time.monotonic()
            time.sleep(1)

    def build(self, recipe: Recipe, dataset: Dataset) -> Any:
        """The recipe's model, compiled, its variables where the strategy wants them."""
        from tflbnn.training.fit import build

        with self.strategy.scope():
            model = build(recipe, dataset)
            if not self.is_asynchronous:
                synchronize_batch_normalization(model)
        return model

    @contextlib.contextmanager
    def folder(self, out: Path) -> Iterator[Path]:
        """Where this process writes: the chief the run folder, the others one that goes, with the same checkpoint.

        All of them save, for what a checkpoint holds is read from all together.
        """
        import shutil

        if self.is_chief:
            yield out
            return
        with tempfile.TemporaryDirectory() as temporary:
            if (out / "checkpoints").is_dir():
                shutil.copytree(out / "checkpoints", Path(temporary) / "checkpoints")
            yield Path(temporary)

    def data(self, make: Callable[[], Any]) -> Any:
        """What fit takes: batches that the strategy divides, or what makes them on each worker."""
        from tflbnn._keras import keras

        if self.is_asynchronous:
            return keras.utils.experimental.DatasetCreator(lambda context: make())
        return make()

    def local(self, model: Any, recipe: Recipe, dataset: Dataset) -> Any:
        """The model as one process has it, to test and to save."""
        from tflbnn.training.fit import build

        weights = model.get_weights()
        copy = build(recipe, dataset)
        copy.set_weights(weights)
        return copy


def synchronize_batch_normalization(model: Any) -> None:
    """Lets every BatchNorm take its statistics over the batch of all devices; before the model's first step."""
    from tflbnn._keras import keras

    for layer in model.submodules:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized, layer.fused = True, False


def read_cluster(name: str, environment: Mapping[str, str] = os.environ) -> tuple[dict[str, list[str]], str, int]:
    """The cluster of TF_CONFIG, and this process's task and index in it.

    >>> config = {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'}
    >>> read_cluster("multi-worker", config)
    ({'worker': ['a:1', 'b:1']}, 'worker', 1)

    Raises:
        UserError: it is not set, or does not say what the distribution needs.
    """
    text = environment.get("TF_CONFIG", "")
    try:
        values = json.loads(text)
        cluster, task, index = values["cluster"], values["task"]["type"], int(values["task"]["index"])
        addresses = cluster[task]
        known = {"multi-worker": {"chief", "worker"}, "parameter-server": {"chief", "worker", "ps", "evaluator"}}[name]
        needed = {"multi-worker": {"worker"}, "parameter-server": {"chief", "worker", "ps"}}[name]
        whole = needed <= set(cluster) <= known and 0 <= index < len(addresses)
        whole &= all(":" in address for job in cluster.values() for address in job)
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise UserError(
            f"{name} needs TF_CONFIG with the addresses of all processes and this one's task. "
            f"Received: {text[:200] or 'none'}. Set for example TF_CONFIG='{_EXAMPLES[name]}'"
        )
    return cluster, task, index

"""A model file that predicts: stock TFLite, the delegate, checks on what goes in."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn._files import readable_errors
from tflbnn.errors import UserError
from tflbnn.runtime import delegate as delegates
from tflbnn.runtime import image as images
from tflbnn.runtime.check import check_model, naming
from tflbnn.runtime.ensemble import read_ensemble, require_countable, vote_early
from tflbnn.runtime.inputs import Shape, check_inputs
from tflbnn.runtime.metadata import Metadata, read_metadata
from tflbnn.runtime.post_processing import threads_for

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_THREADS = 256


class Model:
    """A TFLite model on stock TFLite, its binary operators on the delegate, the rest on XNNPACK.

    Predictions of one Model from several threads wait for each other; for parallel predictions give each
    thread a Model of its own. `close()` or `with` frees its memory and threads at once.

    >>> from tflbnn._keras import keras
    >>> from tflbnn.converter import convert
    >>> trained = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    >>> with Model(convert(trained, verify=False).flatbuffer) as model:
    ...     model.predict(np.zeros((5, 8, 8, 1), np.float32)).shape
    (5, 10)

    Args:
        model: a path, or the file's bytes.
        threads: threads of an inference, 1 to 256.
        delegate: False runs on stock TFLite alone, which knows no binary operators.
        kernel: one of `tflbnn.runtime.delegate.kernels()`; None takes TFLBNN_KERNEL, or the best.
        profile: record how long each of the delegate's operations takes, for `profile()`.
        early_exit: of an ensemble, `predict` asks the members one by one, and each only about those images whose
            class the rest could still change. The class is the same; `predict` gives the votes that were counted,
            `asked` the number of members.

    Attributes:
        ensemble: how the members of an ensemble vote; None where the file is none.

    Raises:
        UserError: the file is missing, damaged or no TFLite model, or uses an operator unknown here; the
            delegate's library or the kernel is missing; early exit from what is no ensemble of countable votes.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        threads: int = 1,
        delegate: bool = True,
        kernel: str | None = None,
        profile: bool = False,
        early_exit: bool = False,
    ) -> None:
        if not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:
            raise UserError(f"threads must be an integer from 1 to {MAX_THREADS}. Received: {threads!r}.")
        if isinstance(model, (bytes, bytearray, memoryview)):
            self.name, content = "the model", bytes(model)
        else:
            self.name = os.fspath(model)
            with readable_errors("read the model", self.name):
                content = Path(model).read_bytes()
        with naming(self.name):
            check_model(content)
            self.metadata: Metadata | None = read_metadata(content)
            self.ensemble = read_ensemble(content)
            if early_exit:
                require_countable(self.ensemble)
        self._early_exit = early_exit
        self.asked: NDArray[np.int64] | None = None
        self.threads = threads
        self.kernel: str | None = None
        loaded = []
        if delegate:
            loaded.append(delegates.load(threads, kernel, profile))
            chosen = kernel or os.environ.get("TFLBNN_KERNEL") or "auto"
            self.kernel = delegates.kernels()[0] if chosen == "auto" else chosen
        self._profiles = profile and delegate
        self._lock = threading.Lock()
        # The interpreter holds the delegate and lets go of it last, so no other reference is kept.
        self._interpreter: Any = self._open(content, loaded)
        self._inputs, self._outputs = self._details("input"), self._details("output")
        self._own_shapes = {name: tuple(map(int, detail["shape"])) for name, detail in self._inputs.items()}
        self._shapes = self._own_shapes
        self._resizable = True
        if not self._batch_comes_first():
            raise UserError(f"{self.name}: every input and output must have the batch as its first axis.")

    def _open(self, content: bytes, loaded: list[Any]) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(
                model_content=content,
                num_threads=threads_for(content, self.threads),
                experimental_delegates=loaded or None,
            )
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            cure = ""
            if "unresolved custom op" in reason and "Lce" in reason:
                cure = " It has binary operators, which need the delegate: use delegate=True."
            raise UserError(f"{self.name}: TFLite cannot prepare this model: {reason}.{cure}") from error
        return interpreter

    def _details(self, kind: str) -> dict[str, dict[str, Any]]:
        """Inputs or outputs by the names of the first signature, or of the tensors where there is none."""
        tensors = getattr(self._interpreter, f"get_{kind}_details")()
        names = {detail["index"]: detail["name"] for detail in tensors}
        if self.signatures:
            runner = self._interpreter.get_signature_runner(self.signatures[0])
            named = getattr(runner, f"get_{kind}_details")()
            names |= {detail["index"]: name for name, detail in named.items() if detail["index"] in names}
        return {names[detail["index"]]: detail for detail in tensors}

    @property
    def signatures(self) -> list[str]:
        """The names of the model's signatures; the first names the inputs and outputs of `predict`."""
        return list(self._alive().get_signature_list())

    @property
    def input_specs(self) -> dict[str, tuple[Shape, np.dtype[Any]]]:
        """The shape and type of every input by name; None stands for an axis of any size, the batch first of all."""
        return self._specs(self._inputs)

    @property
    def output_specs(self) -> dict[str, tuple[Shape, np.dtype[Any]]]:
        """The shape and type of every output by name, as `input_specs`."""
        return self._specs(self._outputs)

    @staticmethod
    def _specs(details: dict[str, dict[str, Any]]) -> dict[str, tuple[Shape, np.dtype[Any]]]:
        specs = {}
        for name, detail in details.items():
            sizes = detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]
            specs[name] = ((None, *(int(size) if size >= 0 else None for size in sizes[1:])), np.dtype(detail["dtype"]))
        return specs

    @property
    def input_shape(self) -> Shape:
        """The shape of the first input, such as (None, 224, 224, 3)."""
        return next(iter(self.input_specs.values()))[0]

    @property
    def labels(self) -> list[str] | None:
        """The names of the classes in the order of the output; None where the file carries none."""
        return list(self.metadata.labels) if self.metadata and self.metadata.labels else None

    @property
    def resized(self) -> tuple[int | None, int | None]:
        """(height, width) that `preprocess` brings an image to, before it cuts the input's window out of the middle."""
        described = self.metadata.resized if self.metadata else None
        return described or self.input_shape[1:3]

    def preprocess(self, image: str | os.PathLike[str] | Image | ArrayLike) -> NDArray[Any]:
        """An image as `predict` wants it, by the normalization that the file carries.

        Args:
            image: the path of a PNG or JPEG file, a PIL image, or an array of pixels 0 to 255 of shape
                (height, width) or (height, width, channels). Another size than `resized` is resized (bilinear,
                antialiased), and of a larger one the middle is taken, as in the tests that the recipe ends with;
                colour becomes grey, or grey colour, as the model wants.

        Returns:
            float32 of shape (1, height, width, channels): (pixel - mean) / std; of a model whose input is uint8, the
            pixels themselves.

        Raises:
            UserError: no such file, no image, or the model takes no images or says not how to normalize them.
        """
        shape = self.input_shape
        if len(self._inputs) != 1 or len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
            raise UserError(
                "Only a model with one input of shape (batch, height, width, 1 or 3) takes images. "
                f"Received: {self.name} with {self.input_specs}. Feed arrays to predict()."
            )
        if self.metadata is None or self.metadata.mean is None:
            raise UserError(
                f"Images need the model's normalization, which {self.name} does not carry. Export it with tflbnn "
                "export, or normalize the pixels as in training and feed the array to predict()."
            )
        pixels = images.middle(images.fit(images.read(image), *self.resized, shape[3]), *shape[1:3])
        if next(iter(self.input_specs.values()))[1] == np.uint8:
            return pixels[np.newaxis]
        mean, std = (np.asarray(value, np.float32) for value in (self.metadata.mean, self.metadata.std))
        return ((pixels.astype(np.float32) - mean) / std)[np.newaxis]

    def predict(self, inputs: ArrayLike | Mapping[str, ArrayLike], batch_size: int = 32) -> Any:
        """The model's output for a batch of any size, none included.

        The interpreter is resized to the batch. A model that cannot be resized runs at its own batch size.

        Args:
            inputs: an array of shape `input_shape`; of several inputs, a dictionary of arrays by name.
                Floating arrays are converted to the input's type; integers are not, as pixels fed without
                normalization give nonsense without a word. NaN is refused: its sign would count as +1.
            batch_size: the most samples to run at once; more take more memory.

        Returns:
            The output, shape (batch, ...); of several outputs, a dictionary of arrays by name.

        Raises:
            UserError: a shape or type does not fit, an array has NaN, or the model is closed.
        """
        feeds = check_inputs(inputs, self.input_specs)
        if not isinstance(batch_size, int) or batch_size < 1:
            raise UserError(f"batch_size must be an integer of at least 1. Received: {batch_size!r}.")
        count = len(next(iter(feeds.values())))
        parts = []
        with self._lock:
            self._alive()
            if self._early_exit:
                return self._predict_early(feeds, batch_size)
            start = 0
            while start < count:
                step = self._shape_for(feeds, min(batch_size, count - start))
                parts.append(self._run({name: array[start : start + step] for name, array in feeds.items()}, step))
                start += step
        outputs = {
            name: np.concatenate([part[name] for part in parts])
            if parts
            else np.empty((0, *detail["shape"][1:]), detail["dtype"])
            for name, detail in self._outputs.items()
        }
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _predict_early(self, feeds: dict[str, NDArray[Any]], batch_size: int) -> NDArray[np.float32]:
        (name, images), (output,) = next(iter(feeds.items())), self._outputs.values()

        def ask(signature: str, rows: NDArray[Any]) -> NDArray[Any]:
            runner = self._interpreter.get_signature_runner(signature)
            parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
            return np.concatenate([next(iter(runner(**{name: part}).values())) for part in parts])

        votes, self.asked = vote_early(self.ensemble, ask, images, int(output["shape"][1]))
        return votes

    def profile(self) -> dict[str, Any]:
        """How long each of the delegate's operations took since the shapes last changed.

        >>> from tests.runtime.small_models import binary
        >>> with Model(binary(np.ones((7, 33))), profile=True) as model:
        ...     _ = model.predict(np.zeros((1, 4, 5, 33), np.float32))
        ...     [(row["op"], row["runs"], row["binary_macs"]) for row in model.profile()["operations"]]
        [('LceQuantize', 1, 0), ('LceBconv2d', 1, 4620)]

        Returns:
            "threads" of the delegate, "clock_ghz" while it ran, and a row for each of "operations": its place
            ("partition" and "index" in it), "op", "kernel", "inputs" and "outputs" (name, type and shape; bits
            count words of 32 channels), "runs", "median_ms", "best_ms" and "total_ms", "binary_macs" of a run,
            and where they are known "macs_per_cycle", "bound_macs_per_cycle" and "share_of_bound".

        Raises:
            UserError: the model was made without `profile=True`, or without the delegate, or is closed.
        """
        if not self._profiles:
            raise UserError(f"A profile needs Model(..., profile=True) with the delegate. Received: {self.name}.")
        with self._lock:
            return delegates.profile(self._alive()._delegates[0])

    def _shape_for(self, feeds: dict[str, NDArray[Any]], batch: int) -> int:
        """Brings the interpreter to the feeds' shapes and returns how many samples it takes, at most `batch`."""
        shapes = {name: (batch, *array.shape[1:]) for name, array in feeds.items()}
        if shapes == self._shapes:
            return batch
        only_batch_differs = all(shapes[name][1:] == own[1:] for name, own in self._own_shapes.items())
        if self._resizable or not only_batch_differs:
            if self._resize(shapes) and self._batch_comes_first():
                return batch
            if not only_batch_differs:
                raise UserError(f"{self.name}: TFLite cannot run this model on inputs of shape {shapes}.")
            self._resizable = False
        if self._shapes != self._own_shapes and not self._resize(self._own_shapes):
            raise UserError(f"{self.name}: TFLite cannot run this model at its own shape any more. Make a new Model.")
        return min(batch, *(own[0] for own in self._own_shapes.values()))

    def _resize(self, shapes: dict[str, tuple[int, ...]]) -> bool:
        """Whether the interpreter could be brought to these shapes; a reshape to a constant size forbids it."""
        self._shapes = {}
        try:
            for name, shape in shapes.items():
                self._interpreter.resize_tensor_input(self._inputs[name]["index"], shape)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError):
            return False
        self._shapes = shapes
        return True

    def _batch_comes_first(self) -> bool:
        """Whether all inputs and outputs now have the same first axis; a reshape to (1, -1) breaks that."""
        details = [*self._interpreter.get_input_details(), *self._interpreter.get_output_details()]
        batches = {tuple(detail["shape"][:1]) for detail in details}
        return len(batches) == 1 and batches != {()}

    def _run(self, feeds: dict[str, NDArray[Any]], count: int) -> dict[str, NDArray[Any]]:
        try:
            for name, array in feeds.items():
                missing = self._shapes[name][0] - count
                padded = np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array
                self._interpreter.set_tensor(self._inputs[name]["index"], padded)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{self.name}: TFLite cannot run this model: {error}") from error
        # get_tensor copies, so the result stays as it is when the model runs again.
        return {name: self._interpreter.get_tensor(out["index"])[:count] for name, out in self._outputs.items()}

    def _alive(self) -> Any:
        if self._interpreter is None:
            raise UserError(f"A closed model cannot be used. Received: {self.name}. Make a new Model.")
        return self._interpreter

    def close(self) -> None:
        """Frees the interpreter, then the delegate with its threads. Closing twice does nothing."""
        with self._lock:
            self._interpreter = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

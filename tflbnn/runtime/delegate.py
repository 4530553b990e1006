"""The delegate's library: where it lies, what it can do on this CPU, and how to load it into an interpreter."""

from __future__ import annotations

import ctypes
import functools
import json
import sys
from pathlib import Path
from typing import Any

from tflbnn.errors import UserError

_FOLDER = Path(__file__).parent
_NAMES = {"win32": "tflbnn_delegate.dll", "darwin": "libtflbnn_delegate.dylib"}
_NAME = _NAMES.get(sys.platform, "libtflbnn_delegate.so")


def delegate_path() -> Path:
    """The path of the delegate's shared library, for any TFLite interpreter.

    >>> from ai_edge_litert.interpreter import load_delegate
    >>> delegate = load_delegate(str(delegate_path()), options={"num_threads": "2"})

    Raises:
        UserError: the library is not built.
    """
    path = _FOLDER / _NAME
    if not path.is_file():
        raise UserError(
            f"Binary models run on the delegate's library, built when tflbnn is installed. Received: no file {path}. "
            "Run: pip install --force-reinstall --no-deps tflbnn (in a source tree: make setup)"
        )
    return path


@functools.cache
def _library() -> ctypes.CDLL:
    path = delegate_path()
    try:
        library = ctypes.CDLL(str(path))
        for function in (library.tflbnn_delegate_version, library.tflbnn_delegate_kernels):
            function.restype = ctypes.c_char_p
            function.argtypes = []
        library.tflbnn_cpu_features.restype = ctypes.c_int
        library.tflbnn_cpu_features.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        library.tflbnn_delegate_profile.restype = ctypes.c_ssize_t
        library.tflbnn_delegate_profile.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    except (OSError, AttributeError) as error:
        raise UserError(
            f"The delegate's library must be the one built with this tflbnn for this machine. Received: {path}, "
            f"where {error}. Run: pip install --force-reinstall --no-deps tflbnn (in a source tree: make setup)"
        ) from error
    return library


def version() -> str:
    """The version that the library was built as."""
    return _library().tflbnn_delegate_version().decode()


def kernels() -> list[str]:
    """The kernels that this CPU can run, best first.

    >>> kernels()[-1]
    'reference'
    """
    return _library().tflbnn_delegate_kernels().decode().split(",")


def cpu_features() -> list[str]:
    """The features of this CPU that decide which kernels run, such as 'avx512vpopcntdq'; may be empty."""
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        needed = _library().tflbnn_cpu_features(buffer, size)
        if needed < size:
            return [name for name in buffer.value.decode().split(",") if name]
        size = needed + 1


def load(threads: int = 1, kernel: str | None = None, profile: bool = False) -> Any:
    """A delegate for ai_edge_litert's interpreter. It must outlive the interpreter that uses it.

    Args:
        threads: threads of the binary operators.
        kernel: one of `kernels()`; None takes TFLBNN_KERNEL, or the best.
        profile: record how long each operation takes, for `profile`.

    Raises:
        UserError: the library is missing, or this CPU has no such kernel.
    """
    from ai_edge_litert.interpreter import load_delegate

    options = {"num_threads": str(threads)}
    if kernel is not None:
        options["kernel"] = kernel
    if profile:
        options["profile"] = "true"
    try:
        return load_delegate(str(delegate_path()), options=options)
    except ValueError as error:
        # The first line names the library, what follows is the delegate's own message.
        message = str(error).partition("\n")[2] or str(error)
        raise UserError(message) from error


def profile(delegate: Any) -> dict[str, Any]:
    """How long each operation of the interpreters that now use this delegate takes; see `Model.profile`.

    Args:
        delegate: from `load(profile=True)`, or load_delegate with the option profile=true.

    Raises:
        UserError: the delegate was loaded without a profile.
    """
    pointer = delegate._get_native_delegate_pointer()
    size = 1 << 16
    while True:
        buffer = ctypes.create_string_buffer(size)
        needed = _library().tflbnn_delegate_profile(pointer, buffer, size)
        if needed < 0:
            raise UserError("A profile needs a delegate that was loaded with the option profile=true.")
        if needed < size:
            return json.loads(buffer.value)
        size = 2 * needed  # figures may get longer between the calls

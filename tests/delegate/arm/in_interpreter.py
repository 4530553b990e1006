"""Runs under qemu with the ARM Python: every case of a folder, with every kernel of the library."""

import ctypes
import sys
from pathlib import Path

import numpy as np


def main(library: str, folder: str) -> int:
    from tflite_runtime.interpreter import Interpreter, load_delegate  # there is none on the machine that runs qemu

    names = ctypes.CDLL(library).tflbnn_delegate_kernels
    names.restype = ctypes.c_char_p
    kernels = names().decode().split(",")
    if kernels != ["neon", "scalar", "reference"]:
        print(f"expected the kernels neon, scalar and reference, not {kernels}")
        return 1
    failures = 0
    for model in sorted(Path(folder).glob("*.tflite")):
        case = np.load(model.with_suffix(".npz"))
        for kernel in kernels:
            for threads in ("1", "2"):
                delegate = load_delegate(library, {"kernel": kernel, "num_threads": threads})
                interpreter = Interpreter(model_content=model.read_bytes(), experimental_delegates=[delegate])
                interpreter.allocate_tensors()
                interpreter.set_tensor(interpreter.get_input_details()[0]["index"], case["x"])
                interpreter.invoke()
                y = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
                equal = np.array_equal(y, case["y"])
                failures += not equal
                print("ok    " if equal else "FAILED", model.stem, kernel, f"{threads} threads", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

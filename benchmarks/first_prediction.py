"""Loads a model in this process and predicts once; delegate_start.py runs it, a new process each time.

    python benchmarks/first_prediction.py lce|tflbnn|float FILE START [LIBRARY]

START is when the process was started, in seconds since the epoch. Prints JSON: "load_ms" from before the file is read
to the output in hand, "process_ms" from START to there, "growth_mb" from the memory before the file is read to the
peak. Nothing is imported but what the runtime needs.
"""

import json
import os
import sys
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # LCE imports Larq, which wants Keras 2
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def memory(field: str) -> int:
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(field))


def main(runtime: str, path: str, start: str, library: str = "") -> None:
    import numpy as np

    if runtime == "lce":
        import larq_compute_engine
        from larq_compute_engine.tflite.python import interpreter_wrapper_lite  # noqa: F401  (imported late otherwise)
    else:
        from ai_edge_litert.interpreter import Interpreter, load_delegate
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew
    before, begin = memory("VmRSS"), time.perf_counter()
    with open(path, "rb") as file:
        content = file.read()
    if runtime == "lce":
        made = larq_compute_engine.testing.Interpreter(content, 1, use_indirect_bgemm=True, use_xnnpack=True)
        output = made.interpreter.predict([pixels])[0]
    else:
        delegates = [load_delegate(library, {"num_threads": "1"})] if library else None
        made = Interpreter(model_content=content, num_threads=1, experimental_delegates=delegates)
        made.allocate_tensors()
        made.set_tensor(made.get_input_details()[0]["index"], pixels)
        made.invoke()
        output = made.get_tensor(made.get_output_details()[0]["index"])
    end, now = time.perf_counter(), time.time()
    assert np.isfinite(output).all()
    found = {
        "load_ms": 1e3 * (end - begin),
        "process_ms": 1e3 * (now - float(start)),
        "growth_mb": (memory("VmHWM") - before) / 1e6,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

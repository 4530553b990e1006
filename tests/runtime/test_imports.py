"""Running a model needs numpy, ai-edge-litert and flatbuffers, and nothing else."""

import subprocess
import sys

import numpy as np

from tests.runtime import small_models

SCRIPT = """
import importlib.abc, sys

class Forbid(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {forbidden}:
            raise ImportError(f"{{name}} must not be imported here")

sys.meta_path.insert(0, Forbid())
import numpy as np
from tflbnn.runtime import Model
from tflbnn.runtime import benchmark, check, delegate, metadata
with Model(sys.argv[1]) as model:
    print(model.predict(np.ones((2, 4, 5, 33), np.float32)).sum())
loaded = {{name.split(".")[0] for name in sys.modules}} & {forbidden}
assert not loaded, loaded
"""
FORBIDDEN = {"tensorflow", "keras", "tf_keras", "larq", "larq_compute_engine", "typer", "rich", "PIL", "matplotlib"}


def test_runs_without_the_training_stack(tmp_path):
    (tmp_path / "binary.tflite").write_bytes(small_models.binary(np.ones((2, 33))))
    script = SCRIPT.format(forbidden=FORBIDDEN)
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "binary.tflite")], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) == 2 * 4 * 5 * 2 * 33

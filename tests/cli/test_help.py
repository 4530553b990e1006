"""Help is quick because it loads nothing heavy: what is asserted is what was loaded, not how long it took."""

import json
import subprocess
import sys

import pytest

from tflbnn.cli import COMMANDS

HEAVY = {
    "ai_edge_litert",
    "h5py",
    "keras",
    "keras_tuner",
    "larq",
    "larq_compute_engine",
    "matplotlib",
    "numpy",
    "pandas",
    "PIL",
    "scipy",
    "sklearn",
    "tensorflow",
    "tf_keras",
}
SCRIPT = """
import json, sys
from tflbnn.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_loads_nothing_heavy(arguments):
    result = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True)
    assert result.returncode == 0
    loaded = set(json.loads(result.stderr.splitlines()[-1]))
    assert not loaded & HEAVY
    assert {"tflbnn", "typer"} <= loaded
    wanted = "tflbnn" if arguments == ["--version"] else "--help"
    assert wanted in result.stdout

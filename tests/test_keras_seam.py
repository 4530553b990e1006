"""Keras 2 is chosen before TensorFlow loads, or the user is told what to do."""

import os
import subprocess
import sys

import pytest


def run(script: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    return subprocess.run([sys.executable, "-c", script], env={**clean, **environment}, capture_output=True, text=True)


def test_importing_tflbnn_loads_no_tensorflow():
    done = run(
        "import sys, tflbnn, tflbnn.cli\n"
        "print([name for name in ('tensorflow', 'keras', 'larq', 'numpy') if name in sys.modules])"
    )
    assert done.stdout == "[]\n", done.stderr


def test_keras_2_is_chosen_where_nothing_was_said():
    done = run("from tflbnn._keras import keras, tf; print(keras.__version__[0], tf.keras.Model is keras.Model)")
    assert done.stdout == "2 True\n", done.stderr


@pytest.mark.parametrize("switch", [{}, {"TF_USE_LEGACY_KERAS": "0"}])
def test_tensorflow_first_without_the_switch_is_one_error_with_its_cure(switch):
    done = run(
        "import tensorflow\nfrom tflbnn.errors import UserError\n"
        "try:\n  import tflbnn._keras\nexcept UserError as error:\n  print(error)",
        **switch,
    )
    assert "Set TF_USE_LEGACY_KERAS=1" in done.stdout or "set TF_USE_LEGACY_KERAS=1" in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1


def test_tensorflow_first_with_the_switch_works():
    done = run(
        "import tensorflow\nfrom tflbnn._keras import keras; print(keras.__version__[0])", TF_USE_LEGACY_KERAS="1"
    )
    assert done.stdout == "2\n", done.stderr


@pytest.mark.parametrize(
    ("package", "version", "cure"),
    [("numpy", "2.1.0", "pip install 'numpy<2'"), ("larq", None, "pip install 'tflbnn[train]'")],
)
def test_a_package_that_is_missing_or_too_new_is_named(package, version, cure):
    script = (
        "import importlib.metadata as metadata\noriginal = metadata.version\n"
        f"def version(name):\n  if name != {package!r}: return original(name)\n"
        f"  if {version!r} is None: raise metadata.PackageNotFoundError(name)\n  return {version!r}\n"
        "metadata.version = version\nfrom tflbnn.errors import UserError\n"
        "try:\n  import tflbnn._keras\nexcept UserError as error:\n  print(error)"
    )
    done = run(script)
    assert package in done.stdout, done.stderr
    assert cure in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_layer_that_fails_leaves_no_quantized_scope_behind():
    done = run(
        "import numpy as np\n"
        "from tflbnn._keras import keras, lq, tf\n"
        "layer = lq.layers.QuantDense(2, use_bias=False, kernel_quantizer='ste_sign')\n"
        "keras.Sequential([keras.Input((3,)), layer])\n"
        "layer.set_weights([np.full((3, 2), 0.5)])\n"
        "try:\n  layer.call(tf.zeros((1, 4)))\nexcept tf.errors.InvalidArgumentError:\n  print('failed')\n"
        "print(layer.get_weights()[0][0].tolist())"
    )
    assert done.stdout == "failed\n[0.5, 0.5]\n", done.stderr

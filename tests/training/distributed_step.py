"""One step of a distributed training, for test_distribution.py: prints the gradients' differences as JSON.

python tests/training/distributed_step.py NAME BATCH: the step is one of plain SGD with a rate of 1, so that what the
weights lose is the gradient. Process 0 compares with a single process's step on the whole batch.
"""

import json
import sys

import numpy as np

from tests.training.tiny import RECIPE
from tflbnn import data
from tflbnn._keras import keras, tf
from tflbnn.training.distribution import Distribution
from tflbnn.training.fit import build


def step(model, dataset, batch):
    """The gradient of every trainable variable for the first images."""
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    before = [variable.numpy() for variable in model.trainable_variables]
    x = dataset.normalization.apply(np.asarray(dataset.train.x[:batch]))
    batches = tf.data.Dataset.from_tensor_slices((x, dataset.train.y[:batch])).batch(batch, drop_remainder=True)
    model.fit(batches.repeat(), steps_per_epoch=1, epochs=1, verbose=0)
    return [old - variable.numpy() for old, variable in zip(before, model.trainable_variables, strict=True)]


def main(name, batch):
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    distribution = Distribution(name)
    recipe = RECIPE.override({"execution.precision": "float32"})
    dataset = data.load(recipe.data)
    model = distribution.build(recipe, dataset)
    with distribution.strategy.scope():
        found = step(model, dataset, batch)
    if distribution.is_chief:
        expected = step(build(recipe, dataset), dataset, batch)
        replicas = distribution.strategy.num_replicas_in_sync
        errors = [float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)]
        sizes = [float(np.abs(b).max()) for b in expected]
        print(json.dumps({"replicas": replicas, "errors": errors, "sizes": sizes}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

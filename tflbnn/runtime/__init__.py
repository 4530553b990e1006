"""Running models on stock TFLite through the delegate. Loads neither TensorFlow nor Keras.

>>> from tflbnn.runtime import Model, delegate_path
"""

from tflbnn.runtime.delegate import delegate_path
from tflbnn.runtime.model import Model

__all__ = ["Model", "delegate_path"]

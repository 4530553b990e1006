"""Layers that scale: XNOR-Net's map of the inputs' magnitudes, and products whose weights have trained scales."""

from __future__ import annotations

from typing import Any

from tflbnn._keras import keras, lq, tf
from tflbnn.regularizers import R1, R2


@keras.utils.register_keras_serializable("tflbnn")
class MagnitudeMap(keras.layers.Layer):
    """XNOR-Net's K: the mean |x| of the window that each output of a convolution sees.

        A        = mean |x| over the channels (of a group)
        K        = A convolved with a kernel whose values are all 1 / (height · width); beyond the border A is 0
        ∂K/∂x    = sign(x) / (channels · height · width), for each window that x is in

    Args:
        kernel_size, strides, dilation_rate, groups, padding: those of the convolution, square.
        filters: the convolution's, which divide into its groups.

    Input shape: (batch, height, width, channels). Output shape: (batch, height', width', 1), of more than one group
    (batch, height', width', filters). Of a dense layer (kernel size 1): (..., channels) to (..., 1).

    Source: Rastegari et al., "XNOR-Net" (2016), section 3.2, https://arxiv.org/abs/1603.05279; BDN eq. 5.

    >>> MagnitudeMap(2, padding="valid")(tf.reshape([1.0, -2.0, -3.0, 4.0], (1, 2, 2, 1))).numpy().squeeze().tolist()
    2.5
    """

    def __init__(
        self,
        kernel_size: int = 1,
        strides: int = 1,
        dilation_rate: int = 1,
        groups: int = 1,
        padding: str = "same",
        filters: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size, self.strides, self.dilation_rate = kernel_size, strides, dilation_rate
        self.groups, self.padding, self.filters = groups, padding, filters

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        magnitude = tf.abs(inputs)
        if self.groups == 1:
            means = tf.reduce_mean(magnitude, axis=-1, keepdims=True)
        else:
            parts = tf.split(magnitude, self.groups, axis=-1)
            means = tf.concat([tf.reduce_mean(part, axis=-1, keepdims=True) for part in parts], axis=-1)
        if self.kernel_size > 1 or self.strides > 1:
            size = self.kernel_size
            box = tf.fill((size, size, self.groups, 1), tf.cast(1 / size**2, means.dtype))
            strides, dilations = [1, self.strides, self.strides, 1], [self.dilation_rate] * 2
            means = tf.nn.depthwise_conv2d(means, box, strides, self.padding.upper(), dilations=dilations)
        return means if self.groups == 1 else tf.repeat(means, self.filters // self.groups, axis=-1)

    def get_config(self) -> dict[str, Any]:
        fields = ("kernel_size", "strides", "dilation_rate", "groups", "padding", "filters")
        return {**super().get_config(), **{field: getattr(self, field) for field in fields}}


class _TrainedScale:
    """A Larq layer whose kernel quantizer has trained values; a regularizer of its kernel may share them."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)  # type: ignore[misc]
        with tf.name_scope(self.kernel_quantizer.name):
            self.kernel_quantizer.build(self.kernel.shape)
        if isinstance(self.kernel_regularizer, (R1, R2)) and hasattr(self.kernel_quantizer, "alpha"):
            self.kernel_regularizer.tie(self.kernel_quantizer.alpha)
        self.start_scales()

    def start_scales(self) -> None:
        """Sets what the quantizer trains to where the layer's weights make it start."""
        self.kernel_quantizer.start_from(self.kernel.latent_variable.numpy())


@keras.utils.register_keras_serializable("tflbnn")
class TrainedScaleConv2D(_TrainedScale, lq.layers.QuantConv2D):
    """A QuantConv2D whose kernel quantizer is `TrainedTernary`, or `ScaledSign` with trained scales."""


@keras.utils.register_keras_serializable("tflbnn")
class TrainedScaleDense(_TrainedScale, lq.layers.QuantDense):
    """A QuantDense whose kernel quantizer is `TrainedTernary`, or `ScaledSign` with trained scales."""


def start_scales(model: keras.Model) -> None:
    """Sets all trained scales of weights to where the weights make them start: after weights of another network have
    been loaded (BNN+ 4.2).

    >>> from tflbnn import Binarization, layers
    >>> layer = layers.dense(Binarization.preset("bnn_plus", alpha_start="mean"), 1)
    >>> model = keras.Sequential([keras.Input((2,)), layer])
    >>> layer.kernel.latent_variable.assign([[0.5], [-1.0]])
    <...>
    >>> start_scales(model)
    >>> layer.kernel_quantizer.alpha.numpy().tolist()
    [0.75]
    """
    for layer in model.submodules:
        if isinstance(layer, _TrainedScale):
            layer.start_scales()

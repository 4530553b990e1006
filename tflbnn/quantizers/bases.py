"""Sums of several signs: ABC-Net's bases of weights and of activations, HORQ's residuals."""

from __future__ import annotations

from typing import Any

from tflbnn._keras import keras, lq, tf
from tflbnn.quantizers._common import check_count, check_t_clip, mean_magnitude

LARGEST_NUMBER = 8  # of bases: the work grows with the product of both numbers


@lq.utils.register_keras_custom_object
class WeightBases(lq.quantizers.Quantizer):
    """Weights as a sum of M signs with scales, the nearest that such a sum comes to them.

        u_i      = −1 + 2·(i − 1)/(M − 1), i = 1 ... M (of a single base: 0)
        B_i      = sign(w − mean(w) + u_i·std(w))                                    (ABC-Net eq. 2)
        α        = argmin ‖w − Σ α_i·B_i‖²                                           (ABC-Net eq. 3)
        q(w)     = Σ α_i·B_i
        ∂q/∂w    = Σ α_i                                      (α is taken as a constant, each sign as straight through)

    Mean, deviation and α are those of the whole layer.

    Args:
        bases: M, from 1 to 8.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: bases is no such number.

    Source: Lin et al., "Towards Accurate Binary Convolutional Neural Network" (2017), section 3.1,
    https://arxiv.org/abs/1711.11294.

    >>> w = tf.constant([-2.0, -1.0, 1.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     y = WeightBases(2)(w)
    >>> [round(value, 4) for value in y.numpy().tolist() + tape.gradient(y, w).numpy().tolist()]
    [-2.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """

    def __init__(self, bases: int = 2, **kwargs: Any) -> None:
        check_count("bases", bases, LARGEST_NUMBER)
        super().__init__(**kwargs)
        self.bases = self.precision = bases

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return weight_bases(inputs, self.bases)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bases": self.bases}


def weight_bases(w: tf.Tensor, bases: int) -> tf.Tensor:
    """The nearest sum of so many signs to w; see `WeightBases`."""

    @tf.custom_gradient
    def nearest_sum(w: tf.Tensor) -> tf.Tensor:
        exact = tf.cast(w, tf.float32) if w.dtype in (tf.float16, tf.bfloat16) else w
        flat = tf.reshape(exact, [-1])
        mean, deviation = tf.reduce_mean(flat), tf.math.reduce_std(flat)
        shifts = tf.linspace(-1.0, 1.0, bases) if bases > 1 else tf.zeros(1)
        signs = lq.math.sign(flat[:, None] - mean + tf.cast(shifts, flat.dtype) * deviation)
        # The normal equations; two bases that are the same share their scale, so that a solution always exists.
        gram = tf.cast(tf.linalg.matmul(signs, signs, transpose_a=True), tf.float64)
        moments = tf.cast(tf.linalg.matmul(signs, flat[:, None], transpose_a=True), tf.float64)
        scales = tf.cast(tf.linalg.matmul(tf.linalg.pinv(gram), moments), flat.dtype)
        total = tf.cast(tf.reduce_sum(scales), w.dtype)
        return tf.cast(tf.reshape(tf.linalg.matmul(signs, scales), w.shape), w.dtype), lambda dy: dy * total

    return nearest_sum(w)


@lq.utils.register_keras_custom_object
class ActivationBases(lq.quantizers.Quantizer):
    """Activations as a sum of N signs with thresholds and scales of their own, both trained.

        A_j      = +1 where min(max(x + v_j, 0), 1) ≥ ½, else −1          (ABC-Net eq. 5-6)
        q(x)     = Σ β_j·A_j                                              (ABC-Net eq. 7)
        ∂q/∂x    = Σ β_j·[0 ≤ x + v_j ≤ 1]
        ∂q/∂v_j  = β_j·[0 ≤ x + v_j ≤ 1] and ∂q/∂β_j = A_j, both summed over all x

    The paper leaves open where v and β start: here the N thresholds ½ − v_j divide 0 to 1 evenly, and every β is 1/N.

    Args:
        bases: N, from 1 to 8.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: bases is no such number.

    Source: Lin et al., "Towards Accurate Binary Convolutional Neural Network" (2017), section 3.2,
    https://arxiv.org/abs/1711.11294.

    >>> x = tf.constant([-1.0, 0.5, 1.25])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = ActivationBases(2)(x)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([-1.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    """

    def __init__(self, bases: int = 2, **kwargs: Any) -> None:
        check_count("bases", bases, LARGEST_NUMBER)
        super().__init__(**kwargs)
        self.bases = self.precision = bases

    def build(self, input_shape: Any) -> None:
        shifts = [0.5 - j / (self.bases + 1) for j in range(1, self.bases + 1)]
        self.shifts = self.add_weight("shifts", (self.bases,), initializer=keras.initializers.Constant(shifts))
        scale = keras.initializers.Constant(1 / self.bases)
        self.scales = self.add_weight("scales", (self.bases,), initializer=scale)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        shifts, scales = tf.cast(self.shifts, inputs.dtype), tf.cast(self.scales, inputs.dtype)
        return tf.add_n([scales[j] * shifted_sign(inputs + shifts[j]) for j in range(self.bases)])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bases": self.bases}


@tf.custom_gradient
def shifted_sign(x: tf.Tensor) -> tf.Tensor:
    """+1 where x ≥ ½, else -1; the gradient passes from 0 to 1."""

    def grad(dy: tf.Tensor) -> tf.Tensor:
        return tf.where((x >= 0) & (x <= 1), dy, tf.zeros_like(dy))

    return lq.math.sign(x - 0.5), grad


@lq.utils.register_keras_custom_object
class ResidualSigns(lq.quantizers.Quantizer):
    """Activations as a sign with a scale, plus the sign of what that leaves with a scale, and so on.

        r_1      = x;  r_{i+1} = r_i − β_i·sign(r_i)
        β_i      = mean |r_i| of one example
        q(x)     = Σ β_i·sign(r_i)
        ∂q/∂x    = Σ β_i·[|r_i| ≤ t_clip]                   (β is taken as a constant, and the signs in the residuals)

    The paper's β belong to a window of the convolution; here, as its windows overlap, to the whole example.

    Args:
        order: how many signs, from 1 to 8; 2 in the paper.
        t_clip: the half-width of the window that lets the gradient pass, above 0; 1 in the paper.

    Input shape: (batch, ...). Output shape: the same. The output has the input's type.

    Raises:
        UserError: order is no such number, or t_clip is not above 0.

    Source: Li et al., "Performance Guaranteed Network Acceleration via High-Order Residual Quantization" (2017),
    section 3, https://arxiv.org/abs/1708.08687.

    >>> x = tf.constant([[-3.0, -1.0, 1.0, 3.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = ResidualSigns(2)(x)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([[-3.0, -1.0, 1.0, 3.0]], [[1.0, 3.0, 3.0, 1.0]])
    """

    def __init__(self, order: int = 2, t_clip: float = 1.0, **kwargs: Any) -> None:
        check_count("order", order, LARGEST_NUMBER)
        check_t_clip(t_clip)
        super().__init__(**kwargs)
        self.order = self.precision = order
        self.t_clip = float(t_clip)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return residual_signs(inputs, self.order, self.t_clip)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "order": self.order, "t_clip": self.t_clip}


def residual_signs(x: tf.Tensor, order: int, t_clip: float) -> tf.Tensor:
    """The sum of so many scaled signs, each of what those before leave of x; see `ResidualSigns`."""

    @tf.custom_gradient
    def approximate(x: tf.Tensor) -> tf.Tensor:
        terms, slopes, residual = [], [], x
        for _ in range(order):
            scale = mean_magnitude(residual, list(range(1, x.shape.rank)))
            terms.append(scale * lq.math.sign(residual))
            slopes.append(scale * tf.cast(tf.abs(residual) <= t_clip, x.dtype))
            residual -= terms[-1]
        return tf.add_n(terms), lambda dy: dy * tf.add_n(slopes)

    return approximate(x)

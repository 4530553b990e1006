"""The operators that a model may have, and how many inputs and outputs each takes.

TFLite's kernels look at inputs before they count them. Operators that call other graphs are left out: a file could make
them run forever. Source: the kernels in tensorflow/lite/kernels and Larq Compute Engine 0.16.
"""

from __future__ import annotations

import dataclasses

MANY = 1 << 16


@dataclasses.dataclass(frozen=True)
class Arity:
    """Least and most inputs and outputs; inputs from number `optional` on may be absent (index -1)."""

    inputs: tuple[int, int]
    outputs: tuple[int, int] = (1, 1)
    optional: int = MANY


def _same(names: str, arity: Arity) -> dict[str, Arity]:
    return dict.fromkeys(names.split(), arity)


CUSTOM: dict[str, Arity] = {
    "LceQuantize": Arity((1, 1)),
    "LceDequantize": Arity((1, 1)),
    # Input, filter, then multiplier and bias, or threshold.
    "LceBconv2d": Arity((5, 5), optional=2),
    "LceBMaxPool2d": Arity((1, 1)),
    "TFLite_Detection_PostProcess": Arity((3, 3), (4, 4)),
}

BUILTIN: dict[str, Arity] = {
    **_same(
        "ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC LOG_SOFTMAX NEG RELU RELU6 RELU_N1_TO_1 "
        "RELU_0_TO_1 ROUND RSQRT SIN SIGN SOFTMAX SQRT SQUARE TANH CAST DEQUANTIZE QUANTIZE FAKE_QUANT SHAPE RANK "
        "L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION ZEROS_LIKE LOGICAL_NOT AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D "
        "SPACE_TO_DEPTH DEPTH_TO_SPACE SQUEEZE",
        Arity((1, 1)),
    ),
    **_same(
        "ADD SUB MUL DIV MAXIMUM MINIMUM POW FLOOR_DIV FLOOR_MOD SQUARED_DIFFERENCE EQUAL NOT_EQUAL LESS LESS_EQUAL "
        "GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR PRELU TRANSPOSE PAD MIRROR_PAD EXPAND_DIMS GATHER GATHER_ND MEAN "
        "SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL ARG_MAX ARG_MIN TILE FILL BROADCAST_TO CUMSUM "
        "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR BATCH_MATMUL EMBEDDING_LOOKUP REVERSE_V2",
        Arity((2, 2)),
    ),
    **_same("SLICE SELECT SELECT_V2 PADV2 RANGE BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND SCATTER_ND", Arity((3, 3))),
    **_same("STRIDED_SLICE ONE_HOT", Arity((4, 4))),
    **_same("CONV_2D DEPTHWISE_CONV_2D CONV_3D", Arity((2, 3), optional=2)),
    **_same("CONCATENATION PACK ADD_N", Arity((1, MANY))),
    "FULLY_CONNECTED": Arity((2, 3), (1, 2), optional=2),
    "TRANSPOSE_CONV": Arity((3, 4), optional=3),
    "RESHAPE": Arity((1, 2)),
    "SPLIT": Arity((2, 2), (1, MANY)),
    "SPLIT_V": Arity((3, 3), (1, MANY)),
    "UNPACK": Arity((1, 1), (1, MANY)),
    "TOPK_V2": Arity((2, 2), (2, 2)),
    "NON_MAX_SUPPRESSION_V4": Arity((5, 5), (2, 2)),
    "NON_MAX_SUPPRESSION_V5": Arity((6, 6), (3, 3)),
}

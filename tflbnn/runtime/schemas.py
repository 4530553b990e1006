"""The FlatBuffers schemas of TensorFlow Lite models and of TFLite metadata, as far as they are read or checked.

Fields stand in the order of their ids. Sources: tensorflow/lite/schema/schema.fbs (file identifier TFL3) and
tensorflow_lite_support/metadata/metadata_schema.fbs (file identifier M001, version 1.1.0).
"""

from __future__ import annotations

from ai_edge_litert.schema_py_generated import BuiltinOptions

from tflbnn.runtime.tables import Schema

MODEL_IDENTIFIER = b"TFL3"
METADATA_IDENTIFIER = b"M001"

_ACTIVATION = (("fused_activation_function", "i8"),)
_STRIDES = (("padding", "i8"), ("stride_w", "i32"), ("stride_h", "i32"))
_DILATIONS = (("dilation_w_factor", "i32=1"), ("dilation_h_factor", "i32=1"))

# Options whose values divide, index or own a vector; the others are read by TFLite as scalars inside their table.
_OPTIONS = {
    "Conv2DOptions": (*_STRIDES, *_ACTIVATION, *_DILATIONS),
    "DepthwiseConv2DOptions": (*_STRIDES, ("depth_multiplier", "i32"), *_ACTIVATION, *_DILATIONS),
    "TransposeConvOptions": (*_STRIDES, *_ACTIVATION),
    "Pool2DOptions": (*_STRIDES, ("filter_width", "i32"), ("filter_height", "i32"), *_ACTIVATION),
    "FullyConnectedOptions": (*_ACTIVATION, ("weights_format", "i8"), ("keep_num_dims", "bool")),
    "ConcatenationOptions": (("axis", "i32"), *_ACTIVATION),
    "AddOptions": _ACTIVATION,
    "MulOptions": _ACTIVATION,
    "SubOptions": _ACTIVATION,
    "DivOptions": _ACTIVATION,
    "L2NormOptions": _ACTIVATION,
    "ReshapeOptions": (("new_shape", "[i32]"),),
    "SqueezeOptions": (("squeeze_dims", "[i32]"),),
    "BucketizeOptions": (("boundaries", "[f32]"),),
    "ConcatEmbeddingsOptions": (
        ("num_channels", "i32"),
        ("num_columns_per_channel", "[i32]"),
        ("embedding_dim_per_channel", "[i32]"),
    ),
    "SpaceToDepthOptions": (("block_size", "i32"),),
    "DepthToSpaceOptions": (("block_size", "i32"),),
    "SplitOptions": (("num_splits", "i32"),),
    "SplitVOptions": (("num_splits", "i32"),),
    "PackOptions": (("values_count", "i32"), ("axis", "i32")),
    "UnpackOptions": (("num", "i32"), ("axis", "i32")),
    "GatherOptions": (("axis", "i32"), ("batch_dims", "i32")),
}

_OPTION_NAMES = {value: name for name, value in vars(BuiltinOptions).items() if isinstance(value, int) and value}

MODEL = Schema(
    {
        "Model": (
            ("version", "u32"),
            ("operator_codes", "[OperatorCode]"),
            ("subgraphs", "[SubGraph]"),
            ("description", "string"),
            ("buffers", "[Buffer]"),
            ("metadata_buffer", "[i32]"),
            ("metadata", "[Metadata]"),
            ("signature_defs", "[SignatureDef]"),
        ),
        "OperatorCode": (
            ("deprecated_builtin_code", "i8"),
            ("custom_code", "string"),
            ("version", "i32=1"),
            ("builtin_code", "i32"),
        ),
        "SubGraph": (
            ("tensors", "[Tensor]"),
            ("inputs", "[i32]"),
            ("outputs", "[i32]"),
            ("operators", "[Operator]"),
            ("name", "string"),
        ),
        "Tensor": (
            ("shape", "[i32]"),
            ("type", "i8"),
            ("buffer", "u32"),
            ("name", "string"),
            ("quantization", "QuantizationParameters"),
            ("is_variable", "bool"),
            ("sparsity", "Any"),
            ("shape_signature", "[i32]"),
            ("has_rank", "bool"),
            ("variant_tensors", "[Any]"),
            ("external_buffer", "u32"),
        ),
        "QuantizationParameters": (
            ("min", "[f32]"),
            ("max", "[f32]"),
            ("scale", "[f32]"),
            ("zero_point", "[i64]"),
            ("details_type", "u8"),
            ("details", "Any"),
            ("quantized_dimension", "i32"),
        ),
        "Operator": (
            ("opcode_index", "u32"),
            ("inputs", "[i32]"),
            ("outputs", "[i32]"),
            ("builtin_options_type", "u8"),
            ("builtin_options", "union BuiltinOptions"),
            ("custom_options", "[u8]"),
            ("custom_options_format", "i8"),
            ("mutating_variable_inputs", "[bool]"),
            ("intermediates", "[i32]"),
            ("large_custom_options_offset", "u64"),
            ("large_custom_options_size", "u64"),
            ("builtin_options_2_type", "u8"),
            ("builtin_options_2", "Any"),
        ),
        "Buffer": (("data", "[u8]"), ("offset", "u64"), ("size", "u64")),
        "Metadata": (("name", "string"), ("buffer", "u32")),
        "SignatureDef": (
            ("inputs", "[TensorMap]"),
            ("outputs", "[TensorMap]"),
            ("signature_key", "string"),
            ("deprecated_tag", "skip"),
            ("subgraph_index", "u32"),
        ),
        "TensorMap": (("name", "string"), ("tensor_index", "u32")),
        "Any": (),
        **_OPTIONS,
    },
    {"BuiltinOptions": {value: name if name in _OPTIONS else "Any" for value, name in _OPTION_NAMES.items()}},
)

METADATA = Schema(
    {
        "ModelMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("version", "string"),
            ("subgraph_metadata", "[SubGraphMetadata]"),
            ("author", "string"),
            ("license", "string"),
            ("associated_files", "[AssociatedFile]"),
            ("min_parser_version", "string"),
        ),
        "SubGraphMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("input_tensor_metadata", "[TensorMetadata]"),
            ("output_tensor_metadata", "[TensorMetadata]"),
            ("associated_files", "[AssociatedFile]"),
        ),
        "TensorMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("dimension_names", "[string]"),
            ("content", "Content"),
            ("process_units", "[ProcessUnit]"),
            ("stats", "skip"),
            ("associated_files", "[AssociatedFile]"),
        ),
        "Content": (
            ("content_properties_type", "u8"),
            ("content_properties", "union ContentProperties"),
            ("range", "skip"),
        ),
        "FeatureProperties": (),
        "ImageProperties": (("color_space", "i8"), ("default_size", "ImageSize")),
        "BoundingBoxProperties": (("index", "[u32]"), ("type", "i8"), ("coordinate_type", "i8")),
        "ImageSize": (("width", "u32"), ("height", "u32")),
        "ProcessUnit": (("options_type", "u8"), ("options", "union ProcessUnitOptions")),
        "NormalizationOptions": (("mean", "[f32]"), ("std", "[f32]")),
        "AssociatedFile": (("name", "string"), ("description", "string"), ("type", "i8"), ("locale", "string")),
    },
    {
        "ContentProperties": {1: "FeatureProperties", 2: "ImageProperties", 3: "BoundingBoxProperties"},
        "ProcessUnitOptions": {1: "NormalizationOptions"},
    },
)

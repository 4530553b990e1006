#include "tflite/lce_operations.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/bconv2d/bconv2d.h"
#include "core/bmaxpool/bmaxpool.h"
#include "core/quantize/quantize.h"
#include "tflite/flexbuffer.h"

namespace tflbnn {
namespace {

// A constant of a model: in its file, for good. An absent input has the number -1.
Status ReadConstant(const NodeReader& reader, int i, const char* what, TfLiteType type,
                    const TfLiteTensor** constant) {
  if (reader.node->inputs->data[i] < 0) return Status::Error("the %s must not be absent", what);
  const TfLiteTensor& tensor = reader.input(i);
  if (tensor.allocation_type != kTfLiteMmapRo || !tensor.data) {
    return Status::Error("the %s must be a constant of the model", what);
  }
  if (tensor.type != type) {
    return Status::Error("the %s has the wrong type. Received: TfLiteType %d instead of %d", what,
                         tensor.type, type);
  }
  Shape shape;
  size_t bytes;
  TFLBNN_RETURN_IF_ERROR(TensorShape(tensor, &shape));
  if (!ByteSize(DataType::kBits, shape, &bytes) || bytes != tensor.bytes) {
    return Status::Error("the %s has %zu bytes, which do not fit its shape %s", what, tensor.bytes,
                         shape.ToString().c_str());
  }
  *constant = &tensor;
  return Status::Ok();
}

Status ReadVector(const NodeReader& reader, int i, const char* what, TfLiteType type, int channels,
                  const void** array) {
  const TfLiteTensor* tensor = nullptr;
  TFLBNN_RETURN_IF_ERROR(ReadConstant(reader, i, what, type, &tensor));
  if (tensor->dims->size != 1 || tensor->dims->data[0] != channels) {
    return Status::Error("the %s must have one element for each of %d channels", what, channels);
  }
  *array = tensor->data;
  return Status::Ok();
}

Status ReadPadding(const FlexBufferMap& map, Padding* padding) {
  int32_t value;
  TFLBNN_RETURN_IF_ERROR(map.GetInt("padding", &value));
  if (value != 0 && value != 1)
    return Status::Error("padding must be 0 (SAME) or 1 (VALID). Received: %d", value);
  *padding = value == 0 ? Padding::kSame : Padding::kValid;
  return Status::Ok();
}

Status ReadQuantize(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation) {
  const TfLiteTensor& input = reader.input(0);
  if (input.type != kTfLiteFloat32 && input.type != kTfLiteInt8) {
    return Status::Error("the input must be float32 or int8. Received: TfLiteType %d", input.type);
  }
  if (reader.output().type != kTfLiteInt32) return Status::Error("the output must be int32");
  // Floats are the planner's (IsFloatQuantize).
  if (operation && input.type == kTfLiteInt8)
    operation->reset(new Quantize(input.params.zero_point, isa));
  return Status::Ok();
}

Status ReadDequantize(const NodeReader& reader, Isa, std::unique_ptr<Operation>* operation) {
  const TfLiteTensor& output = reader.output();
  if (reader.input(0).type != kTfLiteInt32) return Status::Error("the input must be int32");
  if (output.type != kTfLiteFloat32 && output.type != kTfLiteInt8) {
    return Status::Error("the output must be float32 or int8. Received: TfLiteType %d",
                         output.type);
  }
  Shape shape;
  TFLBNN_RETURN_IF_ERROR(TensorShape(output, &shape));
  float positive = 1, negative = -1;
  if (output.type == kTfLiteInt8) {
    const float scale = output.params.scale;
    if (!(scale > 0) || !std::isfinite(1 / scale)) {
      return Status::Error("an int8 output needs a positive scale. Received: %g", double{scale});
    }
    // Both numbers saturate, so the step may, too.
    const double step = std::min(1024.f, roundf(1 / scale)), zero = output.params.zero_point;
    positive = static_cast<float>(std::max(-128., std::min(127., zero + step)));
    negative = static_cast<float>(std::min(127., std::max(-128., zero - step)));
  }
  const DataType type = output.type == kTfLiteInt8 ? DataType::kInt8 : DataType::kFloat32;
  if (operation) operation->reset(new Dequantize(type, positive, negative, shape.last()));
  return Status::Ok();
}

Status ReadBConv2D(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation) {
  const TfLiteTensor &input = reader.input(0), &output = reader.output();
  if (input.type != kTfLiteInt32) return Status::Error("the input must be int32 (packed signs)");
  const TfLiteTensor* filter = nullptr;
  TFLBNN_RETURN_IF_ERROR(ReadConstant(reader, 1, "filter", kTfLiteInt32, &filter));
  if (filter->dims->size != 4 || filter->bytes == 0) {
    return Status::Error("the filter must have 4 dimensions, none zero");
  }

  FlexBufferMap map;
  TFLBNN_RETURN_IF_ERROR(
      FlexBufferMap::Parse(reader.node->custom_initial_data,
                           static_cast<size_t>(reader.node->custom_initial_data_size), &map));
  BConv2DParams params;
  int32_t pad_values, activation;
  TFLBNN_RETURN_IF_ERROR(map.GetInt("stride_height", &params.height.stride));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("stride_width", &params.width.stride));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("dilation_height_factor", &params.height.dilation));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("dilation_width_factor", &params.width.dilation));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("channels_in", &params.channels_in));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("pad_values", &pad_values));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("fused_activation_function", &activation));
  TFLBNN_RETURN_IF_ERROR(ReadPadding(map, &params.padding));
  if (pad_values != 0 && pad_values != 1)
    return Status::Error("pad_values must be 0 or 1. Received: %d", pad_values);
  if (activation < 0 || activation > 3) {
    return Status::Error(
        "fused_activation_function must be NONE, RELU, RELU_N1_TO_1 or RELU6. Received: %d",
        activation);
  }
  params.zero_padding = pad_values == 0 && params.padding == Padding::kSame;
  params.activation = static_cast<Activation>(activation);

  params.channels_out = filter->dims->data[0];
  params.height.filter = filter->dims->data[1];
  params.width.filter = filter->dims->data[2];
  // The number of groups is not written down: it is how often the filter's words go into the
  // input's.
  const int64_t words = WordsForChannels(params.channels_in), group_words = filter->dims->data[3];
  if (params.channels_in < 1 || words % group_words) {
    return Status::Error("a filter of %lld words does not fit %d input channels",
                         static_cast<long long>(group_words), params.channels_in);
  }
  params.groups = static_cast<int>(words / group_words);
  if (params.groups > 1 && params.channels_in % (int64_t{32} * params.groups)) {
    return Status::Error(
        "each group must have a multiple of 32 input channels. Received: %d channels, %d groups",
        params.channels_in, params.groups);
  }

  BConv2DConstants constants;
  constants.filter = filter->data;
  auto read = [&](int i, const char* what, TfLiteType type, const void** array) {
    return ReadVector(reader, i, what, type, params.channels_out, array);
  };
  if (output.type == kTfLiteInt32) {
    params.output = DataType::kBits;
    TFLBNN_RETURN_IF_ERROR(read(4, "thresholds", kTfLiteInt32, &constants.threshold));
  } else if (output.type == kTfLiteFloat32 || output.type == kTfLiteInt8) {
    params.output = output.type == kTfLiteInt8 ? DataType::kInt8 : DataType::kFloat32;
    params.output_scale = output.params.scale;
    params.output_zero_point = output.params.zero_point;
    TFLBNN_RETURN_IF_ERROR(read(2, "multiplier", kTfLiteFloat32, &constants.multiplier));
    TFLBNN_RETURN_IF_ERROR(read(3, "bias", kTfLiteFloat32, &constants.bias));
  } else {
    return Status::Error("the output must be float32, int8 or int32. Received: TfLiteType %d",
                         output.type);
  }
  if (!operation) return BConv2D::Validate(params);
  std::unique_ptr<BConv2D> bconv2d;
  TFLBNN_RETURN_IF_ERROR(BConv2D::Create(params, constants, isa, &bconv2d));
  *operation = std::move(bconv2d);
  return Status::Ok();
}

Status ReadBMaxPool2D(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation) {
  if (reader.input(0).type != kTfLiteInt32 || reader.output().type != kTfLiteInt32) {
    return Status::Error("input and output must be int32 (packed signs)");
  }
  FlexBufferMap map;
  TFLBNN_RETURN_IF_ERROR(
      FlexBufferMap::Parse(reader.node->custom_initial_data,
                           static_cast<size_t>(reader.node->custom_initial_data_size), &map));
  BMaxPool2DParams params;
  TFLBNN_RETURN_IF_ERROR(map.GetInt("filter_height", &params.height.filter));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("filter_width", &params.width.filter));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("stride_height", &params.height.stride));
  TFLBNN_RETURN_IF_ERROR(map.GetInt("stride_width", &params.width.stride));
  TFLBNN_RETURN_IF_ERROR(ReadPadding(map, &params.padding));
  TFLBNN_RETURN_IF_ERROR(BMaxPool2D::Validate(params));
  if (operation) operation->reset(new BMaxPool2D(params, isa));
  return Status::Ok();
}

struct LceOperation {
  const char* name;
  int inputs;
  Status (*read)(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation);
};

constexpr LceOperation kLceOperations[] = {{"LceQuantize", 1, ReadQuantize},
                                           {"LceDequantize", 1, ReadDequantize},
                                           {"LceBconv2d", 5, ReadBConv2D},
                                           {"LceBMaxPool2d", 1, ReadBMaxPool2D}};

const LceOperation* Find(const TfLiteRegistration& registration) {
  if (registration.builtin_code != kTfLiteBuiltinCustom || !registration.custom_name)
    return nullptr;
  for (const LceOperation& operation : kLceOperations) {
    if (!strcmp(operation.name, registration.custom_name)) return &operation;
  }
  return nullptr;
}

}  // namespace

bool IsLceNode(const NodeReader& reader) { return Find(*reader.registration) != nullptr; }

bool IsFloatQuantize(const NodeReader& reader) {
  const LceOperation* lce = Find(*reader.registration);
  return lce && lce->read == ReadQuantize &&
         ReadLceOperation(reader, Isa::kReference, nullptr).ok() &&
         reader.input(0).type == kTfLiteFloat32;
}

bool IsFloatConvolution(const NodeReader& reader) {
  const LceOperation* lce = Find(*reader.registration);
  return lce && lce->read == ReadBConv2D && reader.node->outputs &&
         reader.node->outputs->size == 1 && reader.node->outputs->data[0] >= 0 &&
         reader.output().type == kTfLiteFloat32;
}

Status ReadLceOperation(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation) {
  const LceOperation& lce = *Find(*reader.registration);
  const TfLiteIntArray *inputs = reader.node->inputs, *outputs = reader.node->outputs;
  const bool complete = inputs && inputs->size == lce.inputs && inputs->data[0] >= 0 && outputs &&
                        outputs->size == 1 && outputs->data[0] >= 0;
  const Status status = complete ? lce.read(reader, isa, operation)
                                 : Status::Error("it must have %d inputs and 1 output", lce.inputs);
  if (status.ok()) return status;
  return Status::Error("%s (node %d): %s", lce.name, reader.index, status.message().c_str());
}

}  // namespace tflbnn

#include "tflite/node.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/bconv2d/bconv2d.h"
#include "core/bmaxpool/bmaxpool.h"
#include "core/quantize/quantize.h"
#include "tflite/flexbuffer.h"

namespace tflbnn {
namespace {

// A constant of a model: in its file, for good.
Status CheckConstant(const char* what, const TfLiteTensor& tensor, TfLiteType type) {
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
  return Status::Ok();
}

Status CheckVector(const char* what, const TfLiteTensor& tensor, TfLiteType type, int channels) {
  TFLBNN_RETURN_IF_ERROR(CheckConstant(what, tensor, type));
  if (tensor.dims->size != 1 || tensor.dims->data[0] != channels) {
    return Status::Error("the %s must have one element for each of %d channels", what, channels);
  }
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
  const DataType type = input.type == kTfLiteInt8 ? DataType::kInt8 : DataType::kFloat32;
  if (operation) operation->reset(new Quantize(type, input.params.zero_point, isa));
  return Status::Ok();
}

Status ReadDequantize(const NodeReader& reader, std::unique_ptr<Operation>* operation) {
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
  const TfLiteTensor &input = reader.input(0), &filter = reader.input(1), &output = reader.output();
  if (input.type != kTfLiteInt32) return Status::Error("the input must be int32 (packed signs)");
  TFLBNN_RETURN_IF_ERROR(CheckConstant("filter", filter, kTfLiteInt32));
  if (filter.dims->size != 4 || filter.bytes == 0)
    return Status::Error("the filter must have 4 dimensions, none zero");

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

  params.channels_out = filter.dims->data[0];
  params.height.filter = filter.dims->data[1];
  params.width.filter = filter.dims->data[2];
  // The number of groups is not written down: it is how often the filter's words go into the
  // input's.
  const int64_t words = WordsForChannels(params.channels_in), group_words = filter.dims->data[3];
  if (params.channels_in < 1 || words % group_words) {
    return Status::Error("a filter of %lld words does not fit %d input channels",
                         static_cast<long long>(group_words), params.channels_in);
  }
  params.groups = static_cast<int>(words / group_words);
  if (params.groups > 1 && params.channels_in % (32 * params.groups)) {
    return Status::Error(
        "each group must have a multiple of 32 input channels. Received: %d channels, %d groups",
        params.channels_in, params.groups);
  }

  BConv2DConstants constants;
  constants.filter = filter.data;
  if (output.type == kTfLiteInt32) {
    params.output = DataType::kBits;
    TFLBNN_RETURN_IF_ERROR(
        CheckVector("thresholds", reader.input(4), kTfLiteInt32, params.channels_out));
    constants.threshold = reader.input(4).data;
  } else if (output.type == kTfLiteFloat32 || output.type == kTfLiteInt8) {
    params.output = output.type == kTfLiteInt8 ? DataType::kInt8 : DataType::kFloat32;
    params.output_scale = output.params.scale;
    params.output_zero_point = output.params.zero_point;
    TFLBNN_RETURN_IF_ERROR(
        CheckVector("multiplier", reader.input(2), kTfLiteFloat32, params.channels_out));
    TFLBNN_RETURN_IF_ERROR(
        CheckVector("bias", reader.input(3), kTfLiteFloat32, params.channels_out));
    constants.multiplier = reader.input(2).data;
    constants.bias = reader.input(3).data;
  } else {
    return Status::Error("the output must be float32, int8 or int32. Received: TfLiteType %d",
                         output.type);
  }
  std::unique_ptr<BConv2D> bconv2d;
  if (!operation) return BConv2D::Validate(params);
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

// How LCE's operations are named, and how many tensors they take. An absent input has index -1.
struct LceOperation {
  const char* name;
  int inputs;
};
constexpr LceOperation kLceOperations[] = {
    {"LceQuantize", 1}, {"LceDequantize", 1}, {"LceBconv2d", 5}, {"LceBMaxPool2d", 1}};

}  // namespace

bool IsLceNode(const TfLiteRegistration& registration) {
  if (registration.builtin_code != kTfLiteBuiltinCustom || !registration.custom_name) return false;
  return std::any_of(
      std::begin(kLceOperations), std::end(kLceOperations),
      [&](const LceOperation& op) { return !strcmp(op.name, registration.custom_name); });
}

bool IsFloatQuantize(const NodeReader& reader) {
  return IsLceNode(*reader.registration) &&
         !strcmp(reader.registration->custom_name, "LceQuantize") &&
         reader.Read(Isa::kReference, nullptr).ok() && reader.input(0).type == kTfLiteFloat32;
}

Status TensorType(const TfLiteTensor& tensor, DataType* type) {
  switch (tensor.type) {
    case kTfLiteFloat32:
      *type = DataType::kFloat32;
      return Status::Ok();
    case kTfLiteInt8:
      *type = DataType::kInt8;
      return Status::Ok();
    case kTfLiteInt32:
      *type = DataType::kBits;
      return Status::Ok();
    default:
      return Status::Error("unexpected TfLiteType %d", tensor.type);
  }
}

Status TensorShape(const TfLiteTensor& tensor, Shape* shape) {
  const TfLiteIntArray* dims = tensor.dims;
  if (!dims || dims->size < 1 || dims->size > kMaxRank) {
    return Status::Error("a tensor must have 1 to %d dimensions. Received: %d", kMaxRank,
                         dims ? dims->size : -1);
  }
  shape->rank = dims->size;
  std::copy(dims->data, dims->data + dims->size, shape->dims);
  return Status::Ok();
}

Status NodeReader::Open() {
  TfLiteNode* fetched = nullptr;
  TfLiteRegistration* fetched_registration = nullptr;
  if (context->GetNodeAndRegistration(context, index, &fetched, &fetched_registration) !=
          kTfLiteOk ||
      !fetched || !fetched_registration) {
    return Status::Error("node %d cannot be read", index);
  }
  node = fetched;
  registration = fetched_registration;
  for (const TfLiteIntArray* tensors : {node->inputs, node->outputs}) {
    for (int i = 0; tensors && i < tensors->size; ++i) {
      const int tensor = tensors->data[i];
      if (tensor < -1 || tensor >= static_cast<int>(context->tensors_size)) {
        return Status::Error("node %d refers to tensor %d of %zu", index, tensor,
                             context->tensors_size);
      }
    }
  }
  return Status::Ok();
}

Status NodeReader::Read(Isa isa, std::unique_ptr<Operation>* operation) const {
  const char* name = registration->custom_name;
  for (const LceOperation& op : kLceOperations) {
    if (strcmp(op.name, name)) continue;
    if (!node->inputs || !node->outputs || node->inputs->size != op.inputs ||
        node->outputs->size != 1 || node->outputs->data[0] < 0 || node->inputs->data[0] < 0) {
      return Status::Error("%s (node %d): it must have %d inputs and 1 output", name, index,
                           op.inputs);
    }
    // Of a convolution, either multiplier and bias or the thresholds may be absent; reading input
    // -1 is not possible.
    for (int i = 1; i < op.inputs; ++i) {
      const bool bits = output().type == kTfLiteInt32;
      const bool needed = i == 1 || (bits ? i == 4 : i < 4);
      if (needed && node->inputs->data[i] < 0)
        return Status::Error("%s (node %d): input %d is absent", name, index, i);
    }
  }
  Status status = Status::Error("unknown operation");
  if (!strcmp(name, "LceQuantize")) status = ReadQuantize(*this, isa, operation);
  if (!strcmp(name, "LceDequantize")) status = ReadDequantize(*this, operation);
  if (!strcmp(name, "LceBconv2d")) status = ReadBConv2D(*this, isa, operation);
  if (!strcmp(name, "LceBMaxPool2d")) status = ReadBMaxPool2D(*this, isa, operation);
  if (status.ok()) return status;
  return Status::Error("%s (node %d): %s", name, index, status.message().c_str());
}

}  // namespace tflbnn

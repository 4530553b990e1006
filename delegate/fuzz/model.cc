#include "fuzz/model.h"

#include <map>
#include <string>
#include <utility>

#include "fuzz/flexbuffer_map.h"

namespace tflbnn::fuzz {
namespace {

constexpr int kConstantBytes = 1 << 12;  // at most
constexpr TfLiteType kTypes[] = {kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8, kTfLiteNoType,
                                 static_cast<TfLiteType>(4)};

// Codes of TFLite's builtin_ops.h. The first int of these operations' parameters is often an
// activation or a padding.
struct Builtin {
  int code;
  ShapeRule rule;
  int least_inputs;
};
constexpr Builtin kBuiltins[] = {
    {0, ShapeRule::kSameAsInput, 2},    // ADD
    {18, ShapeRule::kSameAsInput, 2},   // MUL
    {19, ShapeRule::kSameAsInput, 1},   // RELU
    {21, ShapeRule::kSameAsInput, 1},   // RELU6
    {54, ShapeRule::kSameAsInput, 2},   // PRELU
    {14, ShapeRule::kSameAsInput, 1},   // LOGISTIC
    {41, ShapeRule::kSameAsInput, 2},   // SUB
    {2, ShapeRule::kDeclared, 2},       // CONCATENATION
    {17, ShapeRule::kDeclared, 1},      // MAX_POOL_2D
    {1, ShapeRule::kDeclared, 1},       // AVERAGE_POOL_2D
    {4, ShapeRule::kDeclared, 3},       // DEPTHWISE_CONV_2D
    {3, ShapeRule::kDeclared, 3},       // CONV_2D
    {34, ShapeRule::kDeclared, 2},      // PAD
    {40, ShapeRule::kDeclared, 2},      // MEAN
    {114, ShapeRule::kSameAsInput, 1},  // QUANTIZE
    {6, ShapeRule::kSameAsInput, 1},    // DEQUANTIZE
    {22, ShapeRule::kDynamic, 1},       // RESHAPE
};

class Reader {
 public:
  Reader(Bytes* bytes, Host* host) : bytes_(*bytes), host_(*host) {}

  void Read() {
    const int inputs = bytes_.OneIn(8) ? 2 : 1;
    for (int i = 0; i < inputs; ++i) {
      const std::vector<int> dims = {bytes_.Between(1, 2), bytes_.Between(1, 9),
                                     bytes_.Between(1, 9), Channels()};
      host_.inputs.push_back(Tensor(kTypes[bytes_.OneIn(4) ? bytes_.Byte() % 5 : 0], dims));
    }
    const int nodes = bytes_.Between(1, 12);
    for (int i = 0; i < nodes; ++i) Node();
    host_.outputs.push_back(last_);
    while (bytes_.OneIn(4)) host_.outputs.push_back(AnyTensor());
    Damage();
  }

 private:
  int Channels() {
    return bytes_.Pick<int>({32, 33, 64, 1, 5, 31, 40, 96, 128, 2, 3, 8, 65, 100, 7, 16});
  }
  int AnyTensor() { return bytes_.Byte() % host_.tensor_count(); }
  std::vector<int> Dims(int tensor) {
    const TfLiteIntArray& dims = *host_.tensor(tensor).dims;
    return std::vector<int>(dims.data, dims.data + dims.size);
  }
  int Tensor(TfLiteType type, const std::vector<int>& dims) {
    TfLiteQuantizationParams params{0.5f, bytes_.Between(0, 20) - 10};
    if (bytes_.OneIn(16)) params = {bytes_.Raw<float>(), bytes_.AnyInt()};
    last_ = host_.AddTensor(type, dims, params);
    return last_;
  }
  // Words that are random, or special floats, or one small pattern.
  int Constant(TfLiteType type, const std::vector<int>& dims) {
    size_t bytes = type == kTfLiteInt8 ? 1 : 4;
    for (int dim : dims) bytes *= static_cast<size_t>(std::max(0, dim));
    bytes = std::min<size_t>(bytes, kConstantBytes);
    if (bytes_.OneIn(64)) bytes = bytes_.Byte();
    std::vector<uint8_t> data(bytes);
    const int kind = bytes_.Between(0, 3);
    uint32_t seed = bytes_.Raw<uint32_t>();
    for (size_t i = 0; i < bytes; i += 4) {
      if (kind > 0) seed = seed * 1664525u + 1013904223u;
      uint32_t word = seed ^ seed >> 13;
      if (kind == 2 || (type == kTfLiteFloat32 && kind == 1)) {  // a number of a usual size
        const float number = static_cast<float>(static_cast<int32_t>(seed) >> 16) * 0.01f;
        memcpy(&word, &number, 4);
      } else if (kind == 3 && type == kTfLiteInt32) {
        word %= 600;  // a threshold
      }
      memcpy(data.data() + i, &word, std::min<size_t>(4, bytes - i));
    }
    return host_.AddConstant(type, dims, data, bytes_.OneIn(4) ? bytes_.Between(1, 7) : 0);
  }

  int Source() {
    if (!bytes_.OneIn(4)) return last_;
    return AnyTensor();
  }

  void Node() {
    const int source = Source();
    const std::vector<int> dims = Dims(source);
    const TfLiteType type = host_.tensor(source).type;
    // What fits the source, most of the time.
    const bool bits = type == kTfLiteInt32;
    switch (bits ? bytes_.Byte() % 8 : 8 + bytes_.Byte() % 9) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 15:
        return BConv2D(source, dims);
      case 5:
      case 6:
        return BMaxPool2D(source, dims);
      case 7:
        return Dequantize(source, dims);
      case 8:
      case 9:
      case 10:
        return Quantize(source, dims);
      case 11:
      case 12:
        return Channelwise(source, dims);
      case 16:
        return Conv2D(source, dims);
      default:
        return Other(source, dims);
    }
  }

  void Add(const std::string& name, std::vector<int> inputs, int output,
           const std::map<std::string, int32_t>& options) {
    NodeSpec spec;
    spec.custom_name = bytes_.OneIn(64) ? "LceSomething" : name;
    spec.inputs = std::move(inputs);
    spec.outputs = {output};
    if (!options.empty()) {
      std::map<std::string, int32_t> chosen = options;
      if (bytes_.OneIn(8)) {
        auto changed = chosen.begin();
        std::advance(changed, bytes_.Byte() % chosen.size());
        changed->second = bytes_.AnyInt();
        if (bytes_.OneIn(8)) chosen.erase(changed);
      }
      spec.options = WriteFlexBufferMap(chosen);
      if (bytes_.OneIn(16)) {
        for (int i = bytes_.Between(0, 4); i >= 0; --i)
          spec.options[bytes_.Raw<uint16_t>() % spec.options.size()] = bytes_.Byte();
        if (bytes_.OneIn(4)) spec.options.resize(bytes_.Byte() % spec.options.size());
      }
    }
    host_.AddNode(spec);
  }

  static int Positions(int size, int filter, int stride, int dilation, int padding) {
    if (padding == 0) return (size + stride - 1) / stride;
    const int extent = (filter - 1) * dilation + 1;
    return size < extent ? 0 : (size - extent) / stride + 1;
  }

  void BConv2D(int source, const std::vector<int>& dims) {
    const int words = dims.size() == 4 ? std::min(std::max(dims[3], 1), 64) : 1;
    const int groups = words > 1 && bytes_.OneIn(4) ? words : 1;
    const int channels_in = words * 32 - (groups > 1 ? 0 : bytes_.Between(0, 31));
    const int channels_out = groups * (groups > 1 ? bytes_.Between(1, 9) : Channels());
    int filter[2], stride[2], dilation[2];
    const bool plain = !bytes_.OneIn(3);
    for (int axis = 0; axis < 2; ++axis) {
      filter[axis] =
          plain ? (axis == 0 ? bytes_.Pick<int>({3, 1, 2}) : filter[0]) : bytes_.Between(1, 5);
      stride[axis] = plain ? 1 : bytes_.Between(1, 3);
      dilation[axis] = plain ? 1 : bytes_.Between(1, 3);
    }
    const int padding = bytes_.OneIn(4) ? 1 : 0;
    const TfLiteType type =
        bytes_.Pick<TfLiteType>({kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8, kTfLiteFloat32});
    const int weights =
        Constant(kTfLiteInt32, {channels_out, filter[0], filter[1], words / groups});
    int constants[3] = {-1, -1, -1};  // multiplier, bias, threshold
    if (type == kTfLiteInt32) {
      constants[2] = Constant(kTfLiteInt32, {channels_out});
    } else {
      constants[0] = Constant(kTfLiteFloat32, {channels_out});
      constants[1] = Constant(kTfLiteFloat32, {channels_out});
    }
    std::vector<int> shape = {1, 1, 1,
                              type == kTfLiteInt32 ? (channels_out + 31) / 32 : channels_out};
    if (dims.size() == 4) {
      shape[0] = dims[0];
      for (size_t axis = 0; axis < 2; ++axis)
        shape[axis + 1] = Positions(std::min(dims[axis + 1], 1 << 20), filter[axis], stride[axis],
                                    dilation[axis], padding);
    }
    Add("LceBconv2d", {source, weights, constants[0], constants[1], constants[2]},
        Tensor(type, shape),
        {{"channels_in", channels_in},
         {"dilation_height_factor", dilation[0]},
         {"dilation_width_factor", dilation[1]},
         {"fused_activation_function", bytes_.Pick<int>({0, 0, 1, 2, 3})},
         {"pad_values", bytes_.Between(0, 1)},
         {"padding", padding},
         {"stride_height", stride[0]},
         {"stride_width", stride[1]}});
  }

  void BMaxPool2D(int source, std::vector<int> dims) {
    const int filter[2] = {bytes_.Pick<int>({2, 3, 1, 5}), bytes_.Pick<int>({2, 3, 1, 5})};
    const int stride[2] = {bytes_.Pick<int>({2, 1, 3}), bytes_.Pick<int>({2, 1, 3})};
    const int padding = bytes_.Between(0, 1);
    for (size_t axis = 0; dims.size() == 4 && axis < 2; ++axis)
      dims[axis + 1] =
          Positions(std::min(dims[axis + 1], 1 << 20), filter[axis], stride[axis], 1, padding);
    Add("LceBMaxPool2d", {source}, Tensor(kTfLiteInt32, dims),
        {{"filter_height", filter[0]},
         {"filter_width", filter[1]},
         {"padding", padding},
         {"stride_height", stride[0]},
         {"stride_width", stride[1]}});
  }

  void Dequantize(int source, std::vector<int> dims) {
    if (!dims.empty()) dims.back() = std::min(dims.back(), 64) * 32 - bytes_.Between(0, 31);
    Add("LceDequantize", {source}, Tensor(bytes_.OneIn(4) ? kTfLiteInt8 : kTfLiteFloat32, dims),
        {});
  }

  void Quantize(int source, std::vector<int> dims) {
    if (!dims.empty()) dims.back() = dims.back() / 32 + (dims.back() % 32 != 0);
    Add("LceQuantize", {source}, Tensor(kTfLiteInt32, dims), {});
  }

  // MUL and ADD as converters write BatchNorm.
  void Channelwise(int source, const std::vector<int>& dims) {
    const int channels = dims.empty() ? 1 : std::min(std::max(dims.back(), 0), 4096);
    for (int code : {18, 0}) {
      if (bytes_.OneIn(4)) continue;
      NodeSpec spec;
      spec.builtin_code = code;
      spec.rule = ShapeRule::kSameAsInput;
      std::vector<int> shape = {channels};
      if (bytes_.OneIn(4)) shape = {1, 1, 1, channels};
      if (bytes_.OneIn(8)) shape = {1};
      if (bytes_.OneIn(16)) shape = {};
      const int constant = Constant(kTfLiteFloat32, shape);
      spec.inputs = {source, constant};
      if (bytes_.OneIn(8)) std::swap(spec.inputs[0], spec.inputs[1]);
      source = Tensor(kTfLiteFloat32, dims);
      spec.outputs = {source};
      spec.parameters = {bytes_.OneIn(8) ? bytes_.Between(0, 3) : 0, 0};
      host_.AddNode(spec);
    }
  }

  // CONV_2D or DEPTHWISE_CONV_2D of floats.
  void Conv2D(int source, const std::vector<int>& dims) {
    if (dims.size() != 4) return Other(source, dims);
    const bool depthwise = bytes_.OneIn(3);
    const int channels_in = std::min(std::max(dims[3], 1), 128);
    const int height = bytes_.Pick<int>({1, 3, 2}), width = bytes_.OneIn(4) ? 5 : height;
    const int fitting = std::max(1, kConstantBytes / 4 / (channels_in * height * width));
    const int channels_out = depthwise ? channels_in : std::min(Channels(), fitting);
    const int padding = bytes_.Between(1, 2), stride = bytes_.Pick<int>({1, 2, 3});
    NodeSpec spec;
    spec.builtin_code = depthwise ? 4 : 3;
    spec.rule = ShapeRule::kDeclared;
    const int filter = depthwise
                           ? Constant(kTfLiteFloat32, {1, height, width, channels_in})
                           : Constant(kTfLiteFloat32, {channels_out, height, width, channels_in});
    spec.inputs = {source, filter, Constant(kTfLiteFloat32, {channels_out})};
    std::vector<int> shape = {dims[0], 1, 1, channels_out};
    for (size_t axis = 0; axis < 2; ++axis)
      shape[axis + 1] = Positions(std::min(dims[axis + 1], 1 << 20), axis ? width : height, stride,
                                  1, padding - 1);
    spec.outputs = {Tensor(kTfLiteFloat32, shape)};
    spec.parameters = {padding, stride, stride};
    if (depthwise) spec.parameters.push_back(1);  // of filters a channel
    for (const int value : {bytes_.Pick<int>({0, 0, 1, 2, 3}), 1, 1})
      spec.parameters.push_back(value);
    if (bytes_.OneIn(8)) spec.parameters[bytes_.Byte() % spec.parameters.size()] = bytes_.AnyInt();
    spec.parameters.resize(16, 0);
    host_.AddNode(spec);
  }

  void Other(int source, const std::vector<int>& dims) {
    const Builtin builtin = kBuiltins[bytes_.Byte() % (sizeof(kBuiltins) / sizeof(kBuiltins[0]))];
    NodeSpec spec;
    spec.builtin_code = bytes_.OneIn(16) ? bytes_.Byte() : builtin.code;
    spec.rule = builtin.rule;
    spec.inputs = {source};
    const int inputs = builtin.least_inputs + (bytes_.OneIn(16) ? bytes_.Between(-1, 2) : 0);
    while (static_cast<int>(spec.inputs.size()) < inputs) {
      const int kind = bytes_.Between(0, 3);
      spec.inputs.push_back(kind == 0   ? AnyTensor()
                            : kind == 1 ? Constant(kTfLiteInt32, {4, 2})
                            : kind == 2
                                ? Constant(kTfLiteFloat32, dims)
                                : Constant(kTfLiteFloat32, {dims.empty() ? 1 : dims.back()}));
    }
    std::vector<int> shape = dims;
    if (builtin.rule == ShapeRule::kDeclared && !shape.empty()) {
      for (int& dim : shape) {
        if (bytes_.OneIn(4)) dim = bytes_.Between(1, 9);
      }
    }
    spec.outputs = {Tensor(bytes_.OneIn(8) ? kTypes[bytes_.Byte() % 5] : kTfLiteFloat32, shape)};
    for (int i = 0; i < 16; ++i)
      spec.parameters.push_back(bytes_.OneIn(2) ? bytes_.Between(1, 3) : 0);
    host_.AddNode(spec);
  }

  // What a damaged file may say, and TFLite accepts.
  void Damage() {
    while (bytes_.OneIn(6)) {
      TfLiteTensor& tensor = host_.tensor(AnyTensor());
      switch (bytes_.Byte() % 4) {
        case 0:
          tensor.type = kTypes[bytes_.Byte() % 5];
          break;
        case 1:
          if (tensor.dims->size > 0)
            tensor.dims->data[bytes_.Byte() % tensor.dims->size] = bytes_.AnyInt();
          break;
        case 2:
          tensor.dims->size = std::min(tensor.dims->size, bytes_.Between(0, 3));
          break;
        case 3:
          tensor.params = {bytes_.Raw<float>(), bytes_.AnyInt()};
          break;
      }
    }
  }

  Bytes& bytes_;
  Host& host_;
  int last_ = 0;
};

}  // namespace

void ReadModel(Bytes* bytes, Host* host) { Reader(bytes, host).Read(); }

}  // namespace tflbnn::fuzz

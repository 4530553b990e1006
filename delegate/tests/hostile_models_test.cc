// What the fuzzer found, as graphs that say what is wrong with them.
#include <limits>
#include <memory>

#include "c/tflbnn_delegate.h"
#include "fuzz/flexbuffer_map.h"
#include "fuzz/host.h"
#include "fuzz/scenario.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

using fuzz::Host;
using fuzz::NodeSpec;

constexpr const char* kKernels[] = {"reference", "scalar", "auto"};

std::unique_ptr<TfLiteDelegate, void (*)(TfLiteDelegate*)> Delegate(const char* kernel) {
  const char* key = "kernel";
  return {tflite_plugin_create_delegate(&key, &kernel, 1, nullptr), tflite_plugin_destroy_delegate};
}

void AddUnary(Host* host, const char* name, int input, int output,
              const std::map<std::string, int32_t>& options = {}) {
  NodeSpec spec;
  spec.custom_name = name;
  spec.inputs = {input};
  spec.outputs = {output};
  if (!options.empty()) spec.options = fuzz::WriteFlexBufferMap(options);
  host->AddNode(spec);
  host->outputs = {output};
}

void AddConvolution(Host* host, int32_t channels_in, const std::vector<int>& filter) {
  size_t words = 1;
  for (int dim : filter) words *= static_cast<size_t>(dim);
  const auto channels = static_cast<size_t>(filter[0]);
  const std::vector<uint8_t> zeros(4 * words);
  NodeSpec spec;
  spec.custom_name = "LceBconv2d";
  const int weights = host->AddConstant(kTfLiteInt32, filter, zeros, 0);
  const int multiplier =
      host->AddConstant(kTfLiteFloat32, {filter[0]}, std::vector<uint8_t>(4 * channels), 0);
  spec.inputs = {host->inputs[0], weights, multiplier, multiplier, -1};
  spec.outputs = {host->AddTensor(kTfLiteFloat32, {1, 1, 1, filter[0]}, {})};
  spec.options = fuzz::WriteFlexBufferMap({{"channels_in", channels_in},
                                           {"dilation_height_factor", 1},
                                           {"dilation_width_factor", 1},
                                           {"fused_activation_function", 0},
                                           {"pad_values", 1},
                                           {"padding", 0},
                                           {"stride_height", 1},
                                           {"stride_width", 1}});
  host->AddNode(spec);
  host->outputs = {spec.outputs[0]};
}

TEST(ASensibleModelRuns) {
  for (const char* kernel : kKernels) {
    Host host;
    host.inputs = {host.AddTensor(kTfLiteInt32, {1, 3, 3, 2}, {})};
    AddConvolution(&host, 33, {5, 3, 3, 2});
    const auto delegate = Delegate(kernel);
    CHECK(host.ApplyDelegate(delegate.get()) == kTfLiteOk);
    CHECK_EQ(host.delegated_nodes(), 1);
    CHECK(host.Allocate() == kTfLiteOk && host.Invoke() == kTfLiteOk);
    CHECK(host.ResizeInput(host.inputs[0], {2, 4, 5, 2}) == kTfLiteOk);
    CHECK(host.Allocate() == kTfLiteOk && host.Invoke() == kTfLiteOk);
    CHECK_EQ(host.tensor(host.outputs[0]).bytes, size_t{2 * 4 * 5 * 5 * 4});
  }
}

// A constant may lie anywhere in a file.
TEST(AConstantAtAnOddAddressIsRefused) {
  for (const char* kernel : kKernels) {
    for (const int misalignment : {0, 1, 2, 3}) {
      Host host;
      const int input =
          host.AddConstant(kTfLiteFloat32, {1, 40}, std::vector<uint8_t>(160), misalignment);
      AddUnary(&host, "LceQuantize", input, host.AddTensor(kTfLiteInt32, {1, 2}, {}));
      const auto delegate = Delegate(kernel);
      CHECK(host.ApplyDelegate(delegate.get()) == kTfLiteOk && host.Allocate() == kTfLiteOk);
      CHECK_EQ(host.Invoke() == kTfLiteOk, misalignment == 0);
    }
  }
}

// Refused where the number of groups times 32 passes 32 bits.
TEST(BillionsOfGroupsAreRefused) {
  Host host;
  host.inputs = {host.AddTensor(kTfLiteInt32, {1, 3, 3, 1}, {})};
  AddConvolution(&host, std::numeric_limits<int32_t>::max(), {4, 1, 1, 1});
  CHECK(host.ApplyDelegate(Delegate("auto").get()) != kTfLiteOk);
}

// They took as many steps as the window has elements.
TEST(PoolingWindowsOfBillionsOfElementsTakeNoTime) {
  constexpr int32_t kHuge = std::numeric_limits<int32_t>::max();
  for (const char* kernel : kKernels) {
    Host host;
    host.inputs = {host.AddTensor(kTfLiteInt32, {1, 3, 3, 1}, {})};
    AddUnary(&host, "LceBMaxPool2d", host.inputs[0], host.AddTensor(kTfLiteInt32, {1, 1, 1, 1}, {}),
             {{"filter_height", kHuge},
              {"filter_width", kHuge},
              {"padding", 0},
              {"stride_height", kHuge},
              {"stride_width", kHuge}});
    const auto delegate = Delegate(kernel);
    CHECK(host.ApplyDelegate(delegate.get()) == kTfLiteOk);
    CHECK(host.Allocate() == kTfLiteOk && host.Invoke() == kTfLiteOk);
    uint32_t all = ~0u;
    const auto* input = static_cast<const uint32_t*>(host.tensor(host.inputs[0]).data);
    for (int i = 0; i < 9; ++i) all &= input[i];
    CHECK_EQ(*static_cast<const uint32_t*>(host.tensor(host.outputs[0]).data), all);
  }
}

TEST(EmptyImagesOfBillionsOfRowsTakeNoTime) {
  constexpr int32_t kHuge = std::numeric_limits<int32_t>::max();
  for (const char* kernel : kKernels) {
    Host host;
    host.inputs = {host.AddTensor(kTfLiteInt32, {1, kHuge, kHuge, 0}, {})};
    AddUnary(&host, "LceBMaxPool2d", host.inputs[0], host.AddTensor(kTfLiteInt32, {1, 1, 1, 0}, {}),
             {{"filter_height", 2},
              {"filter_width", 2},
              {"padding", 0},
              {"stride_height", 1},
              {"stride_width", 1}});
    const auto delegate = Delegate(kernel);
    CHECK(host.ApplyDelegate(delegate.get()) == kTfLiteOk);
    // Whether such a shape is refused is another matter.
    if (host.Allocate() == kTfLiteOk) CHECK(host.Invoke() == kTfLiteOk);
  }
}

// The fuzzer's own scenarios, on every compiler and processor; it aborts where kernels differ.
TEST(RandomScenarios) {
  testing::Random random(50);
  int invocations = 0;
  for (int trial = 0; trial < testing::Trials(2000); ++trial) {
    std::vector<uint8_t> bytes(static_cast<size_t>(random.Between(16, 400)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Bits());
    invocations += fuzz::RunScenario(bytes.data(), bytes.size());
  }
  CHECK(invocations > testing::Trials(2000) / 4);
}

}  // namespace
}  // namespace tflbnn

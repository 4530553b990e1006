// tflbnn_benchmark [kernel]: binary multiply-accumulates a cycle, by shape and kernel, and
// gigabytes a second of packing. Runs on one thread.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "core/bconv2d/bconv2d.h"
#include "core/bconv2d/dispatch.h"
#include "core/clock.h"
#include "core/elementwise/elementwise.h"

namespace tflbnn {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

struct Timing {
  double median, best;
};

template <class Fn>
Timing Measure(const Fn& fn) {
  std::vector<double> seconds;
  for (int i = 0; i < 41; ++i) {
    const auto start = Clock::now();
    fn();
    seconds.push_back(Seconds(start));
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds[0]};
}

struct ConvShape {
  int size, channels_in, channels_out, filter;
};

// Layers of QuickNet, Bi-Real-Net and BinaryDenseNet at 224x224, and shapes with remainders.
constexpr ConvShape kConvShapes[] = {{56, 64, 64, 3},  {28, 128, 128, 3}, {14, 256, 256, 3},
                                     {7, 512, 512, 3}, {56, 384, 64, 3},  {28, 160, 64, 3},
                                     {28, 480, 64, 3}, {14, 448, 64, 3},  {7, 512, 64, 3},
                                     {28, 96, 12, 3},  {14, 256, 256, 1}};

void BenchmarkConv(Isa isa, double hertz) {
  std::mt19937 random(1);
  ThreadPool pool(1);
  for (const ConvShape& shape : kConvShapes) {
    for (const DataType output : {DataType::kFloat32, DataType::kBits}) {
      BConv2DParams params;
      params.height.filter = params.width.filter = shape.filter;
      params.padding = Padding::kSame;
      params.channels_in = shape.channels_in;
      params.channels_out = shape.channels_out;
      params.output = output;
      const size_t channels = static_cast<size_t>(shape.channels_out);
      std::vector<uint32_t> filter(channels * static_cast<size_t>(params.taps() * params.words()));
      for (uint32_t& word : filter) word = static_cast<uint32_t>(random());
      const std::vector<float> ones(channels, 1.f);
      const std::vector<int32_t> thresholds(channels, static_cast<int32_t>(params.depth() / 2));
      std::unique_ptr<BConv2D> conv;
      Shape out;
      const Shape in{4, {1, shape.size, shape.size, params.words()}};
      if (!BConv2D::Create(params, {filter.data(), ones.data(), ones.data(), thresholds.data()},
                           isa, &conv)
               .ok() ||
          !conv->Resize(&in, &out).ok()) {
        continue;
      }
      AlignedBuffer input, result, scratch;
      size_t bytes = 0;
      if (!ByteSize(DataType::kBits, in, &bytes) || !input.AllocateZeroed(bytes)) continue;
      if (!ByteSize(output, out, &bytes) || !result.AllocateZeroed(bytes)) continue;
      if (!scratch.Allocate(conv->ScratchBytes(1))) continue;
      const void* inputs[] = {input.data()};
      void* outputs[] = {result.data()};
      const Timing t = Measure([&] { conv->Run({inputs, outputs, scratch.data(), &pool}); });
      const double macs =
          double(shape.size) * shape.size * shape.channels_out * double(params.depth());
      printf("%-9s bconv2d %dx%d %3dx%-3d %3d -> %3d %-7s %9.1f us %7.1f MAC/cycle (best %.1f)\n",
             IsaName(isa), shape.filter, shape.filter, shape.size, shape.size, shape.channels_in,
             shape.channels_out, DataTypeName(output), t.median * 1e6, macs / (t.median * hertz),
             macs / (t.best * hertz));
    }
  }
}

void BenchmarkQuantize(Isa isa) {
  ThreadPool pool(1);
  for (const int channels : {64, 100, 256}) {
    const Shape in{4, {1, 28, 28, channels}};
    Epilogue signs(channels);
    signs.Bits(0, static_cast<int>(WordsForChannels(channels)), 0, {}, {});
    Elementwise quantize(signs, isa);
    Shape out;
    AlignedBuffer input, result;
    size_t bytes = 0;
    if (!quantize.Resize(&in, &out).ok() || !ByteSize(DataType::kFloat32, in, &bytes)) continue;
    if (!input.AllocateZeroed(bytes) || !result.AllocateZeroed(bytes)) continue;
    AlignedBuffer scratch;
    if (!scratch.Allocate(quantize.ScratchBytes(1))) continue;
    const void* inputs[] = {input.data()};
    void* outputs[] = {result.data()};
    const Timing t = Measure([&] { quantize.Run({inputs, outputs, scratch.data(), &pool}); });
    printf("%-9s quantize 28x28x%-3d %9.1f us %7.1f GB/s\n", IsaName(isa), channels, t.median * 1e6,
           double(bytes) / t.median / 1e9);
  }
}

}  // namespace
}  // namespace tflbnn

int main(int argc, char** argv) {
  using namespace tflbnn;
  const double hertz = CyclesPerSecond(/*trials=*/1000);
  printf("core clock %.2f GHz\n", hertz / 1e9);
  for (const BConv2DEntry& entry : kBConv2DKernels) {
    if (!CpuSupports(entry.isa) || (argc > 1 && strcmp(argv[1], IsaName(entry.isa)) != 0)) continue;
    BenchmarkConv(entry.isa, hertz);
  }
  for (const ElementwiseEntry& entry : kElementwiseKernels) {
    if (!CpuSupports(entry.isa) || (argc > 1 && strcmp(argv[1], IsaName(entry.isa)) != 0)) continue;
    BenchmarkQuantize(entry.isa);
  }
  return 0;
}

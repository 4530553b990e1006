// Measures a model on a phone: what `tflbnn benchmark --adb` copies there and runs.
//
//   tflbnn_benchmark MODEL THREADS RUNS yes|no
//
// yes runs the binary operations on the delegate. One line of JSON on standard output: the kernel,
// the milliseconds of each run after a tenth as many that are not counted, and by how many bytes
// the process's peak memory grew. Needs libtensorflowlite_jni.so, whose C interface it uses, and
// libtflbnn_delegate.so beside it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "c/tflbnn_delegate.h"

// TensorFlow Lite's C interface, as far as it is used here (tensorflow/lite/c/c_api.h).
extern "C" {
struct TfLiteModel;
struct TfLiteInterpreterOptions;
struct TfLiteInterpreter;
struct TfLiteTensor;
TfLiteModel* TfLiteModelCreateFromFile(const char* path);
TfLiteInterpreterOptions* TfLiteInterpreterOptionsCreate();
void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions*, int32_t threads);
void TfLiteInterpreterOptionsAddDelegate(TfLiteInterpreterOptions*, TfLiteDelegate*);
TfLiteInterpreter* TfLiteInterpreterCreate(const TfLiteModel*, const TfLiteInterpreterOptions*);
void TfLiteInterpreterDelete(TfLiteInterpreter*);
int TfLiteInterpreterAllocateTensors(TfLiteInterpreter*);
int TfLiteInterpreterInvoke(TfLiteInterpreter*);
int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter*);
TfLiteTensor* TfLiteInterpreterGetInputTensor(const TfLiteInterpreter*, int32_t index);
int TfLiteTensorType(const TfLiteTensor*);
void* TfLiteTensorData(const TfLiteTensor*);
size_t TfLiteTensorByteSize(const TfLiteTensor*);
}

namespace {

double Milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// The most memory that this process has had, in KiB.
long Peak() {
  char line[128];
  long kib = 0;
  FILE* status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof(line), status)) {
    if (!strncmp(line, "VmHWM:", 6)) kib = strtol(line + 6, nullptr, 10);
  }
  if (status) fclose(status);
  return kib;
}

int Fail(const char* what) {
  printf("{\"error\": \"");
  for (; *what; ++what) printf("%c", *what == '"' || *what == '\\' || *what < ' ' ? '\'' : *what);
  printf("\"}\n");
  return 1;
}

// Noise in [-1, 1] for floats, any bytes for the rest.
void Fill(TfLiteTensor* tensor) {
  constexpr int kFloat32 = 1;
  uint32_t state = 1;
  auto* bytes = static_cast<unsigned char*>(TfLiteTensorData(tensor));
  const size_t size = TfLiteTensorByteSize(tensor);
  const bool floats = TfLiteTensorType(tensor) == kFloat32;
  for (size_t i = 0; i < size; i += floats ? 4 : 1) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    const float value = static_cast<float>(state >> 8) * (2.f / (1 << 24)) - 1.f;
    if (floats) {
      memcpy(bytes + i, &value, sizeof(value));
    } else {
      bytes[i] = static_cast<unsigned char>(state >> 24);
    }
  }
}

int Run(const char* path, int threads, int runs, bool with_delegate) {
  const long before = Peak();
  TfLiteModel* model = TfLiteModelCreateFromFile(path);
  if (!model) return Fail("TensorFlow Lite cannot read the model");
  tflbnn_delegate_options delegate_options = tflbnn_delegate_default_options();
  delegate_options.num_threads = threads;
  TfLiteDelegate* delegate = with_delegate ? tflbnn_delegate_create(&delegate_options) : nullptr;
  if (with_delegate && !delegate) return Fail(tflbnn_delegate_last_error());
  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, threads);
  if (delegate) TfLiteInterpreterOptionsAddDelegate(options, delegate);
  TfLiteInterpreter* interpreter = TfLiteInterpreterCreate(model, options);
  if (!interpreter) {
    const char* reason = tflbnn_delegate_last_error();
    return Fail(*reason
                    ? reason
                    : "TensorFlow Lite cannot run the model: it may have operations that it lacks");
  }
  if (TfLiteInterpreterAllocateTensors(interpreter))
    return Fail("TensorFlow Lite cannot allocate the model's tensors");
  for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter); ++i) {
    Fill(TfLiteInterpreterGetInputTensor(interpreter, i));
  }
  const int unmeasured = 1 + runs / 10;
  for (int i = -unmeasured; i < runs; ++i) {
    const double start = Milliseconds();
    if (TfLiteInterpreterInvoke(interpreter)) return Fail("TensorFlow Lite cannot run the model");
    const double took = Milliseconds() - start;
    if (i == -unmeasured) {
      const char* kernels = delegate ? tflbnn_delegate_kernels() : "";
      printf("{\"kernel\": \"%.*s\", ", static_cast<int>(strcspn(kernels, ",")), kernels);
      printf("\"peak_memory_bytes\": %ld, \"milliseconds\": [", 1024 * (Peak() - before));
    }
    if (i >= 0) printf("%s%.4f", i ? ", " : "", took);
  }
  printf("]}\n");
  TfLiteInterpreterDelete(interpreter);
  tflbnn_delegate_destroy(delegate);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return Fail("usage: tflbnn_benchmark MODEL THREADS RUNS yes|no");
  const int code = Run(argv[1], atoi(argv[2]), atoi(argv[3]), !strcmp(argv[4], "yes"));
  fflush(nullptr);  // stdout is a macro in older versions of Android's library
  return code;
}

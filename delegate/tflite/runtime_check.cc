#include "tflite/runtime_check.h"

namespace tflbnn {
namespace {

// Generous bounds: what a tensor of any release so far can hold in these fields.
constexpr int kMaxType = 64, kMaxAllocationType = 32, kMaxDims = 64;
constexpr size_t kMaxTensors = size_t{1} << 28;

bool Plausible(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  return address >= 4096 && address % alignof(int) == 0;
}

// Plain fields first; a pointer is followed only when they make sense for every tensor.
bool FieldsPlausible(const TfLiteTensor& tensor) {
  return tensor.type >= 0 && tensor.type < kMaxType && tensor.allocation_type >= 0 &&
         tensor.allocation_type < kMaxAllocationType && (!tensor.dims || Plausible(tensor.dims));
}

bool DimsPlausible(const TfLiteTensor& tensor) {
  return !tensor.dims || (tensor.dims->size >= 0 && tensor.dims->size < kMaxDims);
}

// The file gives constants a shape and as many bytes; their agreement shows that both are where we
// read them.
bool SizeAgrees(const TfLiteTensor& tensor) {
  const bool four = tensor.type == kTfLiteFloat32 || tensor.type == kTfLiteInt32;
  if (tensor.allocation_type != kTfLiteMmapRo || !four || !tensor.dims) return true;
  uint64_t bytes = 4;
  for (int i = 0; i < tensor.dims->size; ++i) {
    const int dim = tensor.dims->data[i];
    if (dim < 0 || (dim > 0 && bytes > UINT64_MAX / static_cast<uint64_t>(dim))) return false;
    bytes *= static_cast<uint64_t>(dim);
  }
  return bytes == tensor.bytes;
}

}  // namespace

Status CheckRuntime(const TfLiteContext* context) {
  const Status unknown = Status::Error(
      "this TensorFlow Lite runtime lays out its structures in a way that is not known here. Use "
      "the tensorflow or "
      "ai-edge-litert releases that tflbnn was tested with");
  if (!context->GetExecutionPlan || !context->ResizeTensor || !context->GetNodeAndRegistration ||
      !context->ReplaceNodeSubsetsWithDelegateKernels || !context->impl_ ||
      context->tensors_size > kMaxTensors ||
      (context->tensors_size > 0 && !Plausible(context->tensors))) {
    return unknown;
  }
  for (size_t i = 0; i < context->tensors_size; ++i) {
    if (!FieldsPlausible(context->tensors[i])) return unknown;
  }
  for (size_t i = 0; i < context->tensors_size; ++i) {
    if (!DimsPlausible(context->tensors[i]) || !SizeAgrees(context->tensors[i])) return unknown;
  }
  return Status::Ok();
}

}  // namespace tflbnn

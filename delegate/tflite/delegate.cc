// The TFLite delegate: claims the nodes it can run, and one kernel object for each partition of
// them.
#include "tflite/delegate.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "tflite/fusion/fusion.h"
#include "tflite/int_array.h"
#include "tflite/last_error.h"
#include "tflite/partition.h"
#include "tflite/runtime_check.h"

namespace tflbnn {
namespace {

struct Delegate {
  TfLiteDelegate base;  // first: TFLite's pointer is ours
  Options options;
  std::mutex mutex;  // interpreters in several threads may share the delegate
  std::shared_ptr<SharedState> shared;

  // The number of threads may depend on the first interpreter, so the pool waits for it.
  std::shared_ptr<SharedState> State(int recommended_threads) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!shared) {
      int threads = options.num_threads > 0 ? options.num_threads : recommended_threads;
      threads = std::max(1, std::min(threads, kMaxThreads));
      shared = std::make_shared<SharedState>(options, threads);
    }
    return shared;
  }
};

Delegate* Self(TfLiteDelegate* delegate) { return static_cast<Delegate*>(delegate->data_); }

TfLiteStatus Report(TfLiteContext* context, const Status& status) {
  if (status.ok()) return kTfLiteOk;
  SetLastError(status.message());
  // The Python wheels string reports together as they come.
  context->ReportError(context, "tflbnn: %s\n", status.message().c_str());
  return kTfLiteError;
}

void* KernelInit(TfLiteContext* context, const char* buffer, size_t) {
  const auto& params = *reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  auto partition =
      std::make_unique<Partition>(Self(params.delegate)->State(context->recommended_num_threads));
  if (Report(context, partition->Build(context, params)) != kTfLiteOk)
    return nullptr;  // Prepare then fails
  return partition.release();
}

void KernelFree(TfLiteContext*, void* data) { delete static_cast<Partition*>(data); }

TfLiteStatus KernelPrepare(TfLiteContext* context, TfLiteNode* node) {
  if (!node->user_data) return kTfLiteError;
  return Report(context, static_cast<Partition*>(node->user_data)->Prepare(context));
}

TfLiteStatus KernelInvoke(TfLiteContext* context, TfLiteNode* node) {
  return Report(context, static_cast<Partition*>(node->user_data)->Invoke(context));
}

// Every LCE node, or the reason why one cannot be run (no other implementation would take it), and
// what vanishes into them.
Status ClaimNodes(TfLiteContext* context, const Options& options, std::vector<int>* nodes) {
  TFLBNN_RETURN_IF_ERROR(CheckRuntime(context));
  TfLiteIntArray* memory = nullptr;
  if (context->GetExecutionPlan(context, &memory) != kTfLiteOk || !memory) {
    return Status::Error("the interpreter gives no execution plan");
  }
  const std::vector<int> plan(memory->data, memory->data + memory->size);  // the memory is reused
  Claims claims;
  TFLBNN_RETURN_IF_ERROR(claims.Open(context, plan, options));
  *nodes = claims.Settle();
  return Status::Ok();
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  std::vector<int> nodes;
  if (Report(context, ClaimNodes(context, Self(delegate)->options, &nodes)) != kTfLiteOk)
    return kTfLiteError;
  if (nodes.empty()) return kTfLiteOk;
  const IntArray claimed(nodes);
  if (!claimed.get()) return Report(context, Status::Error("no memory for a list of nodes"));
  TfLiteRegistration registration{};
  registration.init = KernelInit;
  registration.free = KernelFree;
  registration.prepare = KernelPrepare;
  registration.invoke = KernelInvoke;
  registration.custom_name = "TflbnnDelegate";
  registration.version = 1;
  return context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, claimed.get(),
                                                        delegate);
}

}  // namespace

TfLiteDelegate* CreateDelegate(const Options& options) {
  auto* delegate = new (std::nothrow) Delegate{};
  if (!delegate) return nullptr;
  delegate->options = options;
  delegate->base.data_ = delegate;
  delegate->base.Prepare = Prepare;
  // Without it TFLite prepares the graph before us and fails on the first custom operation.
  delegate->base.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &delegate->base;
}

void DestroyDelegate(TfLiteDelegate* delegate) {
  if (delegate) delete Self(delegate);
}

Status ProfileJson(TfLiteDelegate* delegate, std::string* json) {
  Delegate* self = Self(delegate);
  if (!self->options.profile) {
    return Status::Error("this delegate keeps no profile. Create it with the option profile=true");
  }
  std::shared_ptr<SharedState> shared;
  {
    const std::lock_guard<std::mutex> lock(self->mutex);
    shared = self->shared;
  }
  *json = shared ? shared->profiles.Json(shared->pool.size())
                 : Profiles().Json(std::max(1, self->options.num_threads));  // no interpreter yet
  return Status::Ok();
}

}  // namespace tflbnn

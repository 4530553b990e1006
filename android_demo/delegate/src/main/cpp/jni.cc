// The native half of org.tflbnn.delegate.TflbnnDelegate.
#include <jni.h>

#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "c/tflbnn_delegate.h"
#include "core/cpu_features.h"
#include "tflite/abi.h"
#include "tflite/delegate.h"
#include "tflite/options.h"

namespace {

constexpr char kClosed[] = "The delegate is closed. Make a new TflbnnDelegate.";

// What TensorFlow Lite gets the address of. It outlives the delegate proper, which close() frees:
// an interpreter made too late finds this and an error, not freed memory.
struct Handle {
  TfLiteDelegate base;
  TfLiteDelegate* delegate;  // null once closed
  tflbnn::Isa kernel;
  bool profiling;
  std::mutex mutex;
};

Handle* From(jlong address) {
  return static_cast<Handle*>(reinterpret_cast<TfLiteDelegate*>(address)->data_);
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteDelegate* base) {
  auto* handle = static_cast<Handle*>(base->data_);
  const std::lock_guard<std::mutex> lock(handle->mutex);
  if (handle->delegate) return handle->delegate->Prepare(context, handle->delegate);
  context->ReportError(context, "tflbnn: %s", kClosed);
  return kTfLiteError;
}

void Throw(JNIEnv* env, const char* type, const char* message) {
  if (jclass exception = env->FindClass(type)) env->ThrowNew(exception, message);
}

bool Parse(JNIEnv* env, jint threads, jboolean profiling, jstring kernel,
           tflbnn::Options* options) {
  std::vector<const char*> keys, values;
  const auto set = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  const std::string number = std::to_string(threads);
  if (threads != 0) set("num_threads", number.c_str());
  if (profiling) set("profile", "true");
  const char* name = kernel ? env->GetStringUTFChars(kernel, nullptr) : nullptr;
  if (kernel && !name) return false;  // with an OutOfMemoryError
  if (name) set("kernel", name);
  const auto status = tflbnn::ParseOptions(keys.data(), values.data(), keys.size(), options);
  if (name) env->ReleaseStringUTFChars(kernel, name);
  if (!status.ok()) Throw(env, "java/lang/IllegalArgumentException", status.message().c_str());
  return status.ok();
}

jlong Create(JNIEnv* env, jclass, jint threads, jboolean profiling, jstring kernel) {
  tflbnn::Options options;
  if (!Parse(env, threads, profiling, kernel, &options)) return 0;
  TfLiteDelegate* delegate = tflbnn::CreateDelegate(options);
  auto* handle = delegate ? new (std::nothrow)
                                Handle{*delegate, delegate, options.kernel, options.profile, {}}
                          : nullptr;
  if (!handle) {
    tflbnn::DestroyDelegate(delegate);
    Throw(env, "java/lang/OutOfMemoryError", "no memory for a delegate");
    return 0;
  }
  handle->base.data_ = handle;
  handle->base.Prepare = Prepare;
  return reinterpret_cast<jlong>(&handle->base);
}

void Close(JNIEnv*, jclass, jlong address) {
  Handle* handle = From(address);
  const std::lock_guard<std::mutex> lock(handle->mutex);
  tflbnn::DestroyDelegate(handle->delegate);
  handle->delegate = nullptr;
}

void Free(JNIEnv*, jclass, jlong address) {
  Handle* handle = From(address);
  tflbnn::DestroyDelegate(handle->delegate);
  delete handle;
}

jstring Kernel(JNIEnv* env, jclass, jlong address) {
  return env->NewStringUTF(tflbnn::IsaName(From(address)->kernel));
}

jstring Profile(JNIEnv* env, jobject, jlong address) {
  Handle* handle = From(address);
  const std::lock_guard<std::mutex> lock(handle->mutex);
  std::string json;
  const char* error = !handle->delegate ? kClosed
                      : !handle->profiling
                          ? "The delegate keeps no profile. Set Options.setProfiling(true)."
                          : nullptr;
  if (!error && tflbnn::ProfileJson(handle->delegate, &json).ok())
    return env->NewStringUTF(json.c_str());
  Throw(env, "java/lang/IllegalStateException", error);
  return nullptr;
}

jstring Version(JNIEnv* env, jclass) { return env->NewStringUTF(tflbnn_delegate_version()); }

jobjectArray Kernels(JNIEnv* env, jclass) {
  std::vector<const char*> names;
  for (tflbnn::Isa isa : tflbnn::kAllIsas) {
    if (tflbnn::CpuSupports(isa)) names.push_back(tflbnn::IsaName(isa));
  }
  jclass type = env->FindClass("java/lang/String");
  jobjectArray array =
      type ? env->NewObjectArray(static_cast<jsize>(names.size()), type, nullptr) : nullptr;
  for (size_t i = 0; array && i < names.size(); ++i) {
    jstring name = env->NewStringUTF(names[i]);
    if (!name) return nullptr;  // with an OutOfMemoryError
    env->SetObjectArrayElement(array, static_cast<jsize>(i), name);
  }
  return array;
}

template <typename Function>
JNINativeMethod Method(const char* name, const char* signature, Function* function) {
  // jni.h asks for pointers to characters that it does not change.
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

}  // namespace

// Named here and in consumer-rules.pro; R8 must rename neither the class nor its methods.
extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  JNIEnv* env = nullptr;
  if (vm->GetEnv(reinterpret_cast<void**>(&env), JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  const JNINativeMethod methods[] = {
      Method("create", "(IZLjava/lang/String;)J", Create),
      Method("close", "(J)V", Close),
      Method("free", "(J)V", Free),
      Method("kernel", "(J)Ljava/lang/String;", Kernel),
      Method("profile", "(J)Ljava/lang/String;", Profile),
      Method("version", "()Ljava/lang/String;", Version),
      Method("kernels", "()[Ljava/lang/String;", Kernels),
  };
  jclass type = env->FindClass("org/tflbnn/delegate/TflbnnDelegate");
  const jint count = sizeof(methods) / sizeof(methods[0]);
  return type && env->RegisterNatives(type, methods, count) == JNI_OK ? JNI_VERSION_1_6 : JNI_ERR;
}

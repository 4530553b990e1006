// org.tflbnn.delegate.Xnnpack: what TensorFlow Lite's own library exports.
#include <dlfcn.h>
#include <jni.h>
#include <stddef.h>
#include <stdint.h>

// The beginning of TfLiteXNNPackDelegateOptions; later releases have more fields, and this has room for them.
typedef struct {
  int32_t num_threads;
  char rest[252];
} Options;

static void* Find(const char* name) { return dlsym(dlopen("libtensorflowlite_jni.so", RTLD_NOLOAD | RTLD_NOW), name); }

JNIEXPORT jlong JNICALL Java_org_tflbnn_delegate_Xnnpack_create(JNIEnv* env, jclass type, jint threads) {
  (void)env, (void)type;
  Options options = ((Options(*)(void))Find("TfLiteXNNPackDelegateOptionsDefault"))();
  options.num_threads = threads;
  return (jlong)((void* (*)(const Options*))Find("TfLiteXNNPackDelegateCreate"))(&options);
}

JNIEXPORT void JNICALL Java_org_tflbnn_delegate_Xnnpack_destroy(JNIEnv* env, jclass type, jlong handle) {
  (void)env, (void)type;
  ((void (*)(void*))Find("TfLiteXNNPackDelegateDelete"))((void*)handle);
}

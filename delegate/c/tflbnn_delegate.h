/* The tflbnn delegate for TensorFlow Lite: runs the binary operations of Larq Compute Engine models
 * (LceQuantize, LceDequantize, LceBconv2d, LceBMaxPool2d) in an unmodified interpreter. C99, C11
 * and C++.
 *
 *   tflbnn_delegate_options options = tflbnn_delegate_default_options();
 *   options.num_threads = 2;
 *   struct TfLiteDelegate* delegate = tflbnn_delegate_create(&options);
 *   if (!delegate) puts(tflbnn_delegate_last_error());
 *   TfLiteInterpreterOptionsAddDelegate(interpreter_options, delegate);
 *   ...
 *   tflbnn_delegate_destroy(delegate);
 *
 * A delegate may serve several interpreters, in several threads, and may be destroyed before them.
 */
#ifndef TFLBNN_DELEGATE_H_
#define TFLBNN_DELEGATE_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(_WIN32)
#define TFLBNN_EXPORT __attribute__((visibility("default")))
#elif defined(TFLBNN_BUILDING_DELEGATE)
#define TFLBNN_EXPORT __declspec(dllexport)
#else
#define TFLBNN_EXPORT __declspec(dllimport)
#endif

struct TfLiteDelegate;

/* From tflbnn_delegate_default_options(); a field at zero stands for its default. */
typedef struct tflbnn_delegate_options {
  size_t size; /* of this structure as the caller knows it; later versions may add fields */
  /* 1 to 256; 0: what the first interpreter was told to use. */
  int num_threads;
  /* Truth values. profile: record how long each operation takes, for tflbnn_delegate_profile().
   * verify: run the reference kernels beside every operation, on the same inputs; the first
   * difference is an error of the interpreter's Invoke. Slow. */
  int profile;
  int verify;
  /* One that tflbnn_delegate_kernels() lists, or "auto". Null: the environment variable
   * TFLBNN_KERNEL, or auto. */
  const char* kernel;
  /* What else than LCE's operations is taken: "all", "none", or names separated by commas, each
   * with a - in front to leave it out, from left to right: batch_norm, concat, residual, gate,
   * prelu, quantize, blur, pool. Null: all. */
  const char* fusion;
} tflbnn_delegate_options;

static inline tflbnn_delegate_options tflbnn_delegate_default_options(void) {
  tflbnn_delegate_options options = {sizeof(tflbnn_delegate_options), 0, 0, 0, NULL, NULL};
  return options;
}

/* Null where an option is unknown or impossible; tflbnn_delegate_last_error() says which. Null
 * options are the defaults. */
TFLBNN_EXPORT struct TfLiteDelegate* tflbnn_delegate_create(const tflbnn_delegate_options* options);
TFLBNN_EXPORT void tflbnn_delegate_destroy(struct TfLiteDelegate* delegate);

/* Why the last of this thread's calls that could fail did so, be it one of these functions or the
 * delegate within the interpreter's; one line, empty when the last of these functions succeeded.
 * Valid until this thread's next call. */
TFLBNN_EXPORT const char* tflbnn_delegate_last_error(void);

TFLBNN_EXPORT const char* tflbnn_delegate_version(void);

/* The kernel sets this processor can run, comma-separated, best first. */
TFLBNN_EXPORT const char* tflbnn_delegate_kernels(void);

/* Writes how long each operation of the interpreters that now use the delegate takes, as one JSON
 * object, cut to `size` bytes with its terminating zero. Returns the length of the whole text
 * without that zero, or -1 where the delegate was created without `profile`. The length changes
 * with the figures: where a returned length is not below `size`, call again with more room.
 * delegate/README.md describes the object. */
TFLBNN_EXPORT ptrdiff_t tflbnn_delegate_profile(struct TfLiteDelegate* delegate, char* buffer,
                                                size_t size);

/* Writes the processor's instruction set extensions, comma-separated, and returns the length that
 * the text has, without its terminating zero, which may be more than `size` could hold. */
TFLBNN_EXPORT int tflbnn_cpu_features(char* buffer, size_t size);

/* TFLite's interface of external delegates. Keys and values are the options above by their names,
 * as strings; profile and verify are "true" or "false". */
TFLBNN_EXPORT struct TfLiteDelegate* tflite_plugin_create_delegate(
    const char* const* keys, const char* const* values, size_t count,
    void (*report_error)(const char*));
TFLBNN_EXPORT void tflite_plugin_destroy_delegate(struct TfLiteDelegate* delegate);

#ifdef __cplusplus
}
#endif

#endif /* TFLBNN_DELEGATE_H_ */

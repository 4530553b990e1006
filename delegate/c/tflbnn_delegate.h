/* The tflbnn delegate for TensorFlow Lite: runs the binary operations of Larq Compute Engine models
 * (LceQuantize, LceDequantize, LceBconv2d, LceBMaxPool2d) in an unmodified interpreter.
 *
 *   const char* keys[] = {"num_threads"};
 *   const char* values[] = {"2"};
 *   struct TfLiteDelegate* delegate = tflbnn_delegate_create(keys, values, 1);
 *   if (!delegate) puts(tflbnn_delegate_last_error());
 *   TfLiteInterpreterOptionsAddDelegate(options, delegate);
 *   ...
 *   tflbnn_delegate_destroy(delegate);
 *
 * A delegate may serve several interpreters, in several threads, and may be destroyed before them.
 *
 * Options, all strings:
 *   num_threads   1 to 256; by default what the first interpreter was told to use
 *   kernel        auto (the default, or the environment variable TFLBNN_KERNEL), or one that
 *                 tflbnn_delegate_kernels() lists
 *   fusion        all (the default), none, or names separated by commas, each with a - in front to
 *                 leave it out: batch_norm, concat, residual, gate, prelu, quantize, blur, pool
 */
#ifndef TFLBNN_DELEGATE_H_
#define TFLBNN_DELEGATE_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define TFLBNN_EXPORT __declspec(dllexport)
#else
#define TFLBNN_EXPORT __attribute__((visibility("default")))
#endif

struct TfLiteDelegate;

/* Null where an option is unknown or impossible; tflbnn_delegate_last_error() says which. */
TFLBNN_EXPORT struct TfLiteDelegate* tflbnn_delegate_create(const char* const* keys,
                                                            const char* const* values,
                                                            size_t count);
TFLBNN_EXPORT void tflbnn_delegate_destroy(struct TfLiteDelegate* delegate);

/* Why the last creation in this process failed, one line; empty when none did. Valid until the next
 * creation. */
TFLBNN_EXPORT const char* tflbnn_delegate_last_error(void);

TFLBNN_EXPORT const char* tflbnn_delegate_version(void);

/* The kernel sets this processor can run, comma-separated, best first. */
TFLBNN_EXPORT const char* tflbnn_delegate_kernels(void);

/* Writes the processor's instruction set extensions, comma-separated, and returns the length that
 * the text has, without its terminating zero, which may be more than `size` could hold. */
TFLBNN_EXPORT int tflbnn_cpu_features(char* buffer, size_t size);

/* TFLite's interface of external delegates. */
TFLBNN_EXPORT struct TfLiteDelegate* tflite_plugin_create_delegate(
    const char* const* keys, const char* const* values, size_t count,
    void (*report_error)(const char*));
TFLBNN_EXPORT void tflite_plugin_destroy_delegate(struct TfLiteDelegate* delegate);

#ifdef __cplusplus
}
#endif

#endif /* TFLBNN_DELEGATE_H_ */

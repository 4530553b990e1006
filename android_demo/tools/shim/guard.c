// Preloaded on AArch64: keeps the word at 40 bytes behind the thread pointer, which Android's
// compilers take for the stack guard, in a block that nobody writes.
__thread char tflbnn_guard[256] __attribute__((tls_model("initial-exec"), aligned(16)));
char* tflbnn_guard_address(void) { return tflbnn_guard; }

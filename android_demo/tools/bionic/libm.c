// An empty library by the name of Android's, for the linker to record.
int tflbnn_libm_stub;

// Android's libm.so and libdl.so: what they hold is in glibc, and libc.so of the shim names it.
int tflbnn_shim;

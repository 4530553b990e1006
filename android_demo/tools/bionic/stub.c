// A library by the name of Android's libm.so or libdl.so, for the linker to record, with what Android's C library has
// under names that musl's has not.
char __sF[1];
void __errno(void) {}
void __libc_init(void) {}

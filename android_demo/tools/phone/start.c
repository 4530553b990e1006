// Where a program begins that is linked without the NDK's start files: what is on the stack goes to
// Android's C library, which calls main. The dynamic linker runs constructors; there are no
// destructors to tell it of.
#include <stddef.h>

int main(int argc, char** argv, char** environment);

typedef struct {
  void (**lists[3])(void);
  size_t counts[3];
} Structors;

void __libc_init(void* stack, void (*on_exit)(void), int (*main_function)(int, char**, char**),
                 const Structors* structors);

__attribute__((used, visibility("hidden"))) void tflbnn_start(void* stack) {
  static const Structors none;
  __libc_init(stack, NULL, main, &none);
}

__asm__(
    ".text\n.globl _tflbnn_start\n.type _tflbnn_start,%function\n_tflbnn_start:\n"
#if defined(__aarch64__)
    "  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  b tflbnn_start\n"
#elif defined(__arm__)
    "  mov fp, #0\n  mov lr, #0\n  mov r0, sp\n  and sp, r0, #-16\n  b tflbnn_start\n"
#elif defined(__x86_64__)
    "  xorl %ebp, %ebp\n  movq %rsp, %rdi\n  andq $-16, %rsp\n  call tflbnn_start\n  hlt\n"
#else
    "  xorl %ebp, %ebp\n  movl %esp, %eax\n  andl $-16, %esp\n  subl $12, %esp\n  pushl %eax\n  "
    "call tflbnn_start\n  hlt\n"
#endif
);

// What Zig's C++ library takes from musl and Android's libraries lack, in part or in older
// versions. Built with -fno-builtin: the compiler must not make a function here of itself.
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))

int* __errno(void);
HIDDEN int* __errno_location(void) { return __errno(); }

// From API level 28 on.
HIDDEN void* aligned_alloc(size_t alignment, size_t size) {
  void* memory = NULL;
  if (alignment < sizeof(void*)) alignment = sizeof(void*);
  return posix_memalign(&memory, alignment, size) ? NULL : memory;
}

// A macro in some of its versions.
HIDDEN int bcmp(const void* a, const void* b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) return 1;
  }
  return 0;
}

// The exceptions in flight, one record a thread, which libc++abi keeps in thread-local storage of
// ELF. The delegate is compiled without exceptions: what is thrown within libc++ ends the process,
// and needs a place only.
HIDDEN void* __cxa_get_globals_fast(void) {
  static struct {
    void* caught;
    unsigned uncaught;
  } globals;
  return &globals;
}
HIDDEN void* __cxa_get_globals(void) { return __cxa_get_globals_fast(); }

// Thread-local variables without those of ELF: the compiler describes each and asks here where a thread's own is.
typedef struct {
  size_t size, alignment;
  uintptr_t key;  // of pthreads, plus 1
  const void* initial;
} ThreadLocal;

HIDDEN void* __emutls_get_address(ThreadLocal* variable) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_key_t key = 0;
  pthread_mutex_lock(&mutex);
  if (variable->key == 0) {
    if (pthread_key_create(&key, free)) abort();
    variable->key = (uintptr_t)key + 1;
  }
  key = (pthread_key_t)(variable->key - 1);
  pthread_mutex_unlock(&mutex);
  void* value = pthread_getspecific(key);
  if (!value) {
    value = calloc(1, variable->size);  // aligned for any scalar type
    if (!value || pthread_setspecific(key, value)) abort();
    if (variable->initial) memcpy(value, variable->initial, variable->size);
  }
  return value;
}

// A variable from API level 23 on only; before, the third element of an array of structures.
extern char __sF[];
HIDDEN void* const standard_error __asm__("stderr") = __sF + 2 * (sizeof(void*) == 8 ? 152 : 84);

// What libc++ would print before it ends the process takes a demangler.
HIDDEN _Noreturn void __abort_message(const char* format, ...) {
  (void)format;
  abort();
}
HIDDEN char* __cxa_demangle(const char* name, char* buffer, size_t* size, int* status) {
  (void)name, (void)buffer, (void)size;
  if (status) *status = -1;
  return NULL;
}

#if __SIZEOF_POINTER__ == 4
// musl's time has 64 bits on 32-bit processors, Android's 32.
struct timespec32 {
  long seconds, nanoseconds;
};
int clock_gettime32(int clock, struct timespec32* time) __asm__("clock_gettime");
HIDDEN int __clock_gettime64(
    int clock, struct {
      long long seconds;
      long nanoseconds;
    } * time) {
  struct timespec32 narrow;
  const int result = clock_gettime32(clock, &narrow);
  time->seconds = narrow.seconds;
  time->nanoseconds = narrow.nanoseconds;
  return result;
}
#endif

// The functions of Android's C library that differ from glibc's by name, arguments or constants.
// trampolines.py sends the rest to glibc as they are.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int* shim___errno(void) { return __errno_location(); }

// stdin, stdout and stderr are elements of an array of structures of 152 bytes.
enum { kFile = 152 };
char shim___sF[3 * kFile];
__asm__(".symver shim___sF,__sF@LIBC");

static FILE* File(void* file) {
  const ptrdiff_t offset = (char*)file - shim___sF;
  return offset == 0 ? stdin : offset == kFile ? stdout : offset == 2 * kFile ? stderr : file;
}

int shim_vfprintf(void* file, const char* format, va_list values) {
  return vfprintf(File(file), format, values);
}
int shim_fprintf(void* file, const char* format, ...) {
  va_list values;
  va_start(values, format);
  const int result = vfprintf(File(file), format, values);
  va_end(values);
  return result;
}
int shim_fputc(int character, void* file) { return fputc(character, File(file)); }
size_t shim_fwrite(const void* data, size_t size, size_t count, void* file) {
  return fwrite(data, size, count, File(file));
}
int shim_fflush(void* file) { return fflush(file ? File(file) : NULL); }
int shim_fileno(void* file) { return fileno(File(file)); }
int shim_fclose(void* file) { return fclose(File(file)); }

size_t shim___strlen_chk(const char* text, size_t size) {
  (void)size;
  return strlen(text);
}

// The variant of POSIX, not of GNU.
int __xpg_strerror_r(int error, char* buffer, size_t size);
int shim_strerror_r(int error, char* buffer, size_t size) {
  return __xpg_strerror_r(error, buffer, size);
}

long shim_sysconf(int name) {
  switch (name) {
    case 39:
    case 40:
      return sysconf(_SC_PAGESIZE);
    case 96:
      return sysconf(_SC_NPROCESSORS_CONF);
    case 97:
      return sysconf(_SC_NPROCESSORS_ONLN);
    case 98:
      return sysconf(_SC_PHYS_PAGES);
    case 99:
      return sysconf(_SC_AVPHYS_PAGES);
    default:
      fprintf(stderr, "shim: sysconf(%d) of Android is not known here\n", name);
      return -1;
  }
}

// glibc's mutex has 48 bytes on AArch64 and its initialization writes all of them; Android's
// has 40.
int shim_pthread_mutex_init(void* mutex, const void* attributes) {
  if (attributes) {
    fputs("shim: attributes of a mutex are not known here\n", stderr);
    abort();
  }
  memset(mutex, 0, 40);
  return 0;
}

void shim_android_set_abort_message(const char* message) {
  fprintf(stderr, "abort: %s\n", message);
}

int shim___system_property_get(const char* name, char* value) {
  (void)name;
  *value = 0;
  return 0;
}

typedef struct {
  void (**before)(void);
  void (**start)(void);
  void (**end)(void);
} Structors;

// Where a program begins: Android's start file passes the stack as the kernel filled it.
void shim___libc_init(void* stack, void (*on_exit)(void), int (*main_function)(int, char**, char**),
                      const Structors* structors) {
  (void)on_exit, (void)structors;  // the dynamic linker has run the constructors
  const long argc = *(long*)stack;
  char** argv = (char**)stack + 1;
  exit(main_function((int)argc, argv, argv + argc + 1));
}

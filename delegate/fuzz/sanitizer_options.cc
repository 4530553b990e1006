// A model's sizes may ask for any amount of memory. Refusing large blocks, as a system out of
// memory would, shows both that the delegate reports it and that nothing else grows with a number
// in a file: C++'s own containers cannot report it.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=256";
}
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=256";
}
extern "C" __attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

// tflite/abi.h against the official headers, whose layout abi_layout.inc holds.
#include "tflite/abi.h"

#include "tests/testing.h"

namespace {

// Where we declare less of a structure than there is (TfLiteContext), or leave room for more, only
// its beginning counts.
constexpr bool SizeMatters(const char* name) {
  for (const char* partial : {"TfLiteContext", "TfLiteRegistration", "TfLiteDelegate"}) {
    const char* a = name;
    const char* b = partial;
    while (*a && *a == *b) ++a, ++b;
    if (*a == *b) return false;
  }
  return true;
}

#define ABI_VALUE(name, value) static_assert(static_cast<int>(name) == (value), #name);
#if UINTPTR_MAX > 0xFFFFFFFF
#define ABI_SIZE(type, size) static_assert(!SizeMatters(#type) || sizeof(type) == (size), #type);
#define ABI_FIELD(type, field, offset) \
  static_assert(offsetof(type, field) == (offset), #type "::" #field);
#else
#define ABI_SIZE(type, size)
#define ABI_FIELD(type, field, offset)
#endif
#include "tests/abi_layout.inc"
#undef ABI_VALUE
#undef ABI_SIZE
#undef ABI_FIELD

TEST(TheLayoutIsThatOfTheOfficialHeaders) {
  int checked = 0;
#define ABI_VALUE(name, value) ++checked;
#define ABI_SIZE(type, size) ++checked;
#define ABI_FIELD(type, field, offset) ++checked;
#include "tests/abi_layout.inc"
  CHECK(checked > 80);  // the table is there; the assertions above compared it
}

}  // namespace

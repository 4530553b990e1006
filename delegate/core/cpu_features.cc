#include "core/cpu_features.h"

#if (defined(__aarch64__) || defined(__arm__)) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace tflbnn {

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kReference:
      return "reference";
    case Isa::kScalar:
      return "scalar";
    case Isa::kNeon:
      return "neon";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

bool CpuSupports(Isa isa) {
  switch (isa) {
    case Isa::kReference:
    case Isa::kScalar:
      return true;
#if defined(__x86_64__)
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2");
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vpopcntdq");
#elif defined(__aarch64__)
    case Isa::kNeon:
      return true;  // part of the base architecture
#elif defined(__arm__) && defined(__linux__)
    case Isa::kNeon:
      return getauxval(AT_HWCAP) & 1ul << 12;  // HWCAP_NEON
#endif
    default:
      return false;
  }
}

Isa BestIsa() {
  for (Isa isa : kAllIsas) {
    if (CpuSupports(isa)) return isa;
  }
  return Isa::kScalar;
}

std::string CpuFeatureNames() {
  std::string names;
  auto add = [&names](bool present, const char* name) {
    if (!present) return;
    if (!names.empty()) names += ",";
    names += name;
  };
#if defined(__x86_64__)
  add(__builtin_cpu_supports("sse4.2"), "sse4.2");
  add(__builtin_cpu_supports("popcnt"), "popcnt");
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512dq"), "avx512dq");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  add(__builtin_cpu_supports("avx512bitalg"), "avx512bitalg");
  add(__builtin_cpu_supports("avx512vpopcntdq"), "avx512vpopcntdq");
#elif defined(__aarch64__)
  add(true, "neon");
#if defined(__linux__)
  const unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
  add(caps & (1ul << 20), "dotprod");  // HWCAP_ASIMDDP
  add(caps & (1ul << 22), "sve");      // HWCAP_SVE
  add(caps2 & (1ul << 1), "sve2");     // HWCAP2_SVE2
  add(caps2 & (1ul << 13), "i8mm");    // HWCAP2_I8MM
  add(caps2 & (1ul << 23), "sme");     // HWCAP2_SME
#endif
#elif defined(__arm__)
  add(CpuSupports(Isa::kNeon), "neon");
#endif
  return names;
}

}  // namespace tflbnn

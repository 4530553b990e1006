#include "core/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#elif (defined(__aarch64__) || defined(__arm__)) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace tflbnn {
#if defined(__x86_64__)
namespace {

// What the processor has and the system saves. By hand: the compilers' __builtin_cpu_supports needs
// a library of theirs that not every platform has.
struct X86 {
  bool sse42, popcnt, avx, avx2, fma, avx512f, avx512bw, avx512dq, avx512vl, avx512vnni,
      avx512bitalg, avx512vpopcntdq;

  X86() {
    // Registers of CPUID, Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A.
    uint32_t a = 0, b = 0, c = 0, d = 0, b7 = 0, c7 = 0, saved = 0, high;
    __get_cpuid(1, &a, &b, &c, &d);
    __get_cpuid_count(7, 0, &a, &b7, &c7, &d);
    const auto bit = [](uint32_t word, int index) { return (word >> index & 1) != 0; };
    if (bit(c, 27)) asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    const bool ymm = (saved & 0x06) == 0x06, zmm = (saved & 0xE6) == 0xE6;
    sse42 = bit(c, 20);
    popcnt = bit(c, 23);
    avx = ymm && bit(c, 28);
    avx2 = avx && bit(b7, 5);
    fma = avx && bit(c, 12);
    avx512f = avx && zmm && bit(b7, 16);
    avx512dq = avx512f && bit(b7, 17);
    avx512bw = avx512f && bit(b7, 30);
    avx512vl = avx512f && bit(b7, 31);
    avx512vnni = avx512f && bit(c7, 11);
    avx512bitalg = avx512f && bit(c7, 12);
    avx512vpopcntdq = avx512f && bit(c7, 14);
  }
};

const X86& TheX86() {
  static const X86 features;
  return features;
}

}  // namespace
#endif

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
      return TheX86().avx2 && TheX86().fma;
    case Isa::kAvx512:
      return TheX86().avx512bw && TheX86().avx512vl && TheX86().avx512dq &&
             TheX86().avx512vpopcntdq;
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
  const X86& x86 = TheX86();
  add(x86.sse42, "sse4.2");
  add(x86.popcnt, "popcnt");
  add(x86.avx, "avx");
  add(x86.avx2, "avx2");
  add(x86.fma, "fma");
  add(x86.avx512f, "avx512f");
  add(x86.avx512bw, "avx512bw");
  add(x86.avx512dq, "avx512dq");
  add(x86.avx512vl, "avx512vl");
  add(x86.avx512vnni, "avx512vnni");
  add(x86.avx512bitalg, "avx512bitalg");
  add(x86.avx512vpopcntdq, "avx512vpopcntdq");
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

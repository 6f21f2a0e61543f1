#include "internal.h"

#if KL_X86

static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

#if defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Has the processor tiles, and does the system let this process use them? Asking again changes nothing.
static bool has_amx(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
  unsigned a, b, c, d;
  if (!has_avx512() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  if (!(d & AMX_BF16) || !(d & AMX_TILE)) return false;
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}

#else

static bool has_amx(void) { return false; }

#endif

#elif KL_ARM && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

static bool has_dot_products(void) { return getauxval(AT_HWCAP) & HWCAP_ASIMDDP; }

#elif KL_ARM && defined(__APPLE__)

static bool has_dot_products(void) { return true; }  // since A13 and M1

#elif KL_ARM

static bool has_dot_products(void) { return false; }

#endif

bool kl_isa_supported(kl_isa isa) {
  switch (isa) {
    case KL_SCALAR:
      return true;
#if KL_X86
    case KL_AVX2:
      return has_avx2();
    case KL_AVX512:
      return has_avx512();
    case KL_AMX:
      return has_amx();
#elif KL_ARM
    case KL_NEON:
      return has_dot_products();
#endif
    default:
      return false;
  }
}

kl_isa kl_isa_best(void) {
  const kl_isa order[] = {KL_AMX, KL_AVX512, KL_AVX2, KL_NEON};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; ++i) {
    if (kl_isa_supported(order[i])) return order[i];
  }
  return KL_SCALAR;
}

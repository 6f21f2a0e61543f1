#include "internal.h"

#if KL_ARM && defined(__linux__)
#include <sys/auxv.h>
#elif KL_ARM && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

bool kl_isa_supported(kl_isa isa) {
  switch (isa) {
    case KL_SCALAR:
      return true;
    default:
      return false;
  }
}

kl_isa kl_isa_best(void) {
  const kl_isa order[] = {KL_AVX512, KL_AVX2, KL_NEON};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; ++i) {
    if (kl_isa_supported(order[i])) return order[i];
  }
  return KL_SCALAR;
}

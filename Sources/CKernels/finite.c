#include "internal.h"

bool kl_all_finite(kl_isa isa, const float *x, size_t n) {
  uint32_t found = 0;
  for (size_t i = 0; i < n; ++i) found |= (uint32_t)((kl_bits(x[i]) & 0x7f800000) == 0x7f800000);
  return found == 0;
}

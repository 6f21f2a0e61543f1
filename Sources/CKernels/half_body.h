#include "lanes.h"

static KL_TARGET void KL_NAME(to_half)(kl_half type, const float *x, size_t n, uint16_t *out) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore_half(type, out + i, vload(x + i));
  to_half_scalar(type, x + i, n - i, out + i);
}

static KL_TARGET void KL_NAME(from_half)(kl_half type, const uint16_t *x, size_t n, float *out) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore(out + i, vload_half(type, x + i));
  from_half_scalar(type, x + i, n - i, out + i);
}

#include "lanes.h"

KL_VECTOR vf KL_NAME(silu)(vf x) { return x / (vsplat(1) + vexp(vsplat(0) - x)); }

KL_VECTOR vf KL_NAME(gelu)(vf x) {
  const vf u = vsplat(GELU_SLOPE) * vfma(vsplat(GELU_CUBE) * x * x, x, x);
  return x / (vsplat(1) + vexp(vsplat(-2) * u));
}

static KL_TARGET void KL_NAME(swiglu)(float *gate, const float *up, size_t n) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore(gate + i, KL_NAME(silu)(vload(gate + i)) * vload(up + i));
  const size_t left = n - i;
  if (left == 0) return;
  const vf product = KL_NAME(silu)(vload_first(gate + i, left, 0)) * vload_first(up + i, left, 0);
  vstore_first(gate + i, product, left);
}

static KL_TARGET void KL_NAME(geglu)(float *gate, const float *up, size_t n) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore(gate + i, KL_NAME(gelu)(vload(gate + i)) * vload(up + i));
  const size_t left = n - i;
  if (left == 0) return;
  const vf product = KL_NAME(gelu)(vload_first(gate + i, left, 0)) * vload_first(up + i, left, 0);
  vstore_first(gate + i, product, left);
}

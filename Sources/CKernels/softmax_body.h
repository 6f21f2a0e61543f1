#include "lanes.h"

static KL_TARGET void KL_NAME(block)(float *scores, size_t n, float *maximum, float *sum, float *acc,
                                     size_t width) {
  const size_t whole = n / KL_LANES * KL_LANES, left = n - whole;
  vf highs = vsplat(*maximum);
  for (size_t i = 0; i < whole; i += KL_LANES) highs = vmax(vload(scores + i), highs);
  if (left > 0) highs = vmax(vload_first(scores + whole, left, -INFINITY), highs);
  const float high = vhighest(highs);
  const vf base = vsplat(high == -INFINITY ? 0 : high);
  if (high > *maximum) {
    const vf rescale = vexp(vsplat(*maximum) - vsplat(high));
    float factor[KL_LANES];
    vstore(factor, rescale);
    *maximum = high;
    *sum *= factor[0];
    size_t d = 0;
    for (; d + KL_LANES <= width; d += KL_LANES) vstore(acc + d, vload(acc + d) * rescale);
    for (; d < width; ++d) acc[d] *= factor[0];
  }
  vf total = vsplat(0);
  for (size_t i = 0; i < whole; i += KL_LANES) {
    const vf weight = vexp(vload(scores + i) - base);
    vstore(scores + i, weight);
    total = total + weight;
  }
  if (left > 0) {
    const vf weight = vexp(vload_first(scores + whole, left, -INFINITY) - base);
    vstore_first(scores + whole, weight, left);
    total = total + weight;
  }
  *sum += vsum(total);
}

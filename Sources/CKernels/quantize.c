#include "internal.h"

/// Sets the scale of a group; false when all its codes are 0. A group below 2^-100 has scale 0, as 127 / amax must
/// not overflow; one with an infinity or NaN has scale NaN, which every product takes on.
KL_INLINE bool group_scale(float amax, bool finite, float *scale) {
  const bool usable = finite && amax >= 0x1p-100f;
  *scale = usable ? amax / 127 : finite ? 0 : NAN;
  return usable;
}

static void quantize_scalar(const float *x, size_t groups, int8_t *codes, float *scales, float *sums) {
  for (size_t g = 0; g < groups; ++g, x += KL_GROUP, codes += KL_GROUP) {
    float amax = 0;
    bool finite = true;
    for (size_t i = 0; i < KL_GROUP; ++i) {
      amax = fabsf(x[i]) > amax ? fabsf(x[i]) : amax;
      finite &= fabsf(x[i]) < INFINITY;
    }
    int32_t total = 0;
    if (group_scale(amax, finite, scales + g)) {
      const float inverse = 127 / amax;
      for (size_t i = 0; i < KL_GROUP; ++i) {
        codes[i] = (int8_t)rintf(x[i] * inverse);
        total += codes[i];
      }
    } else {
      memset(codes, 0, KL_GROUP);
    }
    sums[g] = scales[g] * (float)total;
  }
}

#define KL_BODY "quantize_body.h"
#include "bodies.h"

void kl_quantize_activations(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX,
                             int8_t *codes, float *scales, float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    const size_t i = t * groups;
    KL_DISPATCH(isa, quantize, x + t * strideX, groups, codes + i * KL_GROUP, scales + i, sums + i);
  }
}

#include "internal.h"

static void quantize_group(const float *x, int8_t *codes, float *scale, float *sum) {
  // The bits of |x| order like |x|, with infinity and NaN above every number.
  uint32_t largest = 0;
  for (size_t i = 0; i < KL_GROUP; ++i) {
    const uint32_t magnitude = kl_bits(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  const float amax = kl_float(largest);
  if (!(amax >= 0x1p-100f && amax < INFINITY)) {
    memset(codes, 0, KL_GROUP);
    *scale = *sum = largest >= 0x7f800000 ? NAN : 0;
    return;
  }
  const float inverse = 127 / amax;
  int32_t total = 0;
  for (size_t i = 0; i < KL_GROUP; ++i) {
    const int32_t code = (int32_t)rintf(x[i] * inverse);
    codes[i] = (int8_t)code;
    total += code;
  }
  *scale = amax / 127;
  *sum = *scale * (float)total;
}

void kl_quantize_activations(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX,
                             int8_t *codes, float *scales, float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t g = 0; g < groups; ++g) {
      const size_t i = t * groups + g;
      quantize_group(x + t * strideX + g * KL_GROUP, codes + i * KL_GROUP, scales + i, sums + i);
    }
  }
}

// Floats of 4 and 8 bits: magnitudes to codes, round to nearest, ties to even, and back. Subnormals as IEEE has them.
#ifndef CKERNELS_MINIFLOAT_H
#define CKERNELS_MINIFLOAT_H

#include "internal.h"

/// A format: bits of the fraction, bias of the exponent, the largest finite value.
typedef struct {
  int fraction, bias;
  float largest;
} minifloat;

static const minifloat E4M3 = {3, 7, 448}, E5M2 = {2, 15, 57344}, E2M1 = {1, 1, 6};

/// The code without its sign of a finite magnitude; what is beyond the largest becomes the largest.
KL_INLINE uint32_t minifloat_code(minifloat format, float magnitude) {
  const float x = magnitude < format.largest ? magnitude : format.largest;
  const bool subnormal = x < kl_float((uint32_t)(127 + 1 - format.bias) << 23);
  // Subnormals are multiples of 2^(1 - bias - fraction).
  const float steps = (subnormal ? x : 0) * kl_float((uint32_t)(127 - 1 + format.bias + format.fraction) << 23);
  const uint32_t small = (uint32_t)(int32_t)rintf(steps);
  const int shift = 23 - format.fraction;
  const uint32_t bits = kl_bits(x);
  const uint32_t rounded = (bits + (((uint32_t)1 << shift) / 2 - 1) + (bits >> shift & 1)) >> shift;
  const uint32_t normal = rounded - ((uint32_t)(127 - format.bias) << format.fraction);
  return subnormal ? small : normal;
}

/// The value of a finite code without its sign.
KL_INLINE float minifloat_value(minifloat format, uint32_t code) {
  const float small = (float)(int32_t)code * kl_float((uint32_t)(127 + 1 - format.bias - format.fraction) << 23);
  const float normal = kl_float((code << (23 - format.fraction)) + ((uint32_t)(127 - format.bias) << 23));
  return code >> format.fraction == 0 ? small : normal;
}

/// Largest magnitude of `n` elements; +infinity or NaN where there is an infinity or NaN.
KL_INLINE float largest_magnitude(const float *x, size_t n) {
  // Magnitudes compare as integers do, and NaN is the largest.
  uint32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t magnitude = kl_bits(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return kl_float(largest);
}

#endif

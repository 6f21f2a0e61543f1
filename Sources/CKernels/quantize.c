#include "internal.h"

/// A group whose largest magnitude is below this has scale 0 and codes 0: 127 / amax must not overflow. A group
/// that holds an infinity or NaN has scale NaN, which every product takes on.
#define SMALLEST_AMAX 0x1p-100f

static void quantize_group(const float *x, int8_t *codes, float *scale, float *sum) {
  // The bits of |x| order like |x|, with infinity and NaN above every number.
  uint32_t largest = 0;
  for (size_t i = 0; i < KL_GROUP; ++i) {
    const uint32_t magnitude = kl_bits(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  const float amax = kl_float(largest);
  if (!(amax >= SMALLEST_AMAX && amax < INFINITY)) {
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

#if KL_X86

/// The same arithmetic, operation by operation, so codes, scales and sums are those of the scalar body.
KL_INLINE KL_TARGET_AVX512 void quantize_group_avx512(const float *x, int8_t *codes, float *scale, float *sum) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512 v[4];
  __m512i largest = _mm512_setzero_si512();
  KL_UNROLL for (int i = 0; i < 4; ++i) {
    v[i] = _mm512_loadu_ps(x + 16 * i);
    largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(v[i]), magnitude));
  }
  const uint32_t bits = _mm512_reduce_max_epu32(largest);
  const float amax = kl_float(bits);
  if (!(amax >= SMALLEST_AMAX && amax < INFINITY)) {
    memset(codes, 0, KL_GROUP);
    *scale = *sum = bits >= 0x7f800000 ? NAN : 0;
    return;
  }
  const __m512 inverse = _mm512_set1_ps(127 / amax);
  __m512i total = _mm512_setzero_si512();
  KL_UNROLL for (int i = 0; i < 4; ++i) {
    const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(v[i], inverse));
    total = _mm512_add_epi32(total, code);
    _mm_storeu_si128((__m128i *)(codes + 16 * i), _mm512_cvtepi32_epi8(code));
  }
  *scale = amax / 127;
  *sum = *scale * (float)_mm512_reduce_add_epi32(total);
}

static KL_TARGET_AVX512 void quantize_avx512(const float *x, size_t groups, int8_t *codes, float *scales,
                                             float *sums) {
  for (size_t g = 0; g < groups; ++g) {
    quantize_group_avx512(x + g * KL_GROUP, codes + g * KL_GROUP, scales + g, sums + g);
  }
}

#endif

static void quantize_scalar(const float *x, size_t groups, int8_t *codes, float *scales, float *sums) {
  for (size_t g = 0; g < groups; ++g) {
    quantize_group(x + g * KL_GROUP, codes + g * KL_GROUP, scales + g, sums + g);
  }
}

void kl_quantize_activations(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX,
                             int8_t *codes, float *scales, float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    const float *row = x + t * strideX;
    const size_t i = t * groups;
    switch (isa) {
#if KL_X86
      case KL_AVX512:
        quantize_avx512(row, groups, codes + i * KL_GROUP, scales + i, sums + i);
        break;
#endif
      default:
        quantize_scalar(row, groups, codes + i * KL_GROUP, scales + i, sums + i);
    }
  }
}

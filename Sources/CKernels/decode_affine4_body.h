#include "lanes.h"

#if KL_LANES != 16  // AVX-512 has bodies of its own

#define vcodes KL_NAME(vcodes)
#define vsplit KL_NAME(vsplit)
#define vdot KL_NAME(vdot)

/// The even and odd columns of a group of 4-bit codes.
#if KL_LANES == 8
typedef struct {
  __m256i even, odd;
} vcodes;

KL_VECTOR vcodes vsplit(const uint8_t packed[32]) {
  const __m256i both = _mm256_loadu_si256((const __m256i *)packed), low = _mm256_set1_epi8(15);
  return (vcodes){_mm256_and_si256(both, low), _mm256_and_si256(_mm256_srli_epi16(both, 4), low)};
}

/// Whole numbers that add up to the dot product of a group; q holds 32 even columns, then 32 odd ones.
KL_VECTOR vf vdot(vcodes k, const int8_t q[KL_GROUP]) {
  const __m256i even = _mm256_maddubs_epi16(k.even, _mm256_loadu_si256((const __m256i *)q));
  const __m256i odd = _mm256_maddubs_epi16(k.odd, _mm256_loadu_si256((const __m256i *)(q + 32)));
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(_mm256_add_epi16(even, odd), _mm256_set1_epi16(1)));
}
#else
typedef struct {
  int8x16_t even[2], odd[2];
} vcodes;

KL_VECTOR vcodes vsplit(const uint8_t packed[32]) {
  vcodes out;
  KL_UNROLL for (int i = 0; i < 2; ++i) {
    const uint8x16_t both = vld1q_u8(packed + 16 * i);
    out.even[i] = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
    out.odd[i] = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
  }
  return out;
}

KL_VECTOR vf vdot(vcodes k, const int8_t q[KL_GROUP]) {
  int32x4_t dot = vdupq_n_s32(0);
  KL_UNROLL for (int i = 0; i < 2; ++i) {
    dot = vdotq_s32(dot, k.even[i], vld1q_s8(q + 16 * i));
    dot = vdotq_s32(dot, k.odd[i], vld1q_s8(q + 32 + 16 * i));
  }
  return vcvtq_f32_s32(dot);
}
#endif

/// Scores of T ≤ 4 rows against one head whose codes lie as `vdot` wants them.
KL_VECTOR void KL_NAME(affine4_dots)(kl_half type, const int8_t *q, const float *qScales, const float *qSums,
                                     const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                                     size_t groups, int T, float *scores) {
  vf acc[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
  float offsets[4] = {0};
  for (size_t g = 0; g < groups; ++g) {
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const size_t i = (size_t)t * groups + g;
      const float scale = kl_float_from_half(type, scales[i]) * qScales[g];
      const vcodes k = vsplit(codes + i * (KL_GROUP / 2));
      acc[t] = vfma(vdot(k, q + g * KL_GROUP), vsplat(scale), acc[t]);
      offsets[t] += kl_float_from_half(type, biases[i]) * qSums[g];
    }
  }
  float sums[4];
  vsum4(acc[0], acc[1], acc[2], acc[3], sums);
  for (int t = 0; t < T; ++t) scores[t] = sums[t] + offsets[t];
}

static KL_TARGET void KL_NAME(scores)(kl_half type, const int8_t *qCodes, const float *qScales,
                                      const float *qSums, size_t heads, const uint8_t *codes,
                                      const uint16_t *scales, const uint16_t *biases, size_t n, size_t width,
                                      float *scoresOut, size_t strideS) {
  enum { CHUNK = 64 };  // rows that stay in the first-level cache for all heads
  const size_t groups = width / KL_GROUP;
  if (width > MAX_WIDTH) {
    scores_scalar(type, qCodes, qScales, qSums, heads, codes, scales, biases, n, width, scoresOut, strideS);
    return;
  }
  for (size_t first = 0; first < n; first += CHUNK) {
    const size_t end = kl_min(n, first + CHUNK);
    for (size_t h = 0; h < heads; ++h) {
      int8_t q[MAX_WIDTH];
      for (size_t d = 0; d < width; ++d) {
        q[d / KL_GROUP * KL_GROUP + d % 2 * (KL_GROUP / 2) + d % KL_GROUP / 2] = qCodes[h * width + d];
      }
      const float *scale = qScales + h * groups, *sum = qSums + h * groups;
      size_t i = first;
      for (; i + 4 <= end; i += 4) {
        KL_NAME(affine4_dots)(type, q, scale, sum, codes + i * width / 2, scales + i * groups, biases + i * groups,
                              groups, 4, scoresOut + h * strideS + i);
      }
      for (; i < end; ++i) {
        KL_NAME(affine4_dots)(type, q, scale, sum, codes + i * width / 2, scales + i * groups, biases + i * groups,
                              groups, 1, scoresOut + h * strideS + i);
      }
    }
  }
}

static KL_TARGET void KL_NAME(accumulate)(kl_half type, const float *p, size_t strideP, size_t heads,
                                          const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                                          size_t n, size_t width, float *out, size_t strideO) {
  enum { CHUNK = 32 };  // rows of one group that are opened for all heads
  const size_t groups = width / KL_GROUP;
  float values[CHUNK][KL_GROUP];
  for (size_t first = 0; first < n; first += CHUNK) {
    const size_t count = kl_min(CHUNK, n - first);
    for (size_t g = 0; g < groups; ++g) {
      for (size_t t = 0; t < count; ++t) {
        const size_t i = (first + t) * groups + g;
        const vf scale = vsplat(kl_float_from_half(type, scales[i]));
        const vf bias = vsplat(kl_float_from_half(type, biases[i]));
        for (size_t d = 0; d < KL_GROUP; d += 16) {
          vf q[16 / KL_LANES];
          vload_nibbles(codes + i * (KL_GROUP / 2) + d / 2, q);
          KL_UNROLL for (size_t v = 0; v < 16 / KL_LANES; ++v) {
            vstore(values[t] + d + v * KL_LANES, vfma(q[v], scale, bias));
          }
        }
      }
      kl_accumulate_f32(KL_LANES == 8 ? KL_AVX2 : KL_NEON, p + first, strideP, heads, values[0], count, KL_GROUP,
                        out + g * KL_GROUP, strideO);
    }
  }
}

#endif

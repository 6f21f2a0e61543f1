#include "internal.h"

// Decode attention on packed 4-bit rows, group 64.

enum { MAX_WIDTH = 1024 };  // wider rows take the scalar body

// MARK: Scalar

static void scores_scalar(kl_half type, const int8_t *qCodes, const float *qScales, const float *qSums,
                          size_t heads, const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                          size_t n, size_t width, float *scores, size_t strideS) {
  const size_t groups = width / KL_GROUP;
  for (size_t i = 0; i < n; ++i) {
    for (size_t h = 0; h < heads; ++h) scores[h * strideS + i] = 0;
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t *row = codes + (i * groups + g) * (KL_GROUP / 2);
      const float scale = kl_float_from_half(type, scales[i * groups + g]);
      const float bias = kl_float_from_half(type, biases[i * groups + g]);
      for (size_t h = 0; h < heads; ++h) {
        const int8_t *q = qCodes + (h * groups + g) * KL_GROUP;
        int32_t dot = 0;
        for (size_t b = 0; b < KL_GROUP / 2; ++b) {
          dot += (row[b] & 15) * q[2 * b] + (row[b] >> 4) * q[2 * b + 1];
        }
        scores[h * strideS + i] += scale * qScales[h * groups + g] * (float)dot + bias * qSums[h * groups + g];
      }
    }
  }
}

static void accumulate_scalar(kl_half type, const float *p, size_t strideP, size_t heads, const uint8_t *codes,
                              const uint16_t *scales, const uint16_t *biases, size_t n, size_t width,
                              float *out, size_t strideO) {
  const size_t groups = width / KL_GROUP;
  for (size_t i = 0; i < n; ++i) {
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t *row = codes + (i * groups + g) * (KL_GROUP / 2);
      const float scale = kl_float_from_half(type, scales[i * groups + g]);
      const float bias = kl_float_from_half(type, biases[i * groups + g]);
      float v[KL_GROUP];
      for (size_t b = 0; b < KL_GROUP / 2; ++b) {
        v[2 * b] = scale * (float)(row[b] & 15) + bias;
        v[2 * b + 1] = scale * (float)(row[b] >> 4) + bias;
      }
      for (size_t h = 0; h < heads; ++h) {
        float *o = out + h * strideO + g * KL_GROUP;
        for (size_t d = 0; d < KL_GROUP; ++d) o[d] += p[h * strideP + i] * v[d];
      }
    }
  }
}

// MARK: SIMD

#if KL_X86
#include "decode_affine4_avx512.h"
#include "decode_affine4_scores_avx512.h"
#include "decode_affine4_values_avx512.h"
#endif

#define KL_BODY "decode_affine4_body.h"
#include "bodies.h"

// MARK: Dispatch

void kl_scores_affine4(kl_isa isa, kl_half type, const int8_t *qCodes, const float *qScales,
                       const float *qSums, size_t heads, const uint8_t *codes, const uint16_t *scales,
                       const uint16_t *biases, size_t n, size_t width, float *scores, size_t strideS) {
  KL_DISPATCH(isa, scores, type, qCodes, qScales, qSums, heads, codes, scales, biases, n, width, scores, strideS);
}

void kl_accumulate_affine4(kl_isa isa, kl_half type, const float *p, size_t strideP, size_t heads,
                           const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                           size_t n, size_t width, float *out, size_t strideO) {
  KL_DISPATCH(isa, accumulate, type, p, strideP, heads, codes, scales, biases, n, width, out, strideO);
}

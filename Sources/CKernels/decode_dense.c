#include "internal.h"

// Decode attention on dense rows: f32 and halves.

typedef enum { F32, F16, BF16 } element;

KL_INLINE size_t element_bytes(element type) { return type == F32 ? 4 : 2; }

KL_INLINE element half_element(kl_half type) { return type == KL_F16 ? F16 : BF16; }

KL_INLINE float element_at(element type, const void *x, size_t i) {
  if (type == F32) return ((const float *)x)[i];
  return kl_float_from_half(type == F16 ? KL_F16 : KL_BF16, ((const uint16_t *)x)[i]);
}

static void scores_scalar(element type, const float *q, size_t strideQ, size_t heads, const void *k, size_t n,
                          size_t width, float *scores, size_t strideS) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t h = 0; h < heads; ++h) {
      float sum = 0;
      for (size_t d = 0; d < width; ++d) sum += q[h * strideQ + d] * element_at(type, k, i * width + d);
      scores[h * strideS + i] = sum;
    }
  }
}

static void accumulate_scalar(element type, const float *p, size_t strideP, size_t heads, const void *v,
                              size_t n, size_t width, float *out, size_t strideO) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t h = 0; h < heads; ++h) {
      const float weight = p[h * strideP + i];
      for (size_t d = 0; d < width; ++d) out[h * strideO + d] += weight * element_at(type, v, i * width + d);
    }
  }
}

#define KL_BODY "decode_dense_body.h"
#include "bodies.h"

void kl_scores_f32(kl_isa isa, const float *q, size_t strideQ, size_t heads, const float *k, size_t n,
                   size_t width, float *scores, size_t strideS) {
  KL_DISPATCH(isa, scores, F32, q, strideQ, heads, k, n, width, scores, strideS);
}

void kl_accumulate_f32(kl_isa isa, const float *p, size_t strideP, size_t heads, const float *v,
                       size_t n, size_t width, float *out, size_t strideO) {
  KL_DISPATCH(isa, accumulate, F32, p, strideP, heads, v, n, width, out, strideO);
}

void kl_scores_half(kl_isa isa, kl_half type, const float *q, size_t strideQ, size_t heads,
                    const uint16_t *k, size_t n, size_t width, float *scores, size_t strideS) {
  KL_DISPATCH(isa, scores, half_element(type), q, strideQ, heads, k, n, width, scores, strideS);
}

void kl_accumulate_half(kl_isa isa, kl_half type, const float *p, size_t strideP, size_t heads,
                        const uint16_t *v, size_t n, size_t width, float *out, size_t strideO) {
  KL_DISPATCH(isa, accumulate, half_element(type), p, strideP, heads, v, n, width, out, strideO);
}

#include "internal.h"

// Decode attention on dense rows: f32 and halves.

void kl_scores_f32(kl_isa isa, const float *q, size_t strideQ, size_t heads, const float *k, size_t n,
                   size_t width, float *scores, size_t strideS) {
  for (size_t h = 0; h < heads; ++h) {
    for (size_t i = 0; i < n; ++i) {
      float sum = 0;
      for (size_t d = 0; d < width; ++d) sum += q[h * strideQ + d] * k[i * width + d];
      scores[h * strideS + i] = sum;
    }
  }
}

void kl_accumulate_f32(kl_isa isa, const float *p, size_t strideP, size_t heads, const float *v,
                       size_t n, size_t width, float *out, size_t strideO) {
  for (size_t h = 0; h < heads; ++h) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t d = 0; d < width; ++d) out[h * strideO + d] += p[h * strideP + i] * v[i * width + d];
    }
  }
}

void kl_scores_half(kl_isa isa, kl_half type, const float *q, size_t strideQ, size_t heads,
                    const uint16_t *k, size_t n, size_t width, float *scores, size_t strideS) {
  for (size_t h = 0; h < heads; ++h) {
    for (size_t i = 0; i < n; ++i) {
      float sum = 0;
      for (size_t d = 0; d < width; ++d) {
        sum += q[h * strideQ + d] * kl_float_from_half(type, k[i * width + d]);
      }
      scores[h * strideS + i] = sum;
    }
  }
}

void kl_accumulate_half(kl_isa isa, kl_half type, const float *p, size_t strideP, size_t heads,
                        const uint16_t *v, size_t n, size_t width, float *out, size_t strideO) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t h = 0; h < heads; ++h) {
      for (size_t d = 0; d < width; ++d) {
        out[h * strideO + d] += p[h * strideP + i] * kl_float_from_half(type, v[i * width + d]);
      }
    }
  }
}

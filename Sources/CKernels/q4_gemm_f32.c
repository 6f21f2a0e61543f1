#include "q4.h"

static void gemm_scalar(kl_half type, const kl_q4_record *panels, size_t rows, size_t groups, size_t panel0,
                        size_t panel1, const float *x, size_t strideX, size_t tokens, float *y,
                        size_t strideY) {
  for (size_t row = panel0 * KL_PANEL_ROWS; row < kl_min(rows, panel1 * KL_PANEL_ROWS); ++row) {
    const kl_q4_record *records = panels + row / KL_PANEL_ROWS * groups;
    const size_t r = row % KL_PANEL_ROWS;
    for (size_t t = 0; t < tokens; ++t) y[t * strideY + row] = 0;
    for (size_t g = 0; g < groups; ++g) {
      uint8_t q[KL_GROUP];
      float w[KL_GROUP];
      kl_q4_row_codes(records + g, r, q);
      const float scale = kl_float_from_half(type, records[g].scales[r]);
      const float bias = kl_float_from_half(type, records[g].biases[r]);
      for (size_t c = 0; c < KL_GROUP; ++c) w[c] = scale * (float)q[c] + bias;
      for (size_t t = 0; t < tokens; ++t) {
        const float *token = x + t * strideX + g * KL_GROUP;
        float sum = y[t * strideY + row];
        for (size_t c = 0; c < KL_GROUP; ++c) sum += w[c] * token[c];
        y[t * strideY + row] = sum;
      }
    }
  }
}

/// Groups that are opened at once, to 16 KiB at most, and tokens whose activations stay in the second-level cache:
/// few, because rows of activations are often a power of two apart and then share cache sets.
enum { BLOCK_GROUPS = 2, BLOCK_TOKENS = 64 };

#define KL_BODY "q4_gemm_f32_body.h"
#include "bodies.h"

void kl_q4_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                    size_t panel0, size_t panel1, const float *x, size_t strideX, size_t tokens,
                    float *y, size_t strideY) {
  const kl_q4_record *records = (const kl_q4_record *)panels;
  KL_DISPATCH(isa, gemm, type, records, rows, cols / KL_GROUP, panel0, panel1, x, strideX, tokens, y, strideY);
}

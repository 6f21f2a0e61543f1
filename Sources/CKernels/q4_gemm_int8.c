#include "q4.h"

static void gemm_scalar(kl_half type, const kl_q4_record *panels, size_t rows, size_t groups, size_t panel0,
                        size_t panel1, const int8_t *codes, const float *scales, const float *sums,
                        size_t tokens, float *y, size_t strideY) {
  for (size_t row = panel0 * KL_PANEL_ROWS; row < kl_min(rows, panel1 * KL_PANEL_ROWS); ++row) {
    const kl_q4_record *records = panels + row / KL_PANEL_ROWS * groups;
    const size_t r = row % KL_PANEL_ROWS;
    for (size_t t = 0; t < tokens; ++t) y[t * strideY + row] = 0;
    for (size_t g = 0; g < groups; ++g) {
      uint8_t q[KL_GROUP];
      kl_q4_row_codes(records + g, r, q);
      const float scale = kl_float_from_half(type, records[g].scales[r]);
      const float bias = kl_float_from_half(type, records[g].biases[r]);
      for (size_t t = 0; t < tokens; ++t) {
        const int8_t *x = codes + (t * groups + g) * KL_GROUP;
        int32_t dot = 0;
        for (size_t c = 0; c < KL_GROUP; ++c) dot += q[c] * x[c];
        float *out = y + t * strideY + row;
        *out += scale * scales[t * groups + g] * (float)dot;
        *out += bias * sums[t * groups + g];
      }
    }
  }
}

void kl_q4_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                     size_t panel0, size_t panel1, const int8_t *codes, const float *scales,
                     const float *sums, size_t tokens, float *y, size_t strideY) {
  const kl_q4_record *records = (const kl_q4_record *)panels;
  const size_t groups = cols / KL_GROUP;
  gemm_scalar(type, records, rows, groups, panel0, panel1, codes, scales, sums, tokens, y, strideY);
}

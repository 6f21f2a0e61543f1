#include "inputs.h"
#include "q4.h"

static void gemm_scalar(kl_half type, const kl_q4_record *panels, size_t rows, const kl_inputs x,
                        size_t tokens, size_t panel0, size_t panel1, float *y, size_t strideY) {
  for (size_t row = panel0 * KL_PANEL_ROWS; row < kl_min(rows, panel1 * KL_PANEL_ROWS); ++row) {
    const kl_q4_record *records = panels + row / KL_PANEL_ROWS * x.groups;
    const size_t r = row % KL_PANEL_ROWS;
    for (size_t t = 0; t < tokens; ++t) y[t * strideY + row] = 0;
    for (size_t g = 0; g < x.groups; ++g) {
      uint8_t q[KL_GROUP];
      kl_q4_row_codes(records + g, r, q);
      const float scale = kl_float_from_half(type, records[g].scales[r]);
      const float bias = kl_float_from_half(type, records[g].biases[r]);
      for (size_t t = 0; t < tokens; ++t) {
        const size_t i = t * x.groups + g;
        const kl_input_record *input = x.records + i;
        int32_t dot = 0;
        for (size_t s = 0; s < KL_SPILLS; ++s) {
          for (size_t j = 0; j < 4; ++j) dot += q[4 * input->words[s] + j] * input->spills[s][j];
        }
        dot *= 1 << KL_SPILL_SHIFT;
        for (size_t c = 0; c < KL_GROUP; ++c) dot += q[c] * input->codes[c];
        y[t * strideY + row] += scale * x.scales[i] * (float)dot;
        y[t * strideY + row] += bias * x.sums[i];
      }
    }
  }
}

#if KL_X86
#include "q4_gemm_int8_avx512.h"
#include "q4_gemm_int8_avx2.h"
#elif KL_ARM
#include "q4_gemm_int8_neon.h"
#endif

void kl_q4_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                     size_t panel0, size_t panel1, const uint8_t *records, const float *scales,
                     const float *sums, size_t tokens, float *y, size_t strideY) {
  const kl_inputs x = {(const kl_input_record *)records, scales, sums, cols / KL_GROUP};
  KL_DISPATCH(isa, gemm, type, (const kl_q4_record *)panels, rows, x, tokens, panel0, panel1, y, strideY);
}

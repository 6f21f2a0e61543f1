#include "inputs.h"

void kl_quantize_input_pairs(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX, uint8_t *records,
                             float *scales, float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t g = 0; g < groups; ++g) {
      const float *group = x + t * strideX + g * KL_GROUP;
      const size_t i = 2 * t * groups + g, j = i + groups;
      const kl_input_record *record = (kl_input_record *)records + i;
      kl_quantize_inputs(isa, group, 1, KL_GROUP, KL_GROUP, records + i * KL_INPUT_RECORD, scales + i, sums + i);
      float left[KL_GROUP];
      for (size_t c = 0; c < KL_GROUP; ++c) left[c] = (float)record->codes[c];
      for (size_t s = 0; s < KL_SPILLS; ++s) {
        for (size_t c = 0; c < 4; ++c) left[4 * record->words[s] + c] += (float)(record->spills[s][c] * (1 << KL_SPILL_SHIFT));
      }
      for (size_t c = 0; c < KL_GROUP; ++c) left[c] = group[c] - scales[i] * left[c];
      kl_quantize_inputs(isa, left, 1, KL_GROUP, KL_GROUP, records + j * KL_INPUT_RECORD, scales + j, sums + j);
    }
  }
}

typedef void gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0, size_t panel1,
                       const uint8_t *records, const float *scales, const float *sums, size_t tokens, float *y, size_t strideY);

/// A few panels at a time, so that they are read once, and a few tokens, whose sums lie on the stack.
enum { PAIR_PANELS = 4, PAIR_TOKENS = 8, PAIR_ROWS = PAIR_PANELS * KL_PANEL_ROWS };

static void pairs(gemm_int8 *gemm, size_t record, kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                  size_t panel0, size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens,
                  float *y, size_t strideY) {
  const size_t groups = cols / KL_GROUP;
  float out[2 * PAIR_TOKENS * PAIR_ROWS];
  for (size_t p = panel0; p < panel1; p += PAIR_PANELS) {
    const size_t first = p * KL_PANEL_ROWS, count = kl_min(panel1 - p, PAIR_PANELS);
    const size_t live = kl_min(rows - first, count * KL_PANEL_ROWS);
    for (size_t t = 0; t < tokens; t += PAIR_TOKENS) {
      const size_t some = kl_min(tokens - t, PAIR_TOKENS), i = 2 * t * groups;
      gemm(isa, type, panels + p * groups * record, rows - first, cols, 0, count, records + i * KL_INPUT_RECORD, scales + i, sums + i,
           2 * some, out, PAIR_ROWS);
      for (size_t k = 0; k < some; ++k) {
        const float *a = out + 2 * k * PAIR_ROWS, *b = a + PAIR_ROWS;
        for (size_t r = 0; r < live; ++r) y[(t + k) * strideY + first + r] = a[r] + b[r];
      }
    }
  }
}

void kl_q4_gemm_int8_pairs(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                           size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens, float *y,
                           size_t strideY) {
  pairs(kl_q4_gemm_int8, KL_Q4_RECORD, isa, type, panels, rows, cols, panel0, panel1, records, scales, sums, tokens, y, strideY);
}

void kl_q8_gemm_int8_pairs(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                           size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens, float *y,
                           size_t strideY) {
  pairs(kl_q8_gemm_int8, KL_Q8_RECORD, isa, type, panels, rows, cols, panel0, panel1, records, scales, sums, tokens, y, strideY);
}

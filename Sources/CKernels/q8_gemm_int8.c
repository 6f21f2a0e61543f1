#include "inputs.h"
#include "q8.h"

/// P panels, x.groups records apart, against all tokens over `groups` groups, added to sums [tokens, P, 16]. In every
/// body each (row, token) takes the same float operations in the same order, whatever the number of tokens.
static void tiles_scalar(kl_half type, const kl_q8_record *records, size_t P, const kl_inputs x, size_t tokens,
                         size_t groups, float *sums) {
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t p = 0; p < P; ++p) {
      for (size_t g = 0; g < groups; ++g) {
        const kl_q8_record *record = records + p * x.groups + g;
        const size_t i = t * x.groups + g;
        const kl_input_record *input = x.records + i;
        for (size_t r = 0; r < KL_PANEL_ROWS; ++r) {
          int32_t dot = 0;
          for (size_t s = 0; s < KL_SPILLS; ++s) {
            const uint8_t *q = record->codes[input->words[s]] + 4 * r;
            for (size_t c = 0; c < 4; ++c) dot += q[c] * input->spills[s][c];
          }
          dot *= 1 << KL_SPILL_SHIFT;
          for (size_t c = 0; c < KL_GROUP; ++c) dot += record->codes[c / 4][4 * r + c % 4] * input->codes[c];
          float *sum = sums + (t * P + p) * KL_PANEL_ROWS + r;
          *sum += kl_float_from_half(type, record->scales[r]) * x.scales[i] * (float)dot;
          *sum += kl_float_from_half(type, record->biases[r]) * x.sums[i];
        }
      }
    }
  }
}

#if KL_X86
#include "q8_gemm_int8_avx512.h"
#include "q8_gemm_int8_avx2.h"
#elif KL_ARM
#include "q8_gemm_int8_neon.h"
#endif

/// The activations of a block of tokens stay in the second-level cache, the groups of two panels that are at work in
/// the first. Few tokens go through all groups at once.
enum { BLOCK_TOKENS = 256, BLOCK_GROUPS = 8, FEW_TOKENS = 6 };

void kl_q8_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens,
                     float *y, size_t strideY) {
  const size_t all = cols / KL_GROUP;
  float out[2 * BLOCK_TOKENS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  for (size_t t = 0; t < tokens; t += BLOCK_TOKENS) {
    const size_t count = kl_min(tokens - t, BLOCK_TOKENS), step = count <= FEW_TOKENS ? all : BLOCK_GROUPS;
    for (size_t p = panel0; p < panel1; p += 2) {
      const size_t P = kl_min(panel1 - p, 2);
      memset(out, 0, count * P * KL_PANEL_ROWS * sizeof(float));
      for (size_t g = 0; g < all; g += step) {
        const size_t groups = kl_min(all - g, step), i = t * all + g;
        const kl_inputs x = {(const kl_input_record *)records + i, scales + i, sums + i, all};
        KL_DISPATCH(isa, tiles, type, (const kl_q8_record *)panels + p * all + g, P, x, count, groups, out);
      }
      for (size_t j = 0; j < count * P; ++j) {
        const size_t row = (p + j % P) * KL_PANEL_ROWS;
        memcpy(y + (t + j / P) * strideY + row, out + j * KL_PANEL_ROWS,
               kl_min(rows - row, KL_PANEL_ROWS) * sizeof(float));
      }
    }
  }
}

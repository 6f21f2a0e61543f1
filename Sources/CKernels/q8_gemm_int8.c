#include "q8.h"

/// Activations as kl_quantize_activations leaves them.
typedef struct {
  const int8_t *codes;  // [tokens, groups, 64]
  const float *scales;  // [tokens, groups]
  const float *sums;    // [tokens, groups]
  size_t groups;
} activations;

KL_INLINE activations from_token(activations x, size_t t) {
  return (activations){x.codes + t * x.groups * KL_GROUP, x.scales + t * x.groups, x.sums + t * x.groups, x.groups};
}

/// P panels, x.groups records apart, against all tokens over `groups` groups, added to sums [tokens, P, 16]. In every
/// body each (row, token) takes the same float operations in the same order, whatever the number of tokens.
static void tiles_scalar(kl_half type, const kl_q8_record *records, size_t P, const activations x, size_t tokens,
                         size_t groups, float *sums) {
  for (size_t t = 0; t < tokens; ++t) {
    for (size_t p = 0; p < P; ++p) {
      for (size_t g = 0; g < groups; ++g) {
        const kl_q8_record *record = records + p * x.groups + g;
        const size_t i = t * x.groups + g;
        for (size_t r = 0; r < KL_PANEL_ROWS; ++r) {
          int32_t dot = 0;
          for (size_t c = 0; c < KL_GROUP; ++c) dot += record->codes[c / 4][4 * r + c % 4] * x.codes[i * KL_GROUP + c];
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
                     size_t panel1, const int8_t *codes, const float *scales, const float *sums, size_t tokens,
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
        const activations x = {codes + i * KL_GROUP, scales + i, sums + i, all};
        const kl_q8_record *records = (const kl_q8_record *)panels + p * all + g;
        KL_DISPATCH(isa, tiles, type, records, P, x, count, groups, out);
      }
      for (size_t j = 0; j < count * P; ++j) {
        const size_t row = (p + j % P) * KL_PANEL_ROWS;
        memcpy(y + (t + j / P) * strideY + row, out + j * KL_PANEL_ROWS,
               kl_min(rows - row, KL_PANEL_ROWS) * sizeof(float));
      }
    }
  }
}

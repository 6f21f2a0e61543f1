// Products with quantized weights in bfloat16: the prefill of processors that have tiles (AMX).
//
// Weights are dequantized to bfloat16 a block at a time; sums are f32. The scalar body does the same arithmetic.
#include "amx.h"
#include "q4.h"
#include "q8.h"

/// How weights are kept.
typedef enum { AFFINE4, AFFINE8 } storage;

size_t kl_bf16_rows_size(size_t tokens, size_t cols) { return kl_round_up(tokens, 16) * kl_round_up(cols, 32); }

/// Where column c of token t lies in packed rows.
KL_INLINE size_t packed_index(size_t t, size_t c, size_t cols) {
  return (t / 16 * (cols / 32) + c / 32) * 512 + t % 16 * 32 + c % 32;
}

void kl_bf16_rows_pack(kl_isa isa, const float *x, size_t row0, size_t count, size_t cols, size_t strideX,
                       uint16_t *packed) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < cols; c += 32) {
      kl_f32_to_half(isa, KL_BF16, x + i * strideX + c, 32, packed + packed_index(row0 + i, c, cols));
    }
  }
}

// MARK: Scalar

/// A weight in bfloat16, rounded as the tiles have it.
static float weight_scalar(float scale, float bias, uint8_t q, float offset) {
  const float w = fmaf(scale, (float)q + offset, fmaf(-offset, scale, bias));
  return kl_float((kl_bits(w) + 0x8000) & 0xffff0000);
}

static void gemm_scalar(storage kind, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                        size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y, size_t strideY) {
  const size_t groups = cols / KL_GROUP;
  for (size_t row = panel0 * KL_PANEL_ROWS; row < kl_min(rows, panel1 * KL_PANEL_ROWS); ++row) {
    const size_t r = row % KL_PANEL_ROWS, first = row / KL_PANEL_ROWS * groups;
    for (size_t t = 0; t < tokens; ++t) y[t * strideY + row] = 0;
    for (size_t g = 0; g < groups; ++g) {
      uint8_t q[KL_GROUP];
      const uint16_t *scales, *biases;
      if (kind == AFFINE4) {
        const kl_q4_record *record = (const kl_q4_record *)panels + first + g;
        kl_q4_row_codes(record, r, q);
        scales = record->scales;
        biases = record->biases;
      } else {
        const kl_q8_record *record = (const kl_q8_record *)panels + first + g;
        for (size_t c = 0; c < KL_GROUP; ++c) q[c] = record->codes[c / 4][4 * r + c % 4];
        scales = record->scales;
        biases = record->biases;
      }
      const float scale = kl_float_from_half(type, scales[r]), bias = kl_float_from_half(type, biases[r]);
      float w[KL_GROUP];
      for (size_t c = 0; c < KL_GROUP; ++c) w[c] = weight_scalar(scale, bias, q[c], kind == AFFINE4 ? 128 : 256);
      for (size_t t = 0; t < tokens; ++t) {
        float sum = 0;
        for (size_t c = 0; c < KL_GROUP; ++c) {
          sum += w[c] * kl_float((uint32_t)x[packed_index(token0 + t, g * KL_GROUP + c, cols)] << 16);
        }
        y[t * strideY + row] += sum;
      }
    }
  }
}

#if KL_X86
#include "gemm_bf16_amx.h"
#endif

static void gemm(kl_isa isa, storage kind, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                 size_t panel0, size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y,
                 size_t strideY) {
#if KL_X86
  if (isa == KL_AMX) {
    gemm_amx(kind, type, panels, rows, cols, panel0, panel1, x, token0, tokens, y, strideY);
    return;
  }
#endif
  (void)isa;
  gemm_scalar(kind, type, panels, rows, cols, panel0, panel1, x, token0, tokens, y, strideY);
}

void kl_q4_gemm_bf16(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y, size_t strideY) {
  gemm(isa, AFFINE4, type, panels, rows, cols, panel0, panel1, x, token0, tokens, y, strideY);
}

void kl_q8_gemm_bf16(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y, size_t strideY) {
  gemm(isa, AFFINE8, type, panels, rows, cols, panel0, panel1, x, token0, tokens, y, strideY);
}

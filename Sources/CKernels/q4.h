// The record of one panel and one group, as the C bodies see it.
#ifndef CKERNELS_Q4_H
#define CKERNELS_Q4_H

#include "internal.h"

typedef struct {
  uint8_t codes[8][4 * KL_PANEL_ROWS];
  uint16_t scales[KL_PANEL_ROWS];
  uint16_t biases[KL_PANEL_ROWS];
} kl_q4_record;

_Static_assert(sizeof(kl_q4_record) == KL_Q4_RECORD, "a record is 576 bytes");
_Static_assert(offsetof(kl_q4_record, scales) == 512, "scales follow the codes");
_Static_assert(offsetof(kl_q4_record, biases) == 544, "biases follow the scales");
_Static_assert(KL_Q4_RECORD % 64 == 0, "every record starts on a cache line");

/// The 64 codes of one row of a record, in column order.
KL_INLINE void kl_q4_row_codes(const kl_q4_record *record, size_t row, uint8_t out[KL_GROUP]) {
  for (size_t chunk = 0; chunk < 8; ++chunk) {
    for (size_t j = 0; j < 4; ++j) {
      const uint8_t byte = record->codes[chunk][4 * row + j];
      out[8 * chunk + j] = byte & 15;
      out[8 * chunk + 4 + j] = byte >> 4;
    }
  }
}

/// Sums of panel p to a token's output; rows past the end of the matrix are dropped.
KL_INLINE void kl_q4_write_rows(const float sums[KL_PANEL_ROWS], size_t rows, size_t p, float *y) {
  const size_t row = p * KL_PANEL_ROWS;
  if (rows - row >= KL_PANEL_ROWS) {
    memcpy(y + row, sums, KL_PANEL_ROWS * sizeof(float));
  } else {
    memcpy(y + row, sums, (rows - row) * sizeof(float));
  }
}

#if KL_X86

KL_INLINE KL_TARGET_AVX512 __m512 kl_q4_halves_avx512(kl_half type, const uint16_t x[KL_PANEL_ROWS]) {
  const __m256i bits = _mm256_load_si256((const __m256i *)x);
  if (type == KL_F16) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/// One bit per row of panel `p` that lies inside the matrix.
KL_INLINE KL_TARGET_AVX512 __mmask16 kl_q4_live_avx512(size_t rows, size_t p) {
  return (__mmask16)((1u << kl_min(rows - p * KL_PANEL_ROWS, KL_PANEL_ROWS)) - 1);
}

#endif

#endif

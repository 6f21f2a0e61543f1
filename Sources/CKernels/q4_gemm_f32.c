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

#if KL_X86

// AVX-512: 16 rows per vector. A code's nibble picks its float from a table of 0...15, one fma dequantizes it
// (exactly rounded: scale * q has at most 15 bits), and each (row, token) is one chain of fmas over ascending
// columns in every loop below, so a token's result does not depend on how many tokens come with it.

enum { BLOCK_TOKENS = 64, BLOCK_GROUPS = 2, TILE_TOKENS = 8, DIRECT_TOKENS = 4, DIRECT_PANELS = 4 };

typedef struct {
  __m512 columns[BLOCK_GROUPS * KL_GROUP];
} open_panel;

KL_INLINE KL_TARGET_AVX512 __m512 table_avx512(void) {
  return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/// Column j (0...7) of a chunk; the permutation reads the lowest four bits of each row only.
KL_INLINE KL_TARGET_AVX512 __m512 column_avx512(__m512i chunk, int j, __m512 table, __m512 scale, __m512 bias) {
  const __m512i q = _mm512_srli_epi32(chunk, (unsigned)(8 * (j & 3) + j / 4 * 4));
  return _mm512_fmadd_ps(_mm512_permutexvar_ps(q, table), scale, bias);
}

/// P panels against T tokens straight from the packed records.
KL_INLINE KL_TARGET_AVX512 void direct_avx512(kl_half type, const kl_q4_record *panels, size_t groups, int P,
                                              size_t rows, size_t p0, const float *x, size_t strideX, int T,
                                              float *y, size_t strideY) {
  const __m512 table = table_avx512();
  __m512 acc[DIRECT_TOKENS][DIRECT_PANELS];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = _mm512_setzero_ps();
  }
  for (size_t g = 0; g < groups; ++g) {
    __m512 scale[DIRECT_PANELS], bias[DIRECT_PANELS];
    KL_UNROLL for (int p = 0; p < P; ++p) {
      const kl_q4_record *record = panels + (p0 + (size_t)p) * groups + g;
      scale[p] = kl_q4_halves_avx512(type, record->scales);
      bias[p] = kl_q4_halves_avx512(type, record->biases);
    }
    for (int c = 0; c < 8; ++c) {
      __m512i chunk[DIRECT_PANELS];
      KL_UNROLL for (int p = 0; p < P; ++p) {
        chunk[p] = _mm512_load_si512(panels[(p0 + (size_t)p) * groups + g].codes[c]);
      }
      const float *columns = x + g * KL_GROUP + 8 * (size_t)c;
      KL_UNROLL for (int j = 0; j < 8; ++j) {
        KL_UNROLL for (int p = 0; p < P; ++p) {
          const __m512 w = column_avx512(chunk[p], j, table, scale[p], bias[p]);
          KL_UNROLL for (int t = 0; t < T; ++t) {
            acc[t][p] = _mm512_fmadd_ps(w, _mm512_set1_ps(columns[(size_t)t * strideX + (size_t)j]), acc[t][p]);
          }
        }
      }
    }
  }
  KL_UNROLL for (int p = 0; p < P; ++p) {
    const __mmask16 live = kl_q4_live_avx512(rows, p0 + (size_t)p);
    KL_UNROLL for (int t = 0; t < T; ++t) {
      _mm512_mask_storeu_ps(y + (size_t)t * strideY + (p0 + (size_t)p) * KL_PANEL_ROWS, live, acc[t][p]);
    }
  }
}

static KL_TARGET_AVX512 void small_batch_avx512(kl_half type, const kl_q4_record *panels, size_t rows,
                                                size_t groups, size_t panel0, size_t panel1, const float *x,
                                                size_t strideX, size_t tokens, float *y, size_t strideY) {
  for (size_t p = panel0; p < panel1;) {
    const int P = panel1 - p < DIRECT_PANELS ? 1 : DIRECT_PANELS;
    switch ((int)tokens * 2 + (P == 1)) {
      case 2: direct_avx512(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 1, y, strideY); break;
      case 3: direct_avx512(type, panels, groups, 1, rows, p, x, strideX, 1, y, strideY); break;
      case 4: direct_avx512(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 2, y, strideY); break;
      case 5: direct_avx512(type, panels, groups, 1, rows, p, x, strideX, 2, y, strideY); break;
      case 6: direct_avx512(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 3, y, strideY); break;
      case 7: direct_avx512(type, panels, groups, 1, rows, p, x, strideX, 3, y, strideY); break;
      case 8: direct_avx512(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 4, y, strideY); break;
      default: direct_avx512(type, panels, groups, 1, rows, p, x, strideX, 4, y, strideY); break;
    }
    p += (size_t)P;
  }
}

KL_INLINE KL_TARGET_AVX512 void open_avx512(kl_half type, const kl_q4_record *records, size_t groups,
                                            open_panel *out) {
  const __m512 table = table_avx512();
  for (size_t g = 0; g < groups; ++g) {
    const __m512 scale = kl_q4_halves_avx512(type, records[g].scales);
    const __m512 bias = kl_q4_halves_avx512(type, records[g].biases);
    KL_UNROLL for (int c = 0; c < 8; ++c) {
      const __m512i chunk = _mm512_load_si512(records[g].codes[c]);
      __m512 *columns = out->columns + g * KL_GROUP + 8 * c;
      KL_UNROLL for (int j = 0; j < 8; ++j) columns[j] = column_avx512(chunk, j, table, scale, bias);
    }
  }
}

/// P open panels against T tokens over `columns` columns, added to sums [T, 2, 16].
KL_INLINE KL_TARGET_AVX512 void tile_avx512(const open_panel *panels, int P, const float *x, size_t strideX,
                                            int T, size_t columns, __m512 *sums) {
  __m512 acc[TILE_TOKENS][2];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = sums[2 * t + p];
  }
  for (size_t c = 0; c < columns; c += 2) {
    KL_UNROLL for (size_t j = 0; j < 2; ++j) {
      __m512 w[2];
      KL_UNROLL for (int p = 0; p < P; ++p) w[p] = panels[p].columns[c + j];
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const __m512 value = _mm512_set1_ps(x[(size_t)t * strideX + c + j]);
        KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = _mm512_fmadd_ps(w[p], value, acc[t][p]);
      }
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) sums[2 * t + p] = acc[t][p];
  }
}

static KL_TARGET_AVX512 void tiles_avx512(const open_panel *panels, size_t P, const float *x, size_t strideX,
                                          size_t tokens, size_t columns, __m512 *sums) {
  for (size_t t = 0; t < tokens;) {
    const float *tile = x + t * strideX;
    __m512 *out = sums + 2 * t;
    const size_t left = tokens - t;
    if (left >= 8) {
      if (P == 2) tile_avx512(panels, 2, tile, strideX, 8, columns, out);
      else tile_avx512(panels, 1, tile, strideX, 8, columns, out);
      t += 8;
    } else if (left >= 4) {
      if (P == 2) tile_avx512(panels, 2, tile, strideX, 4, columns, out);
      else tile_avx512(panels, 1, tile, strideX, 4, columns, out);
      t += 4;
    } else {
      if (P == 2) tile_avx512(panels, 2, tile, strideX, 1, columns, out);
      else tile_avx512(panels, 1, tile, strideX, 1, columns, out);
      t += 1;
    }
  }
}

static KL_TARGET_AVX512 void large_batch_avx512(kl_half type, const kl_q4_record *panels, size_t rows,
                                                size_t groups, size_t panel0, size_t panel1, const float *x,
                                                size_t strideX, size_t tokens, float *y, size_t strideY) {
  open_panel open[2];
  __m512 sums[2 * BLOCK_TOKENS];
  for (size_t t = 0; t < tokens; t += BLOCK_TOKENS) {
    const size_t count = kl_min(tokens - t, BLOCK_TOKENS);
    for (size_t p = panel0; p < panel1; p += 2) {
      const size_t P = kl_min(panel1 - p, 2);
      for (size_t i = 0; i < 2 * count; ++i) sums[i] = _mm512_setzero_ps();
      for (size_t g = 0; g < groups; g += BLOCK_GROUPS) {
        const size_t some = kl_min(groups - g, BLOCK_GROUPS);
        for (size_t i = 0; i < P; ++i) open_avx512(type, panels + (p + i) * groups + g, some, open + i);
        tiles_avx512(open, P, x + t * strideX + g * KL_GROUP, strideX, count, some * KL_GROUP, sums);
      }
      for (size_t i = 0; i < P; ++i) {
        const __mmask16 live = kl_q4_live_avx512(rows, p + i);
        for (size_t j = 0; j < count; ++j) {
          _mm512_mask_storeu_ps(y + (t + j) * strideY + (p + i) * KL_PANEL_ROWS, live, sums[2 * j + i]);
        }
      }
    }
  }
}

static void gemm_avx512(kl_half type, const kl_q4_record *panels, size_t rows, size_t groups, size_t panel0,
                        size_t panel1, const float *x, size_t strideX, size_t tokens, float *y,
                        size_t strideY) {
  if (tokens <= DIRECT_TOKENS) {
    small_batch_avx512(type, panels, rows, groups, panel0, panel1, x, strideX, tokens, y, strideY);
  } else {
    large_batch_avx512(type, panels, rows, groups, panel0, panel1, x, strideX, tokens, y, strideY);
  }
}

#endif

void kl_q4_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                    size_t panel0, size_t panel1, const float *x, size_t strideX, size_t tokens,
                    float *y, size_t strideY) {
  const kl_q4_record *records = (const kl_q4_record *)panels;
  const size_t groups = cols / KL_GROUP;
  switch (isa) {
#if KL_X86
    case KL_AVX512:
      gemm_avx512(type, records, rows, groups, panel0, panel1, x, strideX, tokens, y, strideY);
      break;
#endif
    default:
      gemm_scalar(type, records, rows, groups, panel0, panel1, x, strideX, tokens, y, strideY);
  }
}

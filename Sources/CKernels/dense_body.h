// Products of f32 rows with panels: a vector holds one column of KL_LANES rows, so weights are read as they lie and no
// sum crosses lanes. Each (row, token) is one chain of fmas over ascending columns in every loop below.
// DENSE_PANELS × DENSE_TOKENS is the tile that fits the registers.
#include "lanes.h"

#undef PARTS
#define PARTS (KL_PANEL_ROWS / KL_LANES)

#if KL_LANES == 16
KL_VECTOR vf KL_NAME(dense_load)(kl_dense type, const void *x, size_t i) {
  if (type == KL_DENSE_F32) return _mm512_loadu_ps((const float *)x + i);
  const __m256i bits = _mm256_loadu_si256((const __m256i *)((const uint16_t *)x + i));
  if (type == KL_DENSE_F16) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
KL_VECTOR vf KL_NAME(dense_bytes)(const uint8_t *x, int j) {
  const __m512i words = _mm512_srli_epi32(_mm512_loadu_si512(x), (unsigned)(8 * j));
  return _mm512_cvtepi32_ps(_mm512_and_si512(words, _mm512_set1_epi32(255)));
}
#elif KL_LANES == 8
KL_VECTOR vf KL_NAME(dense_load)(kl_dense type, const void *x, size_t i) {
  if (type == KL_DENSE_F32) return _mm256_loadu_ps((const float *)x + i);
  const __m128i bits = _mm_loadu_si128((const __m128i *)((const uint16_t *)x + i));
  if (type == KL_DENSE_F16) return _mm256_cvtph_ps(bits);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
KL_VECTOR vf KL_NAME(dense_bytes)(const uint8_t *x, int j) {
  const __m256i words = _mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)x), 8 * j);
  return _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(255)));
}
#else
KL_VECTOR vf KL_NAME(dense_load)(kl_dense type, const void *x, size_t i) {
  if (type == KL_DENSE_F32) return vld1q_f32((const float *)x + i);
  const uint16x4_t bits = vld1_u16((const uint16_t *)x + i);
  if (type == KL_DENSE_F16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
  return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}
KL_VECTOR vf KL_NAME(dense_bytes)(const uint8_t *x, int j) {
  const uint32x4_t words = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(x)), vdupq_n_s32(-8 * j));
  return vcvtq_f32_u32(vandq_u32(words, vdupq_n_u32(255)));
}
#endif

/// `count` columns of panel `p` from column c0 on, opened to floats: out [count, 16].
static KL_TARGET void KL_NAME(dense_open)(const kl_panels *w, size_t p, size_t c0, size_t count, float *out) {
  if (!w->is8bit) {
    const size_t first = (p * w->cols + c0) * KL_PANEL_ROWS;
    for (size_t i = 0; i < count * KL_PANEL_ROWS; i += KL_LANES) {
      vstore(out + i, KL_NAME(dense_load)(w->type, w->bytes, first + i));
    }
    return;
  }
  const kl_q8_record *record = (const kl_q8_record *)w->bytes + (p * w->cols + c0) / KL_GROUP;
  for (size_t c = 0; c < count; c += KL_GROUP, ++record) {
    KL_UNROLL for (size_t part = 0; part < PARTS; ++part) {
      const vf scale = KL_NAME(dense_load)(w->type, record->scales, part * KL_LANES);
      const vf bias = KL_NAME(dense_load)(w->type, record->biases, part * KL_LANES);
      for (size_t chunk = 0; chunk < 16; ++chunk) {
        float *columns = out + (c + 4 * chunk) * KL_PANEL_ROWS + part * KL_LANES;
        KL_UNROLL for (int j = 0; j < 4; ++j) {
          const vf q = KL_NAME(dense_bytes)(record->codes[chunk] + 4 * part * KL_LANES, j);
          vstore(columns + j * KL_PANEL_ROWS, vfma(q, scale, bias));
        }
      }
    }
  }
}

/// P panels of `type`, `step` elements apart, against T tokens over `columns` columns, added to sums [T, P, 16].
KL_VECTOR void KL_NAME(dense_tile)(kl_dense type, const void *w, size_t step, int P, const float *x,
                                   size_t strideX, int T, size_t columns, float *sums) {
  enum { MOST = DENSE_PANELS * DENSE_TOKENS > 4 ? DENSE_PANELS * DENSE_TOKENS : 4 };
  vf acc[MOST][PARTS];
  KL_UNROLL for (int i = 0; i < T * P; ++i) {
    KL_UNROLL for (int part = 0; part < PARTS; ++part) {
      acc[i][part] = vload(sums + i * KL_PANEL_ROWS + part * KL_LANES);
    }
  }
  for (size_t c = 0; c < columns; ++c) {
    vf column[4][PARTS];
    KL_UNROLL for (int p = 0; p < P; ++p) {
      KL_UNROLL for (int part = 0; part < PARTS; ++part) {
        column[p][part] = KL_NAME(dense_load)(type, w, (size_t)p * step + c * KL_PANEL_ROWS + (size_t)part * KL_LANES);
      }
    }
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const vf value = vsplat(x[(size_t)t * strideX + c]);
      KL_UNROLL for (int p = 0; p < P; ++p) {
        KL_UNROLL for (int part = 0; part < PARTS; ++part) {
          acc[t * P + p][part] = vfma(column[p][part], value, acc[t * P + p][part]);
        }
      }
    }
  }
  KL_UNROLL for (int i = 0; i < T * P; ++i) {
    KL_UNROLL for (int part = 0; part < PARTS; ++part) {
      vstore(sums + i * KL_PANEL_ROWS + part * KL_LANES, acc[i][part]);
    }
  }
}

/// P panels against any number of tokens.
KL_VECTOR void KL_NAME(dense_tiles)(kl_dense type, const void *w, size_t step, int P, const float *x,
                                    size_t strideX, size_t tokens, size_t columns, float *sums) {
  size_t t = 0;
  for (; t + DENSE_TOKENS <= tokens; t += DENSE_TOKENS) {
    KL_NAME(dense_tile)(type, w, step, P, x + t * strideX, strideX, DENSE_TOKENS, columns,
                        sums + t * (size_t)P * KL_PANEL_ROWS);
  }
  for (; t + 2 <= tokens; t += 2) {
    KL_NAME(dense_tile)(type, w, step, P, x + t * strideX, strideX, 2, columns, sums + t * (size_t)P * KL_PANEL_ROWS);
  }
  if (t < tokens) {
    KL_NAME(dense_tile)(type, w, step, P, x + t * strideX, strideX, 1, columns, sums + t * (size_t)P * KL_PANEL_ROWS);
  }
}

/// The same for panels as they lie in memory.
static KL_TARGET void KL_NAME(dense_straight)(const kl_panels *w, size_t p, int P, size_t c0, size_t columns,
                                              const float *x, size_t strideX, size_t tokens, float *sums) {
  const size_t step = w->cols * KL_PANEL_ROWS, first = p * step + c0 * KL_PANEL_ROWS;
  const uint16_t *halves = (const uint16_t *)w->bytes + first;
  const float *floats = (const float *)w->bytes + first;
#define RUN(type, from)                                                                                   \
  do {                                                                                                    \
    if (P == 4) KL_NAME(dense_tile)(type, from, step, 4, x + c0, strideX, 1, columns, sums);              \
    else if (P == DENSE_PANELS)                                                                           \
      KL_NAME(dense_tiles)(type, from, step, DENSE_PANELS, x + c0, strideX, tokens, columns, sums);       \
    else KL_NAME(dense_tiles)(type, from, step, 1, x + c0, strideX, tokens, columns, sums);               \
  } while (0)
  switch (w->type) {
    case KL_DENSE_F16: RUN(KL_DENSE_F16, halves); break;
    case KL_DENSE_BF16: RUN(KL_DENSE_BF16, halves); break;
    default: RUN(KL_DENSE_F32, floats); break;
  }
#undef RUN
}

static KL_TARGET void KL_NAME(dense_product)(const kl_panels *w, size_t panel0, size_t panel1, const float *x,
                                             size_t strideX, size_t tokens, float *y, size_t strideY) {
  float open[DENSE_PANELS * KL_OPEN_COLUMNS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  float sums[DENSE_PANELS * KL_OPEN_TOKENS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  const size_t step = KL_OPEN_COLUMNS * KL_PANEL_ROWS;
  // Opening pays when several tokens share it; with a block of tokens, columns come in blocks too.
  const bool straight = !w->is8bit && (tokens <= 2 || w->type == KL_DENSE_F32);
  const size_t columns = straight && tokens <= 2 ? w->cols : KL_OPEN_COLUMNS;
  for (size_t t = 0; t < tokens; t += KL_OPEN_TOKENS) {
    const size_t count = kl_min(tokens - t, KL_OPEN_TOKENS);
    const float *block = x + t * strideX;
    for (size_t p = panel0, P; p < panel1; p += P) {
      const size_t left = panel1 - p;
      P = straight && tokens == 1 && left >= 4 ? 4 : left >= DENSE_PANELS ? DENSE_PANELS : 1;
      memset(sums, 0, count * P * KL_PANEL_ROWS * sizeof(float));
      for (size_t c = 0; c < w->cols; c += columns) {
        const size_t some = kl_min(w->cols - c, columns);
        if (straight) {
          KL_NAME(dense_straight)(w, p, (int)P, c, some, block, strideX, count, sums);
          continue;
        }
        for (size_t i = 0; i < P; ++i) KL_NAME(dense_open)(w, p + i, c, some, open + i * step);
        if (P == DENSE_PANELS) {
          KL_NAME(dense_tiles)(KL_DENSE_F32, open, step, DENSE_PANELS, block + c, strideX, count, some, sums);
        } else {
          KL_NAME(dense_tiles)(KL_DENSE_F32, open, step, 1, block + c, strideX, count, some, sums);
        }
      }
      for (size_t j = 0; j < count; ++j) {
        for (size_t i = 0; i < P; ++i) {
          const size_t row = (p + i) * KL_PANEL_ROWS;
          memcpy(y + (t + j) * strideY + row, sums + (j * P + i) * KL_PANEL_ROWS,
                 kl_min(w->rows - row, KL_PANEL_ROWS) * sizeof(float));
        }
      }
    }
  }
}

#undef PARTS

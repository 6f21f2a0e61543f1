// Products of f32 rows with panels: a vector holds one column of KL_LANES rows, so weights are read as they lie and no
// sum crosses lanes. Each (row, token) is one chain of fmas over ascending columns in every loop below, so a token's
// result does not depend on how many tokens come with it.
#include "lanes.h"

#undef PARTS
#undef PANELS
#undef TOKENS
#define PARTS (KL_PANEL_ROWS / KL_LANES)  // vectors of a panel
#define PANELS (KL_LANES == 16 ? 2 : 1)   // panels and tokens that share registers
#define TOKENS (KL_LANES == 16 ? 8 : 4)

KL_VECTOR vf KL_NAME(dense_load)(kl_dense type, const void *x, size_t i) {
  if (type == KL_DENSE_F32) return vload((const float *)x + i);
  return vload_half((kl_half)type, (const uint16_t *)x + i);
}

/// Byte j of each of KL_LANES 32-bit words.
KL_VECTOR vf KL_NAME(dense_bytes)(const uint8_t *words, int j) {
  return vfma(vword_nibbles(words, 8 * j + 4), vsplat(16), vword_nibbles(words, 8 * j));
}

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
  enum { MOST = PANELS * TOKENS > 4 ? PANELS * TOKENS : 4 };
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
  for (; t + TOKENS <= tokens; t += TOKENS) {
    KL_NAME(dense_tile)(type, w, step, P, x + t * strideX, strideX, TOKENS, columns,
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
#define RUN(type, from)                                                                             \
  do {                                                                                              \
    if (P == 4) KL_NAME(dense_tile)(type, from, step, 4, x + c0, strideX, 1, columns, sums);        \
    else if (P == PANELS)                                                                           \
      KL_NAME(dense_tiles)(type, from, step, PANELS, x + c0, strideX, tokens, columns, sums);       \
    else KL_NAME(dense_tiles)(type, from, step, 1, x + c0, strideX, tokens, columns, sums);         \
  } while (0)
  switch (w->type) {
    case KL_DENSE_F16: RUN(KL_DENSE_F16, halves); break;
    case KL_DENSE_BF16: RUN(KL_DENSE_BF16, halves); break;
    default: RUN(KL_DENSE_F32, floats); break;
  }
#undef RUN
}

static KL_TARGET void KL_NAME(product)(const kl_panels *w, size_t panel0, size_t panel1, const float *x,
                                       size_t strideX, size_t tokens, float *y, size_t strideY) {
  float open[PANELS * KL_OPEN_COLUMNS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  float sums[PANELS * KL_OPEN_TOKENS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  const size_t step = KL_OPEN_COLUMNS * KL_PANEL_ROWS;
  // Opening pays when several tokens share it; with a block of tokens, columns come in blocks too.
  const bool straight = !w->is8bit && (tokens <= 2 || w->type == KL_DENSE_F32);
  const size_t columns = straight && tokens <= 2 ? w->cols : KL_OPEN_COLUMNS;
  for (size_t t = 0; t < tokens; t += KL_OPEN_TOKENS) {
    const size_t count = kl_min(tokens - t, KL_OPEN_TOKENS);
    const float *block = x + t * strideX;
    for (size_t p = panel0, P; p < panel1; p += P) {
      const size_t left = panel1 - p;
      P = straight && tokens == 1 && left >= 4 ? 4 : left >= PANELS ? PANELS : 1;
      memset(sums, 0, count * P * KL_PANEL_ROWS * sizeof(float));
      for (size_t c = 0; c < w->cols; c += columns) {
        const size_t some = kl_min(w->cols - c, columns);
        if (straight) {
          KL_NAME(dense_straight)(w, p, (int)P, c, some, block, strideX, count, sums);
          continue;
        }
        for (size_t i = 0; i < P; ++i) KL_NAME(dense_open)(w, p + i, c, some, open + i * step);
        if (P == PANELS) {
          KL_NAME(dense_tiles)(KL_DENSE_F32, open, step, PANELS, block + c, strideX, count, some, sums);
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

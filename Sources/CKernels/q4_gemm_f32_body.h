// Rows along the lanes: a panel's 16 rows are 16 / KL_LANES vectors. Each (row, token) is one chain of fmas over
// ascending columns in every loop below, so a token's result does not depend on how many tokens come with it.
#include "lanes.h"

#undef PARTS
#undef PANELS
#undef TOKENS
#define PARTS (16 / KL_LANES)             // vectors of a panel
#define PANELS (KL_LANES == 16 ? 2 : 1)   // panels and tokens that share registers
#define TOKENS (KL_LANES == 16 ? 8 : 4)

/// BLOCK_GROUPS groups of a panel as floats, column by column.
typedef struct {
  float columns[BLOCK_GROUPS * KL_GROUP][KL_PANEL_ROWS];
} KL_NAME(open_panel);

/// Column j (0...7) of a chunk, part v: exactly rounded, as scale * q has at most 15 bits.
KL_VECTOR vf KL_NAME(column)(const uint8_t *chunk, int j, int v, vf scale, vf bias) {
  return vfma(vword_nibbles(chunk + 4 * KL_LANES * v, 8 * (j & 3) + j / 4 * 4), scale, bias);
}

KL_VECTOR void KL_NAME(open)(kl_half type, const kl_q4_record *records, size_t groups, KL_NAME(open_panel) *out) {
  for (size_t g = 0; g < groups; ++g) {
    KL_UNROLL for (int v = 0; v < PARTS; ++v) {
      const vf scale = vload_half(type, records[g].scales + v * KL_LANES);
      const vf bias = vload_half(type, records[g].biases + v * KL_LANES);
      for (int c = 0; c < 8; ++c) {
        float(*columns)[KL_PANEL_ROWS] = out->columns + g * KL_GROUP + 8 * c;
        KL_UNROLL for (int j = 0; j < 8; ++j) {
          vstore(columns[j] + v * KL_LANES, KL_NAME(column)(records[g].codes[c], j, v, scale, bias));
        }
      }
    }
  }
}

/// P open panels against T tokens over `columns` columns, added to sums [T, PANELS, 16].
KL_VECTOR void KL_NAME(tile)(const KL_NAME(open_panel) *panels, int P, const float *x, size_t strideX, int T,
                             size_t columns, float *sums) {
  vf acc[TOKENS][PANELS * PARTS];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int v = 0; v < P * PARTS; ++v) acc[t][v] = vload(sums + (t * PANELS * PARTS + v) * KL_LANES);
  }
  for (size_t c = 0; c < columns; c += 2) {
    KL_UNROLL for (size_t j = 0; j < 2; ++j) {
      vf w[PANELS * PARTS];
      KL_UNROLL for (int v = 0; v < P * PARTS; ++v) {
        w[v] = vload(panels[v / PARTS].columns[c + j] + v % PARTS * KL_LANES);
      }
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const vf value = vsplat(x[(size_t)t * strideX + c + j]);
        KL_UNROLL for (int v = 0; v < P * PARTS; ++v) acc[t][v] = vfma(w[v], value, acc[t][v]);
      }
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int v = 0; v < P * PARTS; ++v) vstore(sums + (t * PANELS * PARTS + v) * KL_LANES, acc[t][v]);
  }
}

static KL_TARGET void KL_NAME(tiles)(const KL_NAME(open_panel) *panels, size_t P, const float *x, size_t strideX,
                                     size_t tokens, size_t columns, float *sums) {
  for (size_t t = 0; t < tokens;) {
    const size_t left = tokens - t;
    const float *tile = x + t * strideX;
    float *out = sums + t * PANELS * KL_PANEL_ROWS;
    if (left >= TOKENS) {
      if (P == PANELS) KL_NAME(tile)(panels, PANELS, tile, strideX, TOKENS, columns, out);
      else KL_NAME(tile)(panels, 1, tile, strideX, TOKENS, columns, out);
      t += TOKENS;
    } else if (left >= TOKENS / 2) {
      if (P == PANELS) KL_NAME(tile)(panels, PANELS, tile, strideX, TOKENS / 2, columns, out);
      else KL_NAME(tile)(panels, 1, tile, strideX, TOKENS / 2, columns, out);
      t += TOKENS / 2;
    } else {
      if (P == PANELS) KL_NAME(tile)(panels, PANELS, tile, strideX, 1, columns, out);
      else KL_NAME(tile)(panels, 1, tile, strideX, 1, columns, out);
      t += 1;
    }
  }
}

#if KL_LANES == 16

enum { DIRECT_TOKENS = 4, DIRECT_PANELS = 4 };

/// P panels against T tokens straight from the packed records: so few tokens do not pay for opening them.
KL_VECTOR void direct(kl_half type, const kl_q4_record *panels, size_t groups, int P, size_t rows, size_t p0,
                      const float *x, size_t strideX, int T, float *y, size_t strideY) {
  vf acc[DIRECT_TOKENS][DIRECT_PANELS];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = vsplat(0);
  }
  const kl_q4_record *record = panels + p0 * groups;
  for (size_t g = 0; g < groups; ++g, ++record) {
    vf scale[DIRECT_PANELS], bias[DIRECT_PANELS];
    KL_UNROLL for (size_t p = 0; p < (size_t)P; ++p) {
      scale[p] = vload_half(type, record[p * groups].scales);
      bias[p] = vload_half(type, record[p * groups].biases);
    }
    for (size_t c = 0; c < 8; ++c) {
      const float *columns = x + g * KL_GROUP + 8 * c;
      KL_UNROLL for (int j = 0; j < 8; ++j) {
        KL_UNROLL for (size_t p = 0; p < (size_t)P; ++p) {
          const vf w = column_avx512(record[p * groups].codes[c], j, 0, scale[p], bias[p]);
          KL_UNROLL for (int t = 0; t < T; ++t) {
            acc[t][p] = vfma(w, vsplat(columns[(size_t)t * strideX + (size_t)j]), acc[t][p]);
          }
        }
      }
    }
  }
  KL_UNROLL for (size_t p = 0; p < (size_t)P; ++p) {
    KL_UNROLL for (int t = 0; t < T; ++t) {
      float sums[KL_PANEL_ROWS];
      vstore(sums, acc[t][p]);
      kl_q4_write_rows(sums, rows, p0 + p, y + (size_t)t * strideY);
    }
  }
}

static KL_TARGET void small_batch(kl_half type, const kl_q4_record *panels, size_t rows, size_t groups,
                                  size_t panel0, size_t panel1, const float *x, size_t strideX, size_t tokens,
                                  float *y, size_t strideY) {
  for (size_t p = panel0; p < panel1;) {
    const int P = panel1 - p < DIRECT_PANELS ? 1 : DIRECT_PANELS;
    switch ((int)tokens * 2 + (P == 1)) {
      case 2: direct(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 1, y, strideY); break;
      case 3: direct(type, panels, groups, 1, rows, p, x, strideX, 1, y, strideY); break;
      case 4: direct(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 2, y, strideY); break;
      case 5: direct(type, panels, groups, 1, rows, p, x, strideX, 2, y, strideY); break;
      case 6: direct(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 3, y, strideY); break;
      case 7: direct(type, panels, groups, 1, rows, p, x, strideX, 3, y, strideY); break;
      case 8: direct(type, panels, groups, DIRECT_PANELS, rows, p, x, strideX, 4, y, strideY); break;
      default: direct(type, panels, groups, 1, rows, p, x, strideX, 4, y, strideY); break;
    }
    p += (size_t)P;
  }
}

#endif

static KL_TARGET void KL_NAME(gemm)(kl_half type, const kl_q4_record *panels, size_t rows, size_t groups,
                                    size_t panel0, size_t panel1, const float *x, size_t strideX, size_t tokens,
                                    float *y, size_t strideY) {
#if KL_LANES == 16
  if (tokens <= DIRECT_TOKENS) {
    small_batch(type, panels, rows, groups, panel0, panel1, x, strideX, tokens, y, strideY);
    return;
  }
#endif
  KL_NAME(open_panel) open[PANELS];
  float sums[BLOCK_TOKENS * PANELS * KL_PANEL_ROWS];
  for (size_t t = 0; t < tokens; t += BLOCK_TOKENS) {
    const size_t count = kl_min(tokens - t, BLOCK_TOKENS);
    for (size_t p = panel0; p < panel1; p += PANELS) {
      const size_t P = kl_min(panel1 - p, PANELS);
      memset(sums, 0, count * PANELS * KL_PANEL_ROWS * sizeof(float));
      for (size_t g = 0; g < groups; g += BLOCK_GROUPS) {
        const size_t some = kl_min(groups - g, BLOCK_GROUPS);
        for (size_t i = 0; i < P; ++i) KL_NAME(open)(type, panels + (p + i) * groups + g, some, open + i);
        KL_NAME(tiles)(open, P, x + t * strideX + g * KL_GROUP, strideX, count, some * KL_GROUP, sums);
      }
      for (size_t j = 0; j < count; ++j) {
        for (size_t i = 0; i < P; ++i) {
          kl_q4_write_rows(sums + (j * PANELS + i) * KL_PANEL_ROWS, rows, p + i, y + (t + j) * strideY);
        }
      }
    }
  }
}

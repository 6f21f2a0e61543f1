#include "lanes.h"

// AVX2 has half the registers.
#undef DENSE_HEADS
#undef DENSE_VECTORS
#define DENSE_HEADS (KL_LANES == 8 ? 2 : 4)
#define DENSE_VECTORS (KL_LANES == 8 ? 2 : 4)

/// KL_LANES elements of a row from column d, or those left in the row and zeros.
KL_VECTOR vf KL_NAME(row_part)(element type, const void *row, size_t d, size_t width) {
  if (type == F32) {
    const float *x = (const float *)row + d;
    return d + KL_LANES <= width ? vload(x) : vload_first(x, width - d, 0);
  }
  const uint16_t *x = (const uint16_t *)row + d;
  if (d + KL_LANES <= width) return type == F16 ? vload_f16(x) : vload_bf16(x);
  uint16_t padded[KL_LANES] = {0};
  for (size_t i = 0; d + i < width; ++i) padded[i] = x[i];
  return type == F16 ? vload_f16(padded) : vload_bf16(padded);
}

/// Scores of H heads against T ≤ 4 rows. The sum over lanes is the same for every T.
KL_VECTOR void KL_NAME(dense_dots)(element type, const float *q, size_t strideQ, int H, const char *rows, int T,
                                   size_t width, float *scores, size_t strideS) {
  const size_t rowBytes = width * element_bytes(type);
  vf acc[DENSE_HEADS][4];
  KL_UNROLL for (int h = 0; h < H; ++h) {
    KL_UNROLL for (int t = 0; t < 4; ++t) acc[h][t] = vsplat(0);
  }
  for (size_t d = 0; d < width; d += KL_LANES) {
    vf row[4];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      row[t] = KL_NAME(row_part)(type, rows + (size_t)t * rowBytes, d, width);
      __builtin_prefetch(rows + (size_t)(t + 16) * rowBytes + d * element_bytes(type));
    }
    KL_UNROLL for (int h = 0; h < H; ++h) {
      const vf query = KL_NAME(row_part)(F32, q + (size_t)h * strideQ, d, width);
      KL_UNROLL for (int t = 0; t < T; ++t) acc[h][t] = vfma(query, row[t], acc[h][t]);
    }
  }
  KL_UNROLL for (int h = 0; h < H; ++h) {
    float sums[4];
    vsum4(acc[h][0], acc[h][1], acc[h][2], acc[h][3], sums);
    for (int t = 0; t < T; ++t) scores[(size_t)h * strideS + (size_t)t] = sums[t];
  }
}

/// Scores of all heads against T rows.
KL_VECTOR void KL_NAME(dense_rows)(element type, const float *q, size_t strideQ, size_t heads, const char *rows,
                                   int T, size_t width, float *scores, size_t strideS) {
  for (size_t h = 0; h < heads;) {
    const size_t left = heads - h;
    const float *query = q + h * strideQ;
    float *out = scores + h * strideS;
    if (left >= 4 && DENSE_HEADS == 4) {
      KL_NAME(dense_dots)(type, query, strideQ, DENSE_HEADS, rows, T, width, out, strideS);
      h += 4;
    } else if (left >= 2) {
      KL_NAME(dense_dots)(type, query, strideQ, 2, rows, T, width, out, strideS);
      h += 2;
    } else {
      KL_NAME(dense_dots)(type, query, strideQ, 1, rows, T, width, out, strideS);
      h += 1;
    }
  }
}

KL_VECTOR void KL_NAME(dense_scores)(element type, const float *q, size_t strideQ, size_t heads, const char *k,
                                     size_t n, size_t width, float *scores, size_t strideS) {
  const size_t rowBytes = width * element_bytes(type);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    KL_NAME(dense_rows)(type, q, strideQ, heads, k + i * rowBytes, 4, width, scores + i, strideS);
  }
  for (; i < n; ++i) {
    KL_NAME(dense_rows)(type, q, strideQ, heads, k + i * rowBytes, 1, width, scores + i, strideS);
  }
}

/// Adds n rows to columns d ..< d + V vectors of H heads.
KL_VECTOR void KL_NAME(dense_values)(element type, const float *p, size_t strideP, int H, const char *rows,
                                     size_t n, size_t d, int V, size_t width, float *out, size_t strideO) {
  const size_t rowBytes = width * element_bytes(type);
  vf acc[DENSE_HEADS][DENSE_VECTORS];
  KL_UNROLL for (int h = 0; h < H; ++h) {
    KL_UNROLL for (int v = 0; v < V; ++v) {
      acc[h][v] = KL_NAME(row_part)(F32, out + (size_t)h * strideO, d + (size_t)v * KL_LANES, width);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const char *row = rows + i * rowBytes;
    vf value[DENSE_VECTORS];
    KL_UNROLL for (int v = 0; v < V; ++v) {
      value[v] = KL_NAME(row_part)(type, row, d + (size_t)v * KL_LANES, width);
      __builtin_prefetch(row + 16 * rowBytes + (d + (size_t)v * KL_LANES) * element_bytes(type));
    }
    KL_UNROLL for (int h = 0; h < H; ++h) {
      const vf weight = vsplat(p[(size_t)h * strideP + i]);
      KL_UNROLL for (int v = 0; v < V; ++v) acc[h][v] = vfma(weight, value[v], acc[h][v]);
    }
  }
  KL_UNROLL for (int h = 0; h < H; ++h) {
    KL_UNROLL for (int v = 0; v < V; ++v) {
      const size_t column = d + (size_t)v * KL_LANES;
      float *o = out + (size_t)h * strideO + column;
      if (column + KL_LANES <= width) vstore(o, acc[h][v]);
      else vstore_first(o, acc[h][v], width - column);
    }
  }
}

/// Adds n rows to H heads.
KL_VECTOR void KL_NAME(dense_columns)(element type, const float *p, size_t strideP, int H, const char *rows,
                                      size_t n, size_t width, float *out, size_t strideO) {
  enum { COLUMNS = DENSE_VECTORS * KL_LANES };
  size_t d = 0;
  for (; d + COLUMNS <= width; d += COLUMNS) {
    KL_NAME(dense_values)(type, p, strideP, H, rows, n, d, DENSE_VECTORS, width, out, strideO);
  }
  for (; d < width; d += KL_LANES) {
    KL_NAME(dense_values)(type, p, strideP, H, rows, n, d, 1, width, out, strideO);
  }
}

KL_VECTOR void KL_NAME(dense_accumulate)(element type, const float *p, size_t strideP, size_t heads,
                                         const char *values, size_t n, size_t width, float *out,
                                         size_t strideO) {
  enum { CHUNK = 64 };  // rows that stay in the first-level cache
  for (size_t i = 0; i < n; i += CHUNK) {
    const char *rows = values + i * width * element_bytes(type);
    const size_t count = kl_min(CHUNK, n - i);
    for (size_t h = 0; h < heads;) {
      const size_t left = heads - h;
      const float *weights = p + h * strideP + i;
      float *o = out + h * strideO;
      if (left >= 4 && DENSE_HEADS == 4) {
        KL_NAME(dense_columns)(type, weights, strideP, DENSE_HEADS, rows, count, width, o, strideO);
        h += 4;
      } else if (left >= 2) {
        KL_NAME(dense_columns)(type, weights, strideP, 2, rows, count, width, o, strideO);
        h += 2;
      } else {
        KL_NAME(dense_columns)(type, weights, strideP, 1, rows, count, width, o, strideO);
        h += 1;
      }
    }
  }
}

static KL_TARGET void KL_NAME(scores)(element type, const float *q, size_t strideQ, size_t heads, const void *k,
                                      size_t n, size_t width, float *scores, size_t strideS) {
  switch (type) {
    case F32: KL_NAME(dense_scores)(F32, q, strideQ, heads, k, n, width, scores, strideS); break;
    case F16: KL_NAME(dense_scores)(F16, q, strideQ, heads, k, n, width, scores, strideS); break;
    case BF16: KL_NAME(dense_scores)(BF16, q, strideQ, heads, k, n, width, scores, strideS); break;
  }
}

static KL_TARGET void KL_NAME(accumulate)(element type, const float *p, size_t strideP, size_t heads,
                                          const void *v, size_t n, size_t width, float *out, size_t strideO) {
  switch (type) {
    case F32: KL_NAME(dense_accumulate)(F32, p, strideP, heads, v, n, width, out, strideO); break;
    case F16: KL_NAME(dense_accumulate)(F16, p, strideP, heads, v, n, width, out, strideO); break;
    case BF16: KL_NAME(dense_accumulate)(BF16, p, strideP, heads, v, n, width, out, strideO); break;
  }
}

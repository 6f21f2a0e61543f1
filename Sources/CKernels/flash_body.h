// Flash attention with f32 dots. A vector holds one number for KL_LANES query rows: queries are kept as
// [keyWidth, rows], scores as [keys, rows] and outputs as [valueWidth, rows], so that keys and values are read as
// they lie, the softmax needs no sum across lanes, and rows never mix.
#include "lanes.h"

#undef FLASH_VECTORS
#undef BLOCK
#define FLASH_VECTORS (FLASH_BLOCK(KL_LANES) / KL_LANES)
#define BLOCK FLASH_BLOCK(KL_LANES)
// Keys, and channels of values, that share registers with a row block: AVX2 has half the registers.
#undef TILE
#define TILE (KL_LANES == 16 ? 8 : 4)

/// scores[i] = q · k[i] for K keys.
KL_VECTOR void KL_NAME(flash_dots)(const float *q, size_t width, const float *k, int K, float *scores) {
  vf acc[TILE][FLASH_VECTORS];
  KL_UNROLL for (int i = 0; i < K; ++i) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) acc[i][v] = vsplat(0);
  }
  size_t d = 0;
  for (; d + 4 <= width; d += 4) {
    KL_UNROLL for (size_t j = 0; j < 4; ++j) {
      vf rows[FLASH_VECTORS];
      KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) rows[v] = vload(q + (d + j) * BLOCK + v * KL_LANES);
      KL_UNROLL for (int i = 0; i < K; ++i) {
        const vf key = vsplat(k[(size_t)i * width + d + j]);
        KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) acc[i][v] = vfma(rows[v], key, acc[i][v]);
      }
    }
  }
  for (; d < width; ++d) {
    KL_UNROLL for (int i = 0; i < K; ++i) {
      const vf key = vsplat(k[(size_t)i * width + d]);
      KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
        acc[i][v] = vfma(vload(q + d * BLOCK + v * KL_LANES), key, acc[i][v]);
      }
    }
  }
  KL_UNROLL for (int i = 0; i < K; ++i) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) vstore(scores + i * BLOCK + v * KL_LANES, acc[i][v]);
  }
}

/// acc[d] = rescale * acc[d] + Σ p[i] * v[i, d] for D channels.
KL_VECTOR void KL_NAME(flash_values)(const float *p, size_t n, const float *values, size_t width, int D,
                                     const vf rescale[FLASH_VECTORS], float *out) {
  vf acc[TILE][FLASH_VECTORS];
  KL_UNROLL for (int d = 0; d < D; ++d) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
      acc[d][v] = vload(out + d * BLOCK + v * KL_LANES) * rescale[v];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    vf rows[FLASH_VECTORS];
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) rows[v] = vload(p + i * BLOCK + (size_t)v * KL_LANES);
    KL_UNROLL for (int d = 0; d < D; ++d) {
      const vf value = vsplat(values[i * width + (size_t)d]);
      KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) acc[d][v] = vfma(rows[v], value, acc[d][v]);
    }
  }
  KL_UNROLL for (int d = 0; d < D; ++d) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) vstore(out + d * BLOCK + v * KL_LANES, acc[d][v]);
  }
}

/// Hides from each row of `scores` [from ..< to, rows] the keys it does not see.
KL_VECTOR void KL_NAME(flash_mask)(const kl_flash_sight *sight, float *scores) {
  const vf hidden = vsplat(-INFINITY);
  for (size_t i = sight->from; i < sight->to; ++i) {
    if (i >= sight->whole0 && i < sight->whole1) continue;
    const vf key = vsplat((float)i);
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
      float *score = scores + (i - sight->from) * BLOCK + (size_t)v * KL_LANES;
      const vf late = vwhere_less(key, vload(sight->first + v * KL_LANES), hidden, vload(score));
      vstore(score, vwhere_less(key, vload(sight->end + v * KL_LANES), late, hidden));
    }
  }
}

/// Turns scores [n, rows] into weights against the raised maxima, adds them to the sums, and gives the factors
/// for what was summed before.
KL_VECTOR void KL_NAME(flash_softmax)(float *scores, size_t n, float *maxima, float *sums,
                                      vf rescale[FLASH_VECTORS]) {
  vf high[FLASH_VECTORS], base[FLASH_VECTORS], sum[FLASH_VECTORS];
  KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) high[v] = vload(maxima + v * KL_LANES);
  for (size_t i = 0; i < n; ++i) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
      high[v] = vmax(vload(scores + i * BLOCK + (size_t)v * KL_LANES), high[v]);
    }
  }
  KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
    base[v] = vwhere_less(vsplat(-INFINITY), high[v], high[v], vsplat(0));  // a row may see nothing yet
    rescale[v] = vexp(vload(maxima + v * KL_LANES) - base[v]);
    sum[v] = vsplat(0);
    vstore(maxima + v * KL_LANES, high[v]);
  }
  for (size_t i = 0; i < n; ++i) {
    KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
      float *score = scores + i * BLOCK + (size_t)v * KL_LANES;
      const vf weight = vexp(vload(score) - base[v]);
      vstore(score, weight);
      sum[v] = sum[v] + weight;
    }
  }
  KL_UNROLL for (int v = 0; v < FLASH_VECTORS; ++v) {
    vstore(sums + v * KL_LANES, vfma(vload(sums + v * KL_LANES), rescale[v], sum[v]));
  }
}

static KL_TARGET void KL_NAME(flash_softcap)(float *scores, size_t n, float softcap) {
  const vf cap = vsplat(softcap);
  for (size_t i = 0; i < n * BLOCK; i += KL_LANES) {
    vstore(scores + i, cap * vtanh(vload(scores + i) / cap));
  }
}

static KL_TARGET void KL_NAME(flash_tile)(kl_flash *state, const float *k, const float *values, size_t n,
                                          int32_t position0, const int32_t *lo, const int32_t *hi,
                                          float softcap) {
  const size_t keyWidth = state->keyWidth, width = state->valueWidth;
  for (size_t row = 0; row < state->rows; row += BLOCK) {
    kl_flash_sight sight;
    if (!kl_flash_look(state, row, BLOCK, n, position0, lo, hi, &sight)) continue;
    const float *q = state->q + row * keyWidth, *keys = k + sight.from * keyWidth;
    float *scores = state->scores, *acc = state->acc + row * width;
    const size_t seen = sight.to - sight.from;
    size_t i = 0;
    for (; i + TILE <= seen; i += TILE) {
      KL_NAME(flash_dots)(q, keyWidth, keys + i * keyWidth, TILE, scores + i * BLOCK);
    }
    for (; i < seen; ++i) KL_NAME(flash_dots)(q, keyWidth, keys + i * keyWidth, 1, scores + i * BLOCK);
    if (softcap > 0) KL_NAME(flash_softcap)(scores, seen, softcap);
    KL_NAME(flash_mask)(&sight, scores);
    vf rescale[FLASH_VECTORS];
    KL_NAME(flash_softmax)(scores, seen, state->maxima + row, state->sums + row, rescale);
    const float *seenValues = values + sight.from * width;
    size_t d = 0;
    for (; d + TILE <= width; d += TILE) {
      KL_NAME(flash_values)(scores, seen, seenValues + d, width, TILE, rescale, acc + d * BLOCK);
    }
    for (; d < width; ++d) {
      KL_NAME(flash_values)(scores, seen, seenValues + d, width, 1, rescale, acc + d * BLOCK);
    }
  }
}

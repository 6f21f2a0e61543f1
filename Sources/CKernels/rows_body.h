#include "lanes.h"

static KL_TARGET void KL_NAME(rms_norm)(const float *x, const float *weight, float offset, float epsilon,
                                        size_t width, float *out) {
  vf squares[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
  size_t i = 0;
  for (; i + 4 * KL_LANES <= width; i += 4 * KL_LANES) {
    KL_UNROLL for (size_t j = 0; j < 4; ++j) {
      const vf value = vload(x + i + j * KL_LANES);
      squares[j] = vfma(value, value, squares[j]);
    }
  }
  for (; i < width; i += KL_LANES) {
    const vf value = i + KL_LANES <= width ? vload(x + i) : vload_first(x + i, width - i, 0);
    squares[0] = vfma(value, value, squares[0]);
  }
  const float sum = vsum((squares[0] + squares[1]) + (squares[2] + squares[3]));
  const float factor = 1 / sqrtf(sum / (float)width + epsilon);
  for (i = 0; i + KL_LANES <= width; i += KL_LANES) {
    vstore(out + i, vload(x + i) * vsplat(factor) * (vload(weight + i) + vsplat(offset)));
  }
  for (; i < width; ++i) out[i] = x[i] * factor * (weight[i] + offset);
}

static KL_TARGET void KL_NAME(rope)(float *x, size_t width, const float *cosines, const float *sines,
                                    bool halves) {
  static const float signs[16] = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
  const size_t pairs = width / 2;
  size_t i = 0;
  if (halves) {
    for (; i + KL_LANES <= pairs; i += KL_LANES) {
      const vf a = vload(x + i), b = vload(x + i + pairs), c = vload(cosines + i), s = vload(sines + i);
      vstore(x + i, a * c - b * s);
      vstore(x + i + pairs, b * c + a * s);
    }
  } else {
    for (; i + KL_LANES / 2 <= pairs; i += KL_LANES / 2) {
      const vf pair = vload(x + 2 * i), s = vload_pairs(sines + i) * vload(signs);
      vstore(x + 2 * i, pair * vload_pairs(cosines + i) + vswap_pairs(pair) * s);
    }
  }
  rope_from(x, i, pairs, cosines, sines, halves);
}

static KL_TARGET void KL_NAME(add)(float *x, const float *y, size_t n) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore(x + i, vload(x + i) + vload(y + i));
  for (; i < n; ++i) x[i] += y[i];
}

static KL_TARGET void KL_NAME(scale)(float *x, float factor, size_t n) {
  size_t i = 0;
  for (; i + KL_LANES <= n; i += KL_LANES) vstore(x + i, vload(x + i) * vsplat(factor));
  for (; i < n; ++i) x[i] *= factor;
}

static KL_TARGET void KL_NAME(argmax)(const float *x, size_t n, int64_t *best) {
  // The block with the largest element first, then its place within the block.
  enum { BLOCK = 16 * KL_LANES };
  float high = -INFINITY;
  size_t found = 0, i = 0;
  for (; i + BLOCK <= n; i += BLOCK) {
    vf highs = vsplat(-INFINITY);
    KL_UNROLL for (size_t j = 0; j < BLOCK; j += KL_LANES) highs = vmax(vload(x + i + j), highs);
    const float here = vhighest(highs);
    if (here > high) {
      high = here;
      found = i;
    }
  }
  int64_t inside, after;
  argmax_scalar(x + found, i > found ? i - found < BLOCK ? i - found : BLOCK : 0, &inside);
  argmax_scalar(x + i, n - i, &after);
  if (high == -INFINITY) {
    argmax_scalar(x, n, best);  // nothing but −infinity and NaN in whole blocks
  } else {
    const bool late = after >= 0 && x[i + (size_t)after] > high;
    *best = late ? (int64_t)i + after : (int64_t)found + inside;
  }
}

#include "internal.h"

static void rms_norm_scalar(const float *x, const float *weight, float offset, float epsilon, size_t width,
                            float *out) {
  double squares = 0;
  for (size_t i = 0; i < width; ++i) squares += (double)x[i] * x[i];
  const float factor = (float)(1 / sqrt(squares / (double)width + epsilon));
  for (size_t i = 0; i < width; ++i) out[i] = x[i] * factor * (weight[i] + offset);
}

/// Pairs from `first` to `pairs`.
static void rope_from(float *x, size_t first, size_t pairs, const float *cosines, const float *sines,
                      bool halves) {
  for (size_t i = first; i < pairs; ++i) {
    float *a = halves ? x + i : x + 2 * i, *b = halves ? x + i + pairs : x + 2 * i + 1;
    const float one = *a, two = *b;
    *a = one * cosines[i] - two * sines[i];
    *b = two * cosines[i] + one * sines[i];
  }
}

static void rope_scalar(float *x, size_t width, const float *cosines, const float *sines, bool halves) {
  rope_from(x, 0, width / 2, cosines, sines, halves);
}

static void add_scalar(float *x, const float *y, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] += y[i];
}

static void scale_scalar(float *x, float factor, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= factor;
}

static void argmax_scalar(const float *x, size_t n, int64_t *best) {
  *best = -1;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] == x[i] && (*best < 0 || x[i] > x[*best])) *best = (int64_t)i;
  }
}

#define KL_BODY "rows_body.h"
#include "bodies.h"

void kl_rms_norm(kl_isa isa, const float *x, const float *weight, float offset, float epsilon,
                 size_t width, float *out) {
  KL_DISPATCH(isa, rms_norm, x, weight, offset, epsilon, width, out);
}

void kl_rope(kl_isa isa, float *x, size_t width, const float *cosines, const float *sines, bool halves) {
  KL_DISPATCH(isa, rope, x, width, cosines, sines, halves);
}

void kl_add(kl_isa isa, float *x, const float *y, size_t n) { KL_DISPATCH(isa, add, x, y, n); }

void kl_scale(kl_isa isa, float *x, float factor, size_t n) { KL_DISPATCH(isa, scale, x, factor, n); }

int64_t kl_argmax(kl_isa isa, const float *x, size_t n) {
  int64_t best;
  KL_DISPATCH(isa, argmax, x, n, &best);
  return best;
}

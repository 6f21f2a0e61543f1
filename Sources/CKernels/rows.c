#include "internal.h"

void kl_rms_norm(kl_isa isa, const float *x, const float *weight, float offset, float epsilon,
                 size_t width, float *out) {
  double squares = 0;
  for (size_t i = 0; i < width; ++i) squares += (double)x[i] * x[i];
  const float factor = (float)(1 / sqrt(squares / (double)width + epsilon));
  for (size_t i = 0; i < width; ++i) out[i] = x[i] * factor * (weight[i] + offset);
}

void kl_rope(kl_isa isa, float *x, size_t width, const float *cosines, const float *sines, bool halves) {
  const size_t pairs = width / 2;
  for (size_t i = 0; i < pairs; ++i) {
    float *a = halves ? x + i : x + 2 * i, *b = halves ? x + i + pairs : x + 2 * i + 1;
    const float first = *a, second = *b;
    *a = first * cosines[i] - second * sines[i];
    *b = second * cosines[i] + first * sines[i];
  }
}

void kl_add(kl_isa isa, float *x, const float *y, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] += y[i];
}

void kl_scale(kl_isa isa, float *x, float factor, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= factor;
}

int64_t kl_argmax(kl_isa isa, const float *x, size_t n) {
  int64_t best = -1;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] == x[i] && (best < 0 || x[i] > x[best])) best = (int64_t)i;
  }
  return best;
}

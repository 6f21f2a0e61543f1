#include "internal.h"

static void to_half_scalar(kl_half type, const float *x, size_t n, uint16_t *out) {
  for (size_t i = 0; i < n; ++i) out[i] = kl_half_from_float(type, x[i]);
}

static void from_half_scalar(kl_half type, const uint16_t *x, size_t n, float *out) {
  for (size_t i = 0; i < n; ++i) out[i] = kl_float_from_half(type, x[i]);
}

#define KL_BODY "half_body.h"
#include "bodies.h"

void kl_f32_to_half(kl_isa isa, kl_half type, const float *x, size_t n, uint16_t *out) {
  KL_DISPATCH(isa, to_half, type, x, n, out);
}

void kl_half_to_f32(kl_isa isa, kl_half type, const uint16_t *x, size_t n, float *out) {
  KL_DISPATCH(isa, from_half, type, x, n, out);
}

#include "internal.h"

// gelu_tanh(x) = 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)) with u = sqrt(2/π) (x + 0.044715 x³).
#define GELU_SLOPE 0.7978845608f
#define GELU_CUBE 0.044715f

static void swiglu_scalar(float *gate, const float *up, size_t n) {
  for (size_t i = 0; i < n; ++i) gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}

static void geglu_scalar(float *gate, const float *up, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const float x = gate[i], u = GELU_SLOPE * (x + GELU_CUBE * x * x * x);
    gate[i] = x / (1 + expf(-2 * u)) * up[i];
  }
}

#define KL_BODY "activations_body.h"
#include "bodies.h"

void kl_swiglu(kl_isa isa, float *gate, const float *up, size_t n) { KL_DISPATCH(isa, swiglu, gate, up, n); }

void kl_geglu(kl_isa isa, float *gate, const float *up, size_t n) { KL_DISPATCH(isa, geglu, gate, up, n); }

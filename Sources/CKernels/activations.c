#include "internal.h"

void kl_swiglu(kl_isa isa, float *gate, const float *up, size_t n) {
  for (size_t i = 0; i < n; ++i) gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}

void kl_geglu(kl_isa isa, float *gate, const float *up, size_t n) {
  // 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)) with u = sqrt(2/π) (x + 0.044715 x³).
  for (size_t i = 0; i < n; ++i) {
    const float x = gate[i], u = 0.7978845608f * (x + 0.044715f * x * x * x);
    gate[i] = x / (1 + expf(-2 * u)) * up[i];
  }
}

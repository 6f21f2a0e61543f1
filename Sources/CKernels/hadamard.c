// Walsh–Hadamard transforms: additions in a fixed order, compiled once per instruction set, the same bits from each.
#include "internal.h"

#pragma STDC FP_CONTRACT OFF

/// One block; `block` is a constant where this is inlined, so that all loops unroll.
KL_INLINE void transform_block(float *x, size_t block, float scale) {
  for (size_t half = block / 2; half > 0; half /= 2) {
    for (size_t start = 0; start < block; start += 2 * half) {
      for (size_t i = start; i < start + half; ++i) {
        const float a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
  for (size_t i = 0; i < block; ++i) x[i] *= scale;
}

KL_INLINE void transform(float *x, size_t n, size_t block) {
  const float scale = 1 / sqrtf((float)block);
  switch (block) {
    case 16:
      for (size_t i = 0; i < n; i += 16) transform_block(x + i, 16, scale);
      break;
    case 32:
      for (size_t i = 0; i < n; i += 32) transform_block(x + i, 32, scale);
      break;
    case 64:
      for (size_t i = 0; i < n; i += 64) transform_block(x + i, 64, scale);
      break;
    case 128:
      for (size_t i = 0; i < n; i += 128) transform_block(x + i, 128, scale);
      break;
    default:
      for (size_t i = 0; i < n; i += block) transform_block(x + i, block, scale);
  }
}

static void hadamard_scalar(float *x, size_t n, size_t block) { transform(x, n, block); }

#define KL_BODY "hadamard_body.h"
#include "bodies.h"

void kl_hadamard(kl_isa isa, float *x, size_t n, size_t block) { KL_DISPATCH(isa, hadamard, x, n, block); }

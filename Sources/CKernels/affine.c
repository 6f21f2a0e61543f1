#include "internal.h"

// MLX's `quantize`, affine mode, on its CPU backend. MLX computes in f32 on inputs of the type of its scales, so
// rows rounded to `type` give MLX's bytes; the codes come from the scale and bias before they are rounded.
// Where MLX leaves the result to chance, a group that holds an infinity or NaN has scale and bias NaN, codes 0.

enum { LARGEST_GROUP = 128 };

/// Scale and bias of a group of `bits`-bit codes from its range.
KL_INLINE void group_range(float low, float high, bool finite, int bits, float *scale, float *bias) {
  if (!finite) {
    *scale = *bias = NAN;
    return;
  }
  const float span = (high - low) / (float)((1 << bits) - 1), step = span > 1e-7f ? span : 1e-7f;
  const bool below = fabsf(low) > fabsf(high);
  const float edge = below ? low : high;
  *scale = below ? step : -step;
  *bias = 0;
  const float steps = rintf(edge / *scale);
  if (steps != 0) {
    *scale = edge / steps;
    *bias = edge;
  }
}

/// Eight codes to `bits` bytes, least significant bits first.
KL_INLINE void pack_eight(int bits, const uint8_t *codes, uint8_t *out) {
  uint64_t word = 0;
  KL_UNROLL for (int i = 0; i < 8; ++i) word |= (uint64_t)codes[i] << (i * bits);
  memcpy(out, &word, (size_t)bits);
}

KL_INLINE void unpack_eight(int bits, const uint8_t *packed, uint8_t *codes) {
  uint64_t word = 0;
  memcpy(&word, packed, (size_t)bits);
  KL_UNROLL for (int i = 0; i < 8; ++i) codes[i] = (uint8_t)(word >> (i * bits) & ((1u << bits) - 1));
}

static void encode_scalar(int bits, int group, const float *x, uint8_t *codes, float *scale, float *bias) {
  const float bins = (float)((1 << bits) - 1);
  float low = INFINITY, high = -INFINITY;
  bool finite = true;
  for (int i = 0; i < group; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    finite &= fabsf(x[i]) < INFINITY;
  }
  group_range(low, high, finite, bits, scale, bias);
  uint8_t bytes[LARGEST_GROUP];
  for (int i = 0; i < group; ++i) {
    const float steps = rintf((x[i] - *bias) / *scale);
    bytes[i] = steps > 0 ? (uint8_t)(steps < bins ? steps : bins) : 0;
  }
  for (int i = 0; i < group; i += 8) pack_eight(bits, bytes + i, codes + i / 8 * bits);
}

static void decode_scalar(int bits, int group, const uint8_t *codes, float scale, float bias, float *out) {
  for (int i = 0; i < group; i += 8) {
    uint8_t bytes[8];
    unpack_eight(bits, codes + i / 8 * bits, bytes);
    for (int j = 0; j < 8; ++j) out[i + j] = scale * (float)bytes[j] + bias;
  }
}

#define KL_BODY "affine_body.h"
#include "bodies.h"

void kl_affine_encode(kl_isa isa, int bits, int group, kl_half type, const float *x, size_t n,
                      size_t width, size_t strideX, uint8_t *codes, uint16_t *scales, uint16_t *biases) {
  const size_t step = (size_t)group;
  for (size_t i = 0; i < n; ++i) {
    for (size_t d = 0; d < width; d += step) {
      float scale, bias;
      KL_DISPATCH(isa, encode, bits, group, x + i * strideX + d, codes, &scale, &bias);
      *scales++ = kl_half_from_float(type, scale);
      *biases++ = kl_half_from_float(type, bias);
      codes += step * (size_t)bits / 8;
    }
  }
}

void kl_affine_decode(kl_isa isa, int bits, int group, kl_half type, const uint8_t *codes,
                      const uint16_t *scales, const uint16_t *biases, size_t n, size_t width,
                      float *out, size_t strideOut) {
  const size_t step = (size_t)group;
  for (size_t i = 0; i < n; ++i) {
    for (size_t d = 0; d < width; d += step) {
      const float scale = kl_float_from_half(type, *scales++), bias = kl_float_from_half(type, *biases++);
      KL_DISPATCH(isa, decode, bits, group, codes, scale, bias, out + i * strideOut + d);
      codes += step * (size_t)bits / 8;
    }
  }
}

#include "internal.h"

/// Scale and bias of one group as MLX computes them, in f32, before they are rounded to halves.
static void group_range(const float *x, int group, float bins, float *scale, float *bias) {
  float low = INFINITY, high = -INFINITY;
  uint32_t largest = 0;
  for (int i = 0; i < group; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    const uint32_t magnitude = kl_bits(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest >= 0x7f800000) {
    *scale = *bias = NAN;
    return;
  }
  const float span = (high - low) / bins, step = span > 1e-7f ? span : 1e-7f;
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

static void encode_scalar(int bits, int group, kl_half type, const float *x, size_t n, size_t width,
                          size_t strideX, uint8_t *codes, uint16_t *scales, uint16_t *biases) {
  const float bins = (float)((1 << bits) - 1);
  for (size_t i = 0; i < n; ++i) {
    for (size_t start = 0; start < width; start += (size_t)group) {
      const float *values = x + i * strideX + start;
      float scale, bias;
      group_range(values, group, bins, &scale, &bias);
      uint32_t pending = 0;
      int filled = 0;
      for (int j = 0; j < group; ++j) {
        const float steps = rintf((values[j] - bias) / scale);
        const uint32_t code = steps > 0 ? (uint32_t)(steps < bins ? steps : bins) : 0;
        pending |= code << filled;
        for (filled += bits; filled >= 8; filled -= 8, pending >>= 8) *codes++ = (uint8_t)pending;
      }
      *scales++ = kl_half_from_float(type, scale);
      *biases++ = kl_half_from_float(type, bias);
    }
  }
}

static void decode_scalar(int bits, int group, kl_half type, const uint8_t *codes, const uint16_t *scales,
                          const uint16_t *biases, size_t n, size_t width, float *out, size_t strideOut) {
  const uint32_t mask = (1u << bits) - 1;
  for (size_t i = 0; i < n; ++i) {
    for (size_t start = 0; start < width; start += (size_t)group) {
      const float scale = kl_float_from_half(type, *scales++), bias = kl_float_from_half(type, *biases++);
      float *values = out + i * strideOut + start;
      uint32_t pending = 0;
      int filled = 0;
      for (int j = 0; j < group; ++j) {
        for (; filled < bits; filled += 8) pending |= (uint32_t)*codes++ << filled;
        values[j] = scale * (float)(pending & mask) + bias;
        pending >>= bits;
        filled -= bits;
      }
    }
  }
}

void kl_affine_encode(kl_isa isa, int bits, int group, kl_half type, const float *x, size_t n,
                      size_t width, size_t strideX, uint8_t *codes, uint16_t *scales, uint16_t *biases) {
  encode_scalar(bits, group, type, x, n, width, strideX, codes, scales, biases);
}

void kl_affine_decode(kl_isa isa, int bits, int group, kl_half type, const uint8_t *codes,
                      const uint16_t *scales, const uint16_t *biases, size_t n, size_t width,
                      float *out, size_t strideOut) {
  decode_scalar(bits, group, type, codes, scales, biases, n, width, out, strideOut);
}

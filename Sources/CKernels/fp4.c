// Rows in E2M1, 4-bit floats, with a scale for each block: MXFP4 and NVFP4. Loops for the compiler to vectorize, compiled
// once per instruction set, the same bytes from each.
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

/// Codes of x / divisor, two in a byte, the first in the low nibble.
KL_INLINE void put_codes(const float *x, size_t block, float divisor, uint8_t *out) {
  uint8_t codes[32];
  for (size_t i = 0; i < block; ++i) {
    const float scaled = x[i] / divisor;
    codes[i] = (uint8_t)((kl_bits(scaled) >> 28 & 8) | minifloat_code(E2M1, fabsf(scaled)));
  }
  for (size_t i = 0; i < block / 2; ++i) out[i] = (uint8_t)(codes[2 * i] | codes[2 * i + 1] << 4);
}

KL_INLINE void get_values(const uint8_t *codes, size_t block, float scale, float *out) {
  static const float levels[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  for (size_t i = 0; i < block / 2; ++i) {
    out[2 * i] = scale * levels[codes[i] & 15];
    out[2 * i + 1] = scale * levels[codes[i] >> 4];
  }
}

/// 2^(code - 127); the least of them is subnormal.
KL_INLINE float float_from_e8m0(uint8_t code) {
  return code == 255 ? NAN : code == 0 ? 0x1p-127f : kl_float((uint32_t)code << 23);
}

KL_INLINE void mx_encode_block(const float *x, uint8_t *codes, uint8_t *scale) {
  const float largest = largest_magnitude(x, 32);
  if (!(largest < INFINITY)) {
    *scale = 255;
    memset(codes, 0, 16);
    return;
  }
  // floor(log2) of the largest less that of 6; magnitudes below 2^-125 have the least scale.
  const uint32_t exponent = kl_bits(largest) >> 23;
  *scale = (uint8_t)(exponent < 2 ? 0 : exponent - 2);
  put_codes(x, 32, float_from_e8m0(*scale), codes);
}

KL_INLINE void nv_encode_row(bool own, const float *x, size_t width, uint8_t *codes, uint8_t *scales, float *row) {
  float unit = 1;
  if (own) {
    const float largest = largest_magnitude(x, width);
    unit = largest < INFINITY ? largest / (E4M3.largest * E2M1.largest) : NAN;
    *row = unit;
  }
  for (size_t block = 0; block < width / 16; ++block) {
    const float amax = largest_magnitude(x + 16 * block, 16);
    const float ideal = amax / E2M1.largest / unit;
    // A unit of 0 stands for rows that are all but zero.
    const uint8_t code = unit == 0 ? 0 : ideal < INFINITY ? (uint8_t)minifloat_code(E4M3, ideal) : 0x7f;
    const float divisor = unit * minifloat_value(E4M3, code);
    scales[block] = code;
    if (code == 0x7f || !(divisor > 0)) {
      memset(codes + 8 * block, 0, 8);
    } else {
      put_codes(x + 16 * block, 16, divisor, codes + 8 * block);
    }
  }
}

KL_INLINE void nv_decode_row(float unit, const uint8_t *codes, const uint8_t *scales, size_t width, float *out) {
  for (size_t block = 0; block < width / 16; ++block) {
    const uint8_t code = scales[block] & 0x7f;
    const float scale = code == 0x7f ? NAN : unit * minifloat_value(E4M3, code);
    get_values(codes + 8 * block, 16, scale, out + 16 * block);
  }
}

KL_INLINE void mx_encode(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, uint8_t *scales) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t d = 0; d < width; d += 32) mx_encode_block(x + i * stride + d, codes + (i * width + d) / 2, scales++);
  }
}

KL_INLINE void mx_decode(const uint8_t *codes, const uint8_t *scales, size_t n, size_t width, float *out) {
  for (size_t block = 0; block < n * width / 32; ++block) {
    get_values(codes + 16 * block, 32, float_from_e8m0(scales[block]), out + 32 * block);
  }
}

KL_INLINE void nv_encode(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, uint8_t *scales,
                         float *units) {
  for (size_t i = 0; i < n; ++i) {
    nv_encode_row(units != NULL, x + i * stride, width, codes + i * width / 2, scales + i * width / 16,
                  units ? units + i : NULL);
  }
}

KL_INLINE void nv_decode(const uint8_t *codes, const uint8_t *scales, const float *units, size_t n, size_t width,
                         float *out) {
  for (size_t i = 0; i < n; ++i) {
    nv_decode_row(units ? units[i] : 1, codes + i * width / 2, scales + i * width / 16, width, out + i * width);
  }
}

static void mx_encode_scalar(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, uint8_t *scales) {
  mx_encode(x, n, width, stride, codes, scales);
}

static void mx_decode_scalar(const uint8_t *codes, const uint8_t *scales, size_t n, size_t width, float *out) {
  mx_decode(codes, scales, n, width, out);
}

static void nv_encode_scalar(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, uint8_t *scales,
                             float *units) {
  nv_encode(x, n, width, stride, codes, scales, units);
}

static void nv_decode_scalar(const uint8_t *codes, const uint8_t *scales, const float *units, size_t n, size_t width,
                             float *out) {
  nv_decode(codes, scales, units, n, width, out);
}

#define KL_BODY "fp4_body.h"
#include "bodies.h"

void kl_mxfp4_encode(kl_isa isa, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes, uint8_t *scales) {
  KL_DISPATCH(isa, mx_encode, x, n, width, strideX, codes, scales);
}

void kl_mxfp4_decode(kl_isa isa, const uint8_t *codes, const uint8_t *scales, size_t n, size_t width, float *out) {
  KL_DISPATCH(isa, mx_decode, codes, scales, n, width, out);
}

void kl_nvfp4_encode(kl_isa isa, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes, uint8_t *scales,
                     float *_Nullable units) {
  KL_DISPATCH(isa, nv_encode, x, n, width, strideX, codes, scales, units);
}

void kl_nvfp4_decode(kl_isa isa, const uint8_t *codes, const uint8_t *scales, const float *_Nullable units, size_t n,
                     size_t width, float *out) {
  KL_DISPATCH(isa, nv_decode, codes, scales, units, n, width, out);
}

// Rows in 8-bit floats with one f32 scale a row: loops for the compiler to vectorize, compiled once per instruction set,
// the same bytes from each.
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

KL_INLINE void encode_row(minifloat format, const float *x, size_t width, uint8_t *codes, float *scale) {
  const float largest = largest_magnitude(x, width);
  *scale = largest < INFINITY ? largest / format.largest : NAN;
  if (!(*scale > 0)) {
    memset(codes, 0, width);
    return;
  }
  const float divisor = *scale;
  for (size_t i = 0; i < width; ++i) {
    const float scaled = x[i] / divisor;
    codes[i] = (uint8_t)((kl_bits(scaled) >> 24 & 0x80) | minifloat_code(format, fabsf(scaled)));
  }
}

KL_INLINE void encode(kl_fp8 type, const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, float *scales) {
  for (size_t i = 0; i < n; ++i) {
    if (type == KL_E4M3) {
      encode_row(E4M3, x + i * stride, width, codes + i * width, scales + i);
    } else {
      encode_row(E5M2, x + i * stride, width, codes + i * width, scales + i);
    }
  }
}

/// E4M3 has one NaN of each sign and no infinities; the largest exponent of E5M2 is that of infinities and NaN.
KL_INLINE void decode_row(minifloat format, uint32_t special, const uint8_t *codes, float scale, size_t width, float *out) {
  for (size_t i = 0; i < width; ++i) {
    const uint32_t sign = (uint32_t)(codes[i] & 0x80) << 24, code = codes[i] & 0x7f;
    const uint32_t beyond = 0x7f800000 | (code == special && special != 0x7f ? 0 : 0x400000);
    const uint32_t finite = kl_bits(minifloat_value(format, code));
    out[i] = scale * kl_float(sign | (code >= special ? beyond : finite));
  }
}

KL_INLINE void decode(kl_fp8 type, const uint8_t *codes, const float *scales, size_t n, size_t width, float *out) {
  for (size_t i = 0; i < n; ++i) {
    if (type == KL_E4M3) {
      decode_row(E4M3, 0x7f, codes + i * width, scales[i], width, out + i * width);
    } else {
      decode_row(E5M2, 0x7c, codes + i * width, scales[i], width, out + i * width);
    }
  }
}

static void encode_scalar(kl_fp8 type, const float *x, size_t n, size_t width, size_t stride, uint8_t *codes, float *scales) {
  encode(type, x, n, width, stride, codes, scales);
}

static void decode_scalar(kl_fp8 type, const uint8_t *codes, const float *scales, size_t n, size_t width, float *out) {
  decode(type, codes, scales, n, width, out);
}

#define KL_BODY "fp8_body.h"
#include "bodies.h"

void kl_fp8_encode(kl_isa isa, kl_fp8 type, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes,
                   float *scales) {
  KL_DISPATCH(isa, encode, type, x, n, width, strideX, codes, scales);
}

void kl_fp8_decode(kl_isa isa, kl_fp8 type, const uint8_t *codes, const float *scales, size_t n, size_t width, float *out) {
  KL_DISPATCH(isa, decode, type, codes, scales, n, width, out);
}

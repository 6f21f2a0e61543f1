// Quantization to GGML blocks of 32, byte for byte as GGML's reference code
// (quantize_row_*_ref in https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-quants.c): loops for the
// compiler to vectorize, compiled once per instruction set, the same bytes from each. Where the reference leaves the
// bytes to chance:
//   - a block with an infinity or NaN has codes 0 and scale (and minimum) NaN, so that it shows;
//   - a scale whose inverse overflows (below 2^-128, 0 as f16) gives every element the code of zero (of the minimum);
//   - an iq4_nl block below 1e-15 has codes 0, where the reference repeats the codes of the block before.
#include "internal.h"

// The reference rounds products before it adds.
#pragma STDC FP_CONTRACT OFF

enum { BLOCK = 32 };

typedef struct {
  float low, high;
  float extreme;  // the first of the largest magnitude
  bool finite;
} block_range;

/// A float as an integer that compares as the float does, NaN beyond the infinities; its own inverse.
KL_INLINE int32_t order_key(int32_t bits) { return bits ^ (bits >> 31 & 0x7fffffff); }

KL_INLINE block_range range_of(const float *x) {
  int32_t lowest = INT32_MAX, highest = INT32_MIN;
  for (int i = 0; i < BLOCK; ++i) {
    const int32_t key = order_key((int32_t)kl_bits(x[i]));
    lowest = key < lowest ? key : lowest;
    highest = key > highest ? key : highest;
  }
  block_range range;
  range.low = kl_float((uint32_t)order_key(lowest));
  range.high = kl_float((uint32_t)order_key(highest));
  range.finite = fabsf(range.low) < INFINITY && fabsf(range.high) < INFINITY;
  range.extreme = range.high > -range.low ? range.high : range.low;
  // Both ends as far from 0, or a zero of either sign at the low end: what comes first counts.
  if (range.finite && range.high == -range.low) {
    int first = 0;
    while (fabsf(x[first]) != range.high) ++first;
    range.extreme = range.high == 0 ? 0 : x[first];
  }
  if (range.low == 0) {
    int first = 0;
    while (x[first] != 0) ++first;
    range.low = x[first];
  }
  return range;
}

KL_INLINE float inverse(float d) {
  const float id = d != 0 ? 1 / d : 0;
  return fabsf(id) < INFINITY ? id : 0;
}

/// Codes of x·id around `middle`, clipped to 0 ... top.
KL_INLINE void codes_signed(const float *x, float id, float middle, int32_t top, int32_t *codes) {
  for (int i = 0; i < BLOCK; ++i) {
    const int32_t code = (int32_t)(x[i] * id + (middle + 0.5f));
    codes[i] = code < top ? code : top;
  }
}

/// Codes of (x − low)·id, clipped to 0 ... top.
KL_INLINE void codes_above(const float *x, float low, float id, int32_t top, int32_t *codes) {
  for (int i = 0; i < BLOCK; ++i) {
    const int32_t code = (int32_t)((x[i] - low) * id + 0.5f);
    codes[i] = code < top ? code : top;
  }
}

KL_INLINE uint8_t *put_half(float value, uint8_t *out) {
  const uint16_t half = kl_f16_from_float(value);
  memcpy(out, &half, 2);
  return out + 2;
}

/// Low four bits: the first sixteen codes in the low halves of the bytes.
KL_INLINE uint8_t *put_nibbles(const int32_t *codes, uint8_t *out) {
  for (int i = 0; i < BLOCK / 2; ++i) out[i] = (uint8_t)((codes[i] & 15) | (codes[BLOCK / 2 + i] & 15) << 4);
  return out + BLOCK / 2;
}

/// Fifth bits, one word with element i in bit i.
KL_INLINE uint8_t *put_fifth_bits(const int32_t *codes, uint8_t *out) {
  uint32_t word = 0;
  for (int i = 0; i < BLOCK; ++i) word |= ((uint32_t)codes[i] >> 4 & 1) << i;
  memcpy(out, &word, 4);
  return out + 4;
}

KL_INLINE uint8_t *put_q8_0(const float *x, uint8_t *out) {
  const block_range range = range_of(x);
  const float d = range.finite ? fabsf(range.extreme) / 127 : NAN, id = inverse(d);
  out = put_half(d, out);
  for (int i = 0; i < BLOCK; ++i) {
    // Halves away from zero: the fraction, doubled, is exact.
    const float steps = range.finite ? x[i] * id : 0;
    const int32_t whole = (int32_t)steps;
    out[i] = (uint8_t)(whole + (int32_t)(2 * (steps - (float)whole)));
  }
  return out + BLOCK;
}

/// q4_0 and q5_0: codes 0 ... 2·middle − 1 around zero at `middle`.
KL_INLINE uint8_t *put_signed(const float *x, int32_t middle, uint8_t *out) {
  const block_range range = range_of(x);
  const float d = range.finite ? range.extreme / (float)-middle : NAN;
  int32_t codes[BLOCK] = {0};
  if (range.finite) codes_signed(x, inverse(d), (float)middle, 2 * middle - 1, codes);
  out = put_half(d, out);
  if (middle == 16) out = put_fifth_bits(codes, out);
  return put_nibbles(codes, out);
}

/// q4_1 and q5_1: codes 0 ... top above the minimum.
KL_INLINE uint8_t *put_above(const float *x, int32_t top, uint8_t *out) {
  const block_range range = range_of(x);
  const float d = range.finite ? (range.high - range.low) / (float)top : NAN;
  int32_t codes[BLOCK] = {0};
  if (fabsf(d) < INFINITY) codes_above(x, range.low, inverse(d), top, codes);
  out = put_half(range.finite ? range.low : NAN, put_half(d, out));
  if (top == 31) out = put_fifth_bits(codes, out);
  return put_nibbles(codes, out);
}

/// Levels of iq4_nl. A value in the middle between two takes the upper one.
static const int32_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/// Codes of the levels nearest to x·127/−extreme, then the scale that fits them best, weighted by x².
KL_INLINE uint8_t *put_iq4_nl(const float *x, uint8_t *out) {
  const block_range range = range_of(x);
  int32_t codes[BLOCK] = {0};
  if (!range.finite || fabsf(range.extreme) < 1e-15f) {
    return put_nibbles(codes, put_half(range.finite ? 0 : NAN, out));
  }
  const float id = 1 / (range.extreme / -127);
  float qx[BLOCK], qq[BLOCK];
  for (int i = 0; i < BLOCK; ++i) {
    const float steps = x[i] * id;
    int32_t code = 0, level = levels[0];
    KL_UNROLL for (int j = 1; j < 16; ++j) {
      const int32_t above = -(steps >= (float)(levels[j - 1] + levels[j]) / 2);
      code -= above;
      level += above & (levels[j] - levels[j - 1]);
    }
    codes[i] = code;
    const float q = (float)level, wq = x[i] * x[i] * q;
    qx[i] = wq * x[i];
    qq[i] = wq * q;
  }
  float sum_qx = 0, sum_qq = 0;
  for (int i = 0; i < BLOCK; ++i) {
    sum_qx += qx[i];
    sum_qq += qq[i];
  }
  return put_nibbles(codes, put_half(sum_qq > 0 ? sum_qx / sum_qq : 0, out));
}

#define ROWS(put)                                                              \
  for (size_t i = 0; i < n; ++i) {                                             \
    for (size_t d = 0; d < width; d += BLOCK) out = put;                       \
    x += stride;                                                               \
  }                                                                            \
  break

KL_INLINE void encode(kl_ggml type, const float *x, size_t n, size_t width, size_t stride, uint8_t *out) {
  switch (type) {
    case KL_GGML_Q8_0: ROWS(put_q8_0(x + d, out));
    case KL_GGML_Q5_1: ROWS(put_above(x + d, 31, out));
    case KL_GGML_Q5_0: ROWS(put_signed(x + d, 16, out));
    case KL_GGML_Q4_1: ROWS(put_above(x + d, 15, out));
    case KL_GGML_Q4_0: ROWS(put_signed(x + d, 8, out));
    case KL_GGML_IQ4_NL: ROWS(put_iq4_nl(x + d, out));
    default: break;
  }
}

static void encode_scalar(kl_ggml type, const float *x, size_t n, size_t width, size_t stride, uint8_t *out) {
  encode(type, x, n, width, stride, out);
}

#define KL_BODY "ggml_encode_body.h"
#include "bodies.h"

void kl_ggml_encode(kl_isa isa, kl_ggml type, const float *x, size_t n, size_t width, size_t strideX,
                    uint8_t *blocks) {
  KL_DISPATCH(isa, encode, type, x, n, width, strideX, blocks);
}

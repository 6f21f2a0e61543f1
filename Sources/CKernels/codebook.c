// Codes of the nearest of 2^bits levels, packed. Loops for the compiler to vectorize, compiled once per instruction set,
// the same bytes from each.
#include "internal.h"

#pragma STDC FP_CONTRACT OFF

/// Eight elements at a time: their codes fill `bits` bytes.
KL_INLINE void encode_bits(int bits, const float *levels, const float *x, size_t n, uint8_t *codes) {
  float middles[15];
  const int last = (1 << bits) - 1;
  for (int k = 0; k < last; ++k) middles[k] = (levels[k] + levels[k + 1]) * 0.5f;
  for (size_t i = 0; i < n; i += 8, codes += bits) {
    uint32_t nearest[8] = {0};
    for (int k = 0; k < last; ++k) {
      for (int j = 0; j < 8; ++j) nearest[j] += x[i + j] > middles[k];
    }
    uint32_t packed = 0;
    for (int j = 0; j < 8; ++j) packed |= nearest[j] << (j * bits);
    for (int j = 0; j < bits; ++j) codes[j] = (uint8_t)(packed >> (8 * j));
  }
}

KL_INLINE void decode_bits(int bits, const float *levels, const uint8_t *codes, float scale, size_t n, float *out) {
  float scaled[16];
  for (int k = 0; k < 1 << bits; ++k) scaled[k] = levels[k] * scale;
  for (size_t i = 0; i < n; i += 8, codes += bits) {
    uint32_t packed = 0;
    for (int j = 0; j < bits; ++j) packed |= (uint32_t)codes[j] << (8 * j);
    for (int j = 0; j < 8; ++j) out[i + j] = scaled[packed >> (j * bits) & ((1 << bits) - 1)];
  }
}

KL_INLINE void encode(int bits, const float *levels, const float *x, size_t n, uint8_t *codes) {
  switch (bits) {
    case 1: encode_bits(1, levels, x, n, codes); break;
    case 2: encode_bits(2, levels, x, n, codes); break;
    case 3: encode_bits(3, levels, x, n, codes); break;
    default: encode_bits(4, levels, x, n, codes);
  }
}

KL_INLINE void decode(int bits, const float *levels, const uint8_t *codes, float scale, size_t n, float *out) {
  switch (bits) {
    case 1: decode_bits(1, levels, codes, scale, n, out); break;
    case 2: decode_bits(2, levels, codes, scale, n, out); break;
    case 3: decode_bits(3, levels, codes, scale, n, out); break;
    default: decode_bits(4, levels, codes, scale, n, out);
  }
}

static void encode_scalar(int bits, const float *levels, const float *x, size_t n, uint8_t *codes) {
  encode(bits, levels, x, n, codes);
}

static void decode_scalar(int bits, const float *levels, const uint8_t *codes, float scale, size_t n, float *out) {
  decode(bits, levels, codes, scale, n, out);
}

#define KL_BODY "codebook_body.h"
#include "bodies.h"

void kl_codebook_encode(kl_isa isa, int bits, const float *levels, const float *x, size_t n, uint8_t *codes) {
  KL_DISPATCH(isa, encode, bits, levels, x, n, codes);
}

void kl_codebook_decode(kl_isa isa, int bits, const float *levels, const uint8_t *codes, float scale, size_t n, float *out) {
  KL_DISPATCH(isa, decode, bits, levels, codes, scale, n, out);
}

// Dequantization of GGML blocks: loops that compilers vectorize; those of blocks of 32, which caches use too, are
// compiled once per instruction set. Every product of a 16-bit scale and a code is exact in f32, so the results do not
// depend on whether multiplies and adds are fused.
#include "internal.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "blocks are little-endian"
#endif

typedef struct {
  uint16_t d;
  uint8_t qs[16];
} block_q4_0;

typedef struct {
  uint16_t d, m;
  uint8_t qs[16];
} block_q4_1;

typedef struct {
  uint16_t d;
  uint8_t qh[4], qs[16];
} block_q5_0;

typedef struct {
  uint16_t d, m;
  uint8_t qh[4], qs[16];
} block_q5_1;

typedef struct {
  uint16_t d;
  int8_t qs[32];
} block_q8_0;

typedef struct {
  uint16_t d;
  uint8_t qs[16];
} block_iq4_nl;

typedef struct {
  uint16_t d, dmin;
  uint8_t scales[12], qs[128];
} block_q4_k;

typedef struct {
  uint16_t d, dmin;
  uint8_t scales[12], qh[32], qs[128];
} block_q5_k;

typedef struct {
  uint8_t ql[128], qh[64];
  int8_t scales[16];
  uint16_t d;
} block_q6_k;

_Static_assert(sizeof(block_q4_0) == 18 && sizeof(block_q4_1) == 20 && sizeof(block_iq4_nl) == 18, "4-bit blocks");
_Static_assert(sizeof(block_q5_0) == 22 && sizeof(block_q5_1) == 24, "5-bit blocks");
_Static_assert(sizeof(block_q8_0) == 34, "8-bit blocks");
_Static_assert(sizeof(block_q4_k) == 144 && sizeof(block_q5_k) == 176 && sizeof(block_q6_k) == 210, "K blocks");

/// kl_float_from_f16 without branches, for loops over many.
KL_INLINE float float_from_f16(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
  const uint32_t small = kl_bits((float)(int32_t)magnitude * 0x1p-24f);
  const uint32_t normal = (magnitude << 13) + 0x38000000;
  const uint32_t special = 0x7f800000 | (magnitude << 13) | (magnitude > 0x7c00 ? 0x400000 : 0);
  const uint32_t finite = magnitude < 0x400 ? small : normal;
  return kl_float(sign | (magnitude >= 0x7c00 ? special : finite));
}

KL_INLINE uint16_t load16(const uint8_t *x) {
  uint16_t value;
  memcpy(&value, x, 2);
  return value;
}

static void from_f16(const uint8_t *x, size_t n, float *out) {
  for (size_t i = 0; i < n; ++i) out[i] = float_from_f16(load16(x + 2 * i));
}

static void from_bf16(const uint8_t *x, size_t n, float *out) {
  for (size_t i = 0; i < n; ++i) out[i] = kl_float((uint32_t)load16(x + 2 * i) << 16);
}

KL_INLINE void from_q4_0(const block_q4_0 *b, float *out) {
  const float d = kl_float_from_f16(b->d);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (float)((b->qs[i] & 15) - 8);
    out[16 + i] = d * (float)((b->qs[i] >> 4) - 8);
  }
}

KL_INLINE void from_q4_1(const block_q4_1 *b, float *out) {
  const float d = kl_float_from_f16(b->d), m = kl_float_from_f16(b->m);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * (float)(b->qs[i] & 15) + m;
    out[16 + i] = d * (float)(b->qs[i] >> 4) + m;
  }
}

/// The 32 five-bit codes of a block: low nibbles, then high nibbles, with the fifth bits in `qh`.
KL_INLINE void codes_q5(const uint8_t qh[4], const uint8_t qs[16], uint8_t codes[32]) {
  for (int i = 0; i < 16; ++i) {
    codes[i] = qs[i] & 15;
    codes[16 + i] = qs[i] >> 4;
  }
  // Eight bits at a time: copies of a byte, one bit of each, then 16 where it is set.
  for (int j = 0; j < 4; ++j) {
    const uint64_t bits = qh[j] * 0x0101010101010101u & 0x8040201008040201u;
    uint64_t bytes;
    memcpy(&bytes, codes + 8 * j, 8);
    bytes |= (bits + 0x7f7f7f7f7f7f7f7fu) >> 3 & 0x1010101010101010u;
    memcpy(codes + 8 * j, &bytes, 8);
  }
}

KL_INLINE void from_q5_0(const block_q5_0 *b, float *out) {
  const float d = kl_float_from_f16(b->d);
  uint8_t codes[32];
  codes_q5(b->qh, b->qs, codes);
  for (int i = 0; i < 32; ++i) out[i] = d * (float)(codes[i] - 16);
}

KL_INLINE void from_q5_1(const block_q5_1 *b, float *out) {
  const float d = kl_float_from_f16(b->d), m = kl_float_from_f16(b->m);
  uint8_t codes[32];
  codes_q5(b->qh, b->qs, codes);
  for (int i = 0; i < 32; ++i) out[i] = d * (float)codes[i] + m;
}

KL_INLINE void from_q8_0(const block_q8_0 *b, float *out) {
  const float d = kl_float_from_f16(b->d);
  for (int i = 0; i < 32; ++i) out[i] = d * (float)b->qs[i];
}

KL_INLINE void from_iq4_nl(const block_iq4_nl *b, float *out) {
  static const float levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  const float d = kl_float_from_f16(b->d);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * levels[b->qs[i] & 15];
    out[16 + i] = d * levels[b->qs[i] >> 4];
  }
}

/// Six-bit scale and minimum of sub-block `j` (0...7) of a K block.
KL_INLINE void scale_min(const uint8_t scales[12], int j, float *scale, float *minimum) {
  if (j < 4) {
    *scale = (float)(scales[j] & 63);
    *minimum = (float)(scales[4 + j] & 63);
  } else {
    *scale = (float)((scales[4 + j] & 15) | (scales[j - 4] >> 6) << 4);
    *minimum = (float)((scales[4 + j] >> 4) | (scales[j] >> 6) << 4);
  }
}

static void from_q4_k(const block_q4_k *b, float *out) {
  const float d = kl_float_from_f16(b->d), dmin = kl_float_from_f16(b->dmin);
  for (int j = 0; j < 8; ++j) {
    float scale, minimum;
    scale_min(b->scales, j, &scale, &minimum);
    const float s = d * scale, m = dmin * minimum;
    const uint8_t *qs = b->qs + j / 2 * 32;
    const int shift = j % 2 * 4;
    for (int i = 0; i < 32; ++i) out[32 * j + i] = s * (float)(qs[i] >> shift & 15) - m;
  }
}

static void from_q5_k(const block_q5_k *b, float *out) {
  const float d = kl_float_from_f16(b->d), dmin = kl_float_from_f16(b->dmin);
  for (int j = 0; j < 8; ++j) {
    float scale, minimum;
    scale_min(b->scales, j, &scale, &minimum);
    const float s = d * scale, m = dmin * minimum;
    const uint8_t *qs = b->qs + j / 2 * 32;
    const int shift = j % 2 * 4;
    for (int i = 0; i < 32; ++i) {
      out[32 * j + i] = s * (float)((qs[i] >> shift & 15) | (b->qh[i] >> j & 1) << 4) - m;
    }
  }
}

static void from_q6_k(const block_q6_k *b, float *out) {
  const float d = kl_float_from_f16(b->d);
  for (int j = 0; j < 8; ++j) {
    const uint8_t *ql = b->ql + j / 4 * 64 + j % 2 * 32, *qh = b->qh + j / 4 * 32;
    const int low = j % 4 / 2 * 4, high = j % 4 * 2;
    for (int half = 0; half < 2; ++half) {
      const float s = d * (float)b->scales[2 * j + half];
      for (int i = 16 * half; i < 16 * half + 16; ++i) {
        out[32 * j + i] = s * (float)(((ql[i] >> low & 15) | (qh[i] >> high & 3) << 4) - 32);
      }
    }
  }
}

// Blocks may lie at any address, so each is copied out before it is read.
#define BLOCKS(size, type, body)                          \
  for (size_t i = 0; i < n / size; ++i) {                 \
    type block;                                           \
    memcpy(&block, bytes + i * sizeof block, sizeof block); \
    body(&block, out + i * size);                         \
  }                                                       \
  break

/// The types with blocks of 32.
KL_INLINE void decode(kl_ggml type, const uint8_t *bytes, size_t n, float *out) {
  switch (type) {
    case KL_GGML_Q4_0: BLOCKS(32, block_q4_0, from_q4_0);
    case KL_GGML_Q4_1: BLOCKS(32, block_q4_1, from_q4_1);
    case KL_GGML_Q5_0: BLOCKS(32, block_q5_0, from_q5_0);
    case KL_GGML_Q5_1: BLOCKS(32, block_q5_1, from_q5_1);
    case KL_GGML_Q8_0: BLOCKS(32, block_q8_0, from_q8_0);
    case KL_GGML_IQ4_NL: BLOCKS(32, block_iq4_nl, from_iq4_nl);
    default: break;
  }
}

static void decode_scalar(kl_ggml type, const uint8_t *bytes, size_t n, float *out) { decode(type, bytes, n, out); }

#define KL_BODY "ggml_decode_body.h"
#include "bodies.h"

void kl_ggml_decode(kl_isa isa, kl_ggml type, const uint8_t *blocks, size_t n, float *out) {
  KL_DISPATCH(isa, decode, type, blocks, n, out);
}

void kl_ggml_dequantize(kl_ggml type, const void *x, size_t n, float *out) {
  const uint8_t *bytes = x;
  switch (type) {
    case KL_GGML_F32: memcpy(out, x, n * sizeof *out); break;
    case KL_GGML_F16: from_f16(bytes, n, out); break;
    case KL_GGML_BF16: from_bf16(bytes, n, out); break;
    case KL_GGML_Q4_0:
    case KL_GGML_Q4_1:
    case KL_GGML_Q5_0:
    case KL_GGML_Q5_1:
    case KL_GGML_Q8_0:
    case KL_GGML_IQ4_NL: decode_scalar(type, bytes, n, out); break;
    case KL_GGML_Q4_K: BLOCKS(256, block_q4_k, from_q4_k);
    case KL_GGML_Q5_K: BLOCKS(256, block_q5_k, from_q5_k);
    case KL_GGML_Q6_K: BLOCKS(256, block_q6_k, from_q6_k);
  }
}

int64_t kl_first_beyond(const float *x, size_t n, float limit) {
  // Magnitudes compare as integers do, and NaN is the largest.
  const uint32_t bound = kl_bits(limit);
  for (size_t start = 0; start < n; start += 1024) {
    const size_t end = start + kl_min(1024, n - start);
    uint32_t largest = 0;
    for (size_t i = start; i < end; ++i) {
      const uint32_t magnitude = kl_bits(x[i]) & 0x7fffffff;
      largest = magnitude > largest ? magnitude : largest;
    }
    if (largest <= bound) continue;
    for (size_t i = start; i < end; ++i) {
      if ((kl_bits(x[i]) & 0x7fffffff) > bound) return (int64_t)i;
    }
  }
  return -1;
}

// What the processor can do at most: chains of one instruction on registers, enough of them to hide its latency.
#include "amx.h"

enum { CHAINS = 10 };

#if KL_X86

static KL_TARGET_AVX512 double f32_avx512(size_t rounds) {
  __m512 x[CHAINS];
  for (int i = 0; i < CHAINS; ++i) x[i] = _mm512_set1_ps((float)i);
  const __m512 a = _mm512_set1_ps(0.5f);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("vfmadd213ps %1, %1, %0" : "+v"(x[i]) : "v"(a));
  }
  return 2.0 * 16 * CHAINS * (double)rounds;
}

static KL_TARGET_AVX512 double int8_avx512(size_t rounds) {
  __m512i x[CHAINS];
  for (int i = 0; i < CHAINS; ++i) x[i] = _mm512_setzero_si512();
  const __m512i a = _mm512_set1_epi8(1);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(x[i]) : "v"(a));
  }
  return 2.0 * 64 * CHAINS * (double)rounds;
}

static KL_TARGET_AVX2 double f32_avx2(size_t rounds) {
  __m256 x[CHAINS];
  for (int i = 0; i < CHAINS; ++i) x[i] = _mm256_set1_ps((float)i);
  const __m256 a = _mm256_set1_ps(0.5f);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("vfmadd213ps %1, %1, %0" : "+x"(x[i]) : "x"(a));
  }
  return 2.0 * 8 * CHAINS * (double)rounds;
}

/// Pairs of products into 16 bits, as the products with weights do it here.
static KL_TARGET_AVX2 double int8_avx2(size_t rounds) {
  __m256i x[CHAINS];
  const __m256i a = _mm256_set1_epi8(1);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("vpmaddubsw %1, %1, %0" : "=x"(x[i]) : "x"(a));
  }
  return 2.0 * 32 * CHAINS * (double)rounds;
}

static KL_TARGET_AMX double tiles_amx(size_t rounds) {
  amx_begin();
  for (size_t r = 0; r < rounds; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return 2.0 * 4 * AMX_ROWS * AMX_ROWS * AMX_DEPTH * (double)rounds;
}

static KL_TARGET_AVX512 uint64_t read_avx512(const uint8_t *x, size_t n, size_t ahead) {
  __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t i = 0; i + 256 <= n; i += 256) {
    KL_UNROLL for (size_t j = 0; j < 4; ++j) {
      if (ahead > 0) _mm_prefetch((const char *)x + i + 64 * j + ahead, _MM_HINT_T0);
      sums[j] = _mm512_xor_si512(sums[j], _mm512_load_si512(x + i + 64 * j));
    }
  }
  return (uint64_t)_mm512_reduce_add_epi64(
      _mm512_xor_si512(_mm512_xor_si512(sums[0], sums[1]), _mm512_xor_si512(sums[2], sums[3])));
}

#elif KL_ARM

static KL_TARGET_NEON double f32_neon(size_t rounds) {
  float32x4_t x[CHAINS];
  for (int i = 0; i < CHAINS; ++i) x[i] = vdupq_n_f32((float)i);
  const float32x4_t a = vdupq_n_f32(0.5f);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(x[i]) : "w"(a));
  }
  return 2.0 * 4 * CHAINS * (double)rounds;
}

static KL_TARGET_NEON double int8_neon(size_t rounds) {
  int32x4_t x[CHAINS];
  for (int i = 0; i < CHAINS; ++i) x[i] = vdupq_n_s32(0);
  const int8x16_t a = vdupq_n_s8(1);
  for (size_t r = 0; r < rounds; ++r) {
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) x[i] = vdotq_s32(x[i], a, a);
    KL_UNROLL for (int i = 0; i < CHAINS; ++i) __asm__ volatile("" : "+w"(x[i]));
  }
  return 2.0 * 16 * CHAINS * (double)rounds;
}

#endif

double kl_ceiling_run(kl_isa isa, kl_ceiling kind, size_t rounds) {
#if KL_X86
  const bool wide = isa == KL_AVX512 || isa == KL_AMX;
  switch (kind) {
    case KL_CEILING_F32: return wide ? f32_avx512(rounds) : isa == KL_AVX2 ? f32_avx2(rounds) : 0;
    case KL_CEILING_INT8: return wide ? int8_avx512(rounds) : isa == KL_AVX2 ? int8_avx2(rounds) : 0;
    case KL_CEILING_TILES: return isa == KL_AMX ? tiles_amx(rounds) : 0;
  }
#elif KL_ARM
  switch (kind) {
    case KL_CEILING_F32: return isa == KL_NEON ? f32_neon(rounds) : 0;
    case KL_CEILING_INT8: return isa == KL_NEON ? int8_neon(rounds) : 0;
    case KL_CEILING_TILES: return 0;
  }
#endif
  (void)isa, (void)kind, (void)rounds;
  return 0;
}

uint64_t kl_read(kl_isa isa, const void *bytes, size_t n, size_t ahead) {
#if KL_X86
  if (isa == KL_AVX512 || isa == KL_AMX) return read_avx512(bytes, n, ahead);
#endif
  (void)isa;
  const uint64_t *x = bytes;
  uint64_t sums[8] = {0};
  for (size_t i = 0; i + 8 <= n / 8; i += 8) {
    if (ahead > 0) __builtin_prefetch((const char *)(x + i) + ahead);
    for (size_t j = 0; j < 8; ++j) sums[j] ^= x[i + j];
  }
  return sums[0] ^ sums[1] ^ sums[2] ^ sums[3] ^ sums[4] ^ sums[5] ^ sums[6] ^ sums[7];
}

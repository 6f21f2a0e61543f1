#include "q8.h"

typedef struct {
  const int8_t *codes;  // [tokens, groups, 64]
  const float *scales;  // [tokens, groups]
  const float *sums;    // [tokens, groups]
  size_t groups;
} activations;

static void gemm_scalar(kl_half type, const kl_q8_record *panels, size_t rows, const activations x, size_t tokens,
                        size_t panel0, size_t panel1, float *y, size_t strideY) {
  for (size_t row = panel0 * KL_PANEL_ROWS; row < kl_min(rows, panel1 * KL_PANEL_ROWS); ++row) {
    const kl_q8_record *records = panels + row / KL_PANEL_ROWS * x.groups;
    const size_t r = row % KL_PANEL_ROWS;
    for (size_t t = 0; t < tokens; ++t) y[t * strideY + row] = 0;
    for (size_t g = 0; g < x.groups; ++g) {
      const float scale = kl_float_from_half(type, records[g].scales[r]);
      const float bias = kl_float_from_half(type, records[g].biases[r]);
      for (size_t t = 0; t < tokens; ++t) {
        const size_t i = t * x.groups + g;
        int32_t dot = 0;
        for (size_t c = 0; c < KL_GROUP; ++c) {
          dot += records[g].codes[c / 4][4 * r + c % 4] * x.codes[i * KL_GROUP + c];
        }
        float *out = y + t * strideY + row;
        *out += scale * x.scales[i] * (float)dot;
        *out += bias * x.sums[i];
      }
    }
  }
}

#if KL_X86

// One vector holds 16 rows × 4 columns (AVX2: 8 × 4), a product against a broadcast of 4 activation bytes adds to
// all its rows, and no sum crosses lanes. Each (row, token) takes the same float operations in the same order in
// every loop below, so a token's result does not depend on how many tokens come with it.

enum { BLOCK_TOKENS = 256, BLOCK_GROUPS = 8, TILE_TOKENS = 6 };

/// P panels against T tokens over `groups` groups, added to sums [T, P, 16].
KL_INLINE KL_TARGET_AVX512 void tile_avx512(kl_half type, const kl_q8_record *records, int P, const activations x,
                                            int T, size_t groups, float *sums) {
  // Few sums at a time: two chains of integer products for each.
  const int chains = T * P <= 4 ? 2 : 1;
  __m512 acc[TILE_TOKENS][2];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = _mm512_load_ps(sums + (t * P + p) * KL_PANEL_ROWS);
  }
  for (size_t g = 0; g < groups; ++g) {
    __m512i dot[TILE_TOKENS][2][2];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      KL_UNROLL for (int p = 0; p < P; ++p) {
        KL_UNROLL for (int i = 0; i < chains; ++i) dot[t][p][i] = _mm512_setzero_si512();
      }
    }
    KL_UNROLL for (int c = 0; c < 16; ++c) {
      __m512i w[2];
      KL_UNROLL for (int p = 0; p < P; ++p) w[p] = _mm512_load_si512(records[(size_t)p * x.groups + g].codes[c]);
      KL_UNROLL for (int t = 0; t < T; ++t) {
        int32_t four;
        memcpy(&four, x.codes + ((size_t)t * x.groups + g) * KL_GROUP + 4 * c, 4);
        KL_UNROLL for (int p = 0; p < P; ++p) {
          __m512i *sum = &dot[t][p][chains == 2 ? c & 1 : 0];
          *sum = _mm512_dpbusd_epi32(*sum, w[p], _mm512_set1_epi32(four));
        }
      }
    }
    KL_UNROLL for (int p = 0; p < P; ++p) {
      const kl_q8_record *record = records + (size_t)p * x.groups + g;
      __m512 half[2];
      KL_UNROLL for (int i = 0; i < 2; ++i) {
        const __m256i bits = _mm256_load_si256((const __m256i *)(i == 0 ? record->scales : record->biases));
        half[i] = type == KL_F16 ? _mm512_cvtph_ps(bits)
                                 : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
      }
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const size_t i = (size_t)t * x.groups + g;
        const __m512i sum = chains == 2 ? _mm512_add_epi32(dot[t][p][0], dot[t][p][1]) : dot[t][p][0];
        const __m512 scale = _mm512_mul_ps(half[0], _mm512_set1_ps(x.scales[i]));
        acc[t][p] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, acc[t][p]);
        acc[t][p] = _mm512_fmadd_ps(half[1], _mm512_set1_ps(x.sums[i]), acc[t][p]);
      }
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) _mm512_store_ps(sums + (t * P + p) * KL_PANEL_ROWS, acc[t][p]);
  }
}

static KL_TARGET_AVX512 void tiles_avx512(kl_half type, const kl_q8_record *records, size_t P, const activations x,
                                          size_t tokens, size_t groups, float *sums) {
  for (size_t t = 0, T; t < tokens; t += T) {
    const activations tile = {x.codes + t * x.groups * KL_GROUP, x.scales + t * x.groups, x.sums + t * x.groups,
                              x.groups};
    float *out = sums + t * P * KL_PANEL_ROWS;
    T = tokens - t >= TILE_TOKENS ? TILE_TOKENS : tokens - t >= 3 ? 3 : 1;
    switch (T * 2 + (P == 1)) {
      case 2: tile_avx512(type, records, 2, tile, 1, groups, out); break;
      case 3: tile_avx512(type, records, 1, tile, 1, groups, out); break;
      case 6: tile_avx512(type, records, 2, tile, 3, groups, out); break;
      case 7: tile_avx512(type, records, 1, tile, 3, groups, out); break;
      case 12: tile_avx512(type, records, 2, tile, 6, groups, out); break;
      default: tile_avx512(type, records, 1, tile, 6, groups, out); break;
    }
  }
}

/// One panel, its rows 8·part ..< 8·part + 8, against one token.
static KL_TARGET_AVX2 __m256 part_avx2(kl_half type, const kl_q8_record *records, int part, const activations x,
                                       size_t groups, __m256 acc) {
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  for (size_t g = 0; g < groups; ++g) {
    const kl_q8_record *record = records + g;
    // A pair of products of 8-bit codes does not fit 16 bits; of its nibbles it does.
    __m256i lows = _mm256_setzero_si256(), highs = _mm256_setzero_si256();
    for (int c = 0; c < 16; ++c) {
      const __m256i w = _mm256_load_si256((const __m256i *)(record->codes[c] + 32 * part));
      int32_t four;
      memcpy(&four, x.codes + g * KL_GROUP + 4 * c, 4);
      const __m256i value = _mm256_set1_epi32(four);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(w, 4), low);
      const __m256i lowPairs = _mm256_maddubs_epi16(_mm256_and_si256(w, low), value);
      lows = _mm256_add_epi32(lows, _mm256_madd_epi16(lowPairs, ones));
      highs = _mm256_add_epi32(highs, _mm256_madd_epi16(_mm256_maddubs_epi16(high, value), ones));
    }
    const __m256i dot = _mm256_add_epi32(lows, _mm256_slli_epi32(highs, 4));
    __m256 half[2];
    for (int i = 0; i < 2; ++i) {
      const __m128i bits = _mm_load_si128((const __m128i *)((i == 0 ? record->scales : record->biases) + 8 * part));
      half[i] = type == KL_F16 ? _mm256_cvtph_ps(bits)
                               : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
    }
    const __m256 scale = _mm256_mul_ps(half[0], _mm256_set1_ps(x.scales[g]));
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), scale, acc);
    acc = _mm256_fmadd_ps(half[1], _mm256_set1_ps(x.sums[g]), acc);
  }
  return acc;
}

static KL_TARGET_AVX2 void tiles_avx2(kl_half type, const kl_q8_record *records, size_t P, const activations x,
                                      size_t tokens, size_t groups, float *sums) {
  for (size_t t = 0; t < tokens; ++t) {
    const activations token = {x.codes + t * x.groups * KL_GROUP, x.scales + t * x.groups, x.sums + t * x.groups,
                               x.groups};
    for (size_t i = 0; i < 2 * P; ++i) {
      float *sum = sums + (t * P + i / 2) * KL_PANEL_ROWS + i % 2 * 8;
      _mm256_store_ps(sum, part_avx2(type, records + i / 2 * x.groups, (int)i % 2, token, groups, _mm256_load_ps(sum)));
    }
  }
}

/// Blocks of tokens against two panels at a time: the activations of a block stay in the second-level cache, the
/// panels' groups at work in the first.
static void gemm_blocked(kl_isa isa, kl_half type, const kl_q8_record *panels, size_t rows, const activations x,
                         size_t tokens, size_t panel0, size_t panel1, float *y, size_t strideY) {
  float sums[2 * BLOCK_TOKENS * KL_PANEL_ROWS] __attribute__((aligned(64)));
  for (size_t t = 0; t < tokens; t += BLOCK_TOKENS) {
    const size_t count = kl_min(tokens - t, BLOCK_TOKENS);
    const size_t step = count <= TILE_TOKENS ? x.groups : BLOCK_GROUPS;
    for (size_t p = panel0; p < panel1; p += 2) {
      const size_t P = kl_min(panel1 - p, 2);
      memset(sums, 0, count * P * KL_PANEL_ROWS * sizeof(float));
      for (size_t g = 0; g < x.groups; g += step) {
        const size_t groups = kl_min(x.groups - g, step), i = t * x.groups + g;
        const activations block = {x.codes + i * KL_GROUP, x.scales + i, x.sums + i, x.groups};
        const kl_q8_record *records = panels + p * x.groups + g;
        if (isa == KL_AVX512) tiles_avx512(type, records, P, block, count, groups, sums);
        else tiles_avx2(type, records, P, block, count, groups, sums);
      }
      for (size_t j = 0; j < count * P; ++j) {
        const size_t row = (p + j % P) * KL_PANEL_ROWS;
        memcpy(y + (t + j / P) * strideY + row, sums + j * KL_PANEL_ROWS,
               kl_min(rows - row, KL_PANEL_ROWS) * sizeof(float));
      }
    }
  }
}

#endif

void kl_q8_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const int8_t *codes, const float *scales, const float *sums, size_t tokens,
                     float *y, size_t strideY) {
  const kl_q8_record *records = (const kl_q8_record *)panels;
  const activations x = {codes, scales, sums, cols / KL_GROUP};
  switch (isa) {
#if KL_X86
    case KL_AVX512:
    case KL_AVX2:
      gemm_blocked(isa, type, records, rows, x, tokens, panel0, panel1, y, strideY);
      break;
#endif
    default:
      gemm_scalar(type, records, rows, x, tokens, panel0, panel1, y, strideY);
  }
}

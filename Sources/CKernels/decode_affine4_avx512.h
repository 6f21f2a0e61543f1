// The AVX-512 bodies of decode attention on packed 4-bit rows.
//
// Scores put tokens along the lanes: 16 rows are transposed word by word, and vpdpbusd against a broadcast of 4 query
// codes adds to 16 scores at once. Values put columns along the lanes: p·scale of two tokens becomes a pair of 16-bit
// weights, relative to the largest of its block, and vpdpwssd adds both tokens to 16 columns. All heads of a tile
// share the loads.
//
// Scores are exact but for the order of the float sums. A weight is off by at most half a step, so a value by at most
// 15 · n / 65534 times the block's largest |p| times its largest |scale|, n the tokens of the block.

enum {
  TILE_HEADS = 4,      // heads that share registers
  BLOCK_HEADS = 16,    // heads that share opened rows
  SCORE_TOKENS = 32,
  VALUE_TOKENS = 128,
  FETCH_TOKENS = 128,  // how far ahead codes are fetched
};

/// 16 bytes of rows i, i + 4, i + 8 and i + 12.
KL_INLINE KL_TARGET_AVX512 __m512i quarter_avx512(const uint8_t *rows, size_t stride) {
  const __m128i *a = (const __m128i *)rows, *b = (const __m128i *)(rows + 4 * stride);
  const __m128i *c = (const __m128i *)(rows + 8 * stride), *d = (const __m128i *)(rows + 12 * stride);
  __m512i x = _mm512_zextsi128_si512(_mm_loadu_si128(a));
  x = _mm512_inserti32x4(x, _mm_loadu_si128(b), 1);
  x = _mm512_inserti32x4(x, _mm_loadu_si128(c), 2);
  return _mm512_inserti32x4(x, _mm_loadu_si128(d), 3);
}

/// Word 4c + j of 16 rows, one row per lane, for j in 0...3.
KL_INLINE KL_TARGET_AVX512 void words_avx512(const uint8_t *rows, size_t stride, __m512i out[4]) {
  const __m512i r0 = quarter_avx512(rows, stride), r1 = quarter_avx512(rows + stride, stride);
  const __m512i r2 = quarter_avx512(rows + 2 * stride, stride), r3 = quarter_avx512(rows + 3 * stride, stride);
  const __m512i t0 = _mm512_unpacklo_epi32(r0, r1), t1 = _mm512_unpackhi_epi32(r0, r1);
  const __m512i t2 = _mm512_unpacklo_epi32(r2, r3), t3 = _mm512_unpackhi_epi32(r2, r3);
  out[0] = _mm512_unpacklo_epi64(t0, t2);
  out[1] = _mm512_unpackhi_epi64(t0, t2);
  out[2] = _mm512_unpacklo_epi64(t1, t3);
  out[3] = _mm512_unpackhi_epi64(t1, t3);
}

/// Groups g and g + 1 of 16 rows from `first`, one row per lane, as floats; rows at or past n repeat the last.
/// Without a group g + 1, both are group g.
KL_INLINE KL_TARGET_AVX512 void groups_avx512(kl_half type, const uint16_t *x, size_t groups, size_t g,
                                              size_t first, size_t n, __m512 out[2]) {
  __m512i words;
  if (groups == 2 && first + 16 <= n) {
    words = _mm512_loadu_si512(x + 2 * first);
  } else if (g + 1 < groups && first + 16 <= n) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i index = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int)groups));
    words = _mm512_i32gather_epi32(index, x + first * groups + g, 2);
  } else {
    uint32_t column[16];
    for (size_t i = 0; i < 16; ++i) {
      const uint16_t *row = x + kl_min(first + i, n - 1) * groups;
      column[i] = row[g] | (uint32_t)row[kl_min(g + 1, groups - 1)] << 16;
    }
    words = _mm512_loadu_si512(column);
  }
  if (type == KL_F16) {
    out[0] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words));
    out[1] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(words, 16)));
  } else {
    out[0] = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    out[1] = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000)));
  }
}

/// 32 rows of one group with the nibbles taken apart and tokens along the lanes: vector 2w + s of block b holds,
/// for 16 tokens, columns 8w + s + {0, 2, 4, 6} of the group.
typedef struct {
  __m512i codes[2][16];
  __m512 scales[2], biases[2];
} token_columns;

/// The codes of one or two (`pair`) groups of 32 rows at `rows`, `stride` bytes apart.
KL_INLINE KL_TARGET_AVX512 void open_rows_avx512(const uint8_t *rows, size_t stride, bool pair,
                                                 token_columns out[2]) {
  const __m512i low = _mm512_set1_epi8(15);
  KL_UNROLL for (int b = 0; b < 2; ++b, rows += 16 * stride) {
    KL_UNROLL for (int c = 0; c < (pair ? 4 : 2); ++c) {
      __m512i x[4];
      words_avx512(rows + 16 * c, stride, x);
      KL_UNROLL for (int j = 0; j < 4; ++j) {
        __m512i *codes = out[c / 2].codes[b] + c % 2 * 8 + 2 * j;
        codes[0] = _mm512_and_si512(x[j], low);
        codes[1] = _mm512_and_si512(_mm512_srli_epi16(x[j], 4), low);
      }
    }
  }
}

/// Adds one group to the scores of H heads. q: the group's 16 words per head, ordered as `token_columns`.
KL_INLINE KL_TARGET_AVX512 void add_scores_avx512(const token_columns *k, const int32_t *q, size_t strideQ,
                                                  const float *qScales, const float *qSums, size_t groups,
                                                  int H, __m512 (*sums)[2]) {
  __m512i dot[TILE_HEADS][2];
  KL_UNROLL for (int h = 0; h < H; ++h) dot[h][0] = dot[h][1] = _mm512_setzero_si512();
  KL_UNROLL for (int w = 0; w < 16; ++w) {
    KL_UNROLL for (int h = 0; h < H; ++h) {
      const __m512i four = _mm512_set1_epi32(q[(size_t)h * strideQ + (size_t)w]);
      dot[h][0] = _mm512_dpbusd_epi32(dot[h][0], k->codes[0][w], four);
      dot[h][1] = _mm512_dpbusd_epi32(dot[h][1], k->codes[1][w], four);
    }
  }
  KL_UNROLL for (int h = 0; h < H; ++h) {
    const __m512 scale = _mm512_set1_ps(qScales[(size_t)h * groups]);
    const __m512 sum = _mm512_set1_ps(qSums[(size_t)h * groups]);
    KL_UNROLL for (int b = 0; b < 2; ++b) {
      sums[h][b] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[h][b]), k->scales[b] * scale, sums[h][b]);
      sums[h][b] = _mm512_fmadd_ps(k->biases[b], sum, sums[h][b]);
    }
  }
}

/// Query codes [heads, groups, 64] as words of 4 columns in the order of `token_columns`.
static KL_TARGET_AVX512 void arrange_queries_avx512(const int8_t *codes, size_t bytes, int32_t *words) {
  const __m256i even = _mm256_set1_epi16(0x00ff);
  for (size_t i = 0; i < bytes; i += 32) {
    const __m256i x = _mm256_loadu_si256((const __m256i *)(codes + i));
    // Words of a 128-bit lane: columns 0 2 4 6 | 8 10 12 14 | 1 3 5 7 | 9 11 13 15.
    const __m256i both = _mm256_packus_epi16(_mm256_and_si256(x, even), _mm256_srli_epi16(x, 8));
    _mm256_storeu_si256((__m256i *)(words + i / 4), _mm256_shuffle_epi32(both, 0xd8));
  }
}

KL_INLINE KL_TARGET_AVX512 void fetch_avx512(const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i += 64) _mm_prefetch((const char *)bytes + i, _MM_HINT_T0);
}

/// At most BLOCK_HEADS heads.
static KL_TARGET_AVX512 void block_scores_avx512(kl_half type, const int8_t *qCodes, const float *qScales,
                                                 const float *qSums, size_t heads, const uint8_t *codes,
                                                 const uint16_t *scales, const uint16_t *biases, size_t n,
                                                 size_t width, float *scores, size_t strideS) {
  const size_t groups = width / KL_GROUP, words = width / 4, stride = width / 2;
  uint8_t last[SCORE_TOKENS][KL_GROUP] = {{0}};  // two groups of the rows that do not fill a block
  int32_t q[BLOCK_HEADS * MAX_WIDTH / 4];
  __m512 sums[BLOCK_HEADS][2];
  token_columns open[2];
  arrange_queries_avx512(qCodes, heads * width, q);
  for (size_t i = 0; i < n; i += SCORE_TOKENS) {
    fetch_avx512(codes + (i + FETCH_TOKENS) * stride, SCORE_TOKENS * stride);
    for (size_t h = 0; h < heads; ++h) sums[h][0] = sums[h][1] = _mm512_setzero_ps();
    for (size_t g = 0; g < groups; g += 2) {
      const size_t some = kl_min(2, groups - g);
      const uint8_t *rows = codes + i * stride + g * (KL_GROUP / 2);
      if (i + SCORE_TOKENS > n) {
        for (size_t t = 0; t < n - i; ++t) memcpy(last[t], rows + t * stride, some * (KL_GROUP / 2));
      }
      const uint8_t *whole = i + SCORE_TOKENS > n ? last[0] : rows;
      const size_t step = i + SCORE_TOKENS > n ? KL_GROUP : stride;
      if (some == 2) open_rows_avx512(whole, step, true, open);
      else open_rows_avx512(whole, step, false, open);
      for (size_t b = 0; b < 2; ++b) {
        __m512 scale[2], bias[2];
        groups_avx512(type, scales, groups, g, i + 16 * b, n, scale);
        groups_avx512(type, biases, groups, g, i + 16 * b, n, bias);
        for (size_t j = 0; j < 2; ++j) {
          open[j].scales[b] = scale[j];
          open[j].biases[b] = bias[j];
        }
      }
      for (size_t j = 0; j < some; ++j) {
        for (size_t h = 0; h < heads; h += TILE_HEADS) {
          const int32_t *qh = q + h * words + (g + j) * (KL_GROUP / 4);
          const float *scale = qScales + h * groups + g + j, *sum = qSums + h * groups + g + j;
          switch (heads - h) {
            case 1: add_scores_avx512(open + j, qh, words, scale, sum, groups, 1, sums + h); break;
            case 2: add_scores_avx512(open + j, qh, words, scale, sum, groups, 2, sums + h); break;
            case 3: add_scores_avx512(open + j, qh, words, scale, sum, groups, 3, sums + h); break;
            default: add_scores_avx512(open + j, qh, words, scale, sum, groups, 4, sums + h); break;
          }
        }
      }
    }
    const __mmask32 live = _cvtu32_mask32(n - i < 32 ? (1u << (n - i)) - 1 : ~0u);
    for (size_t h = 0; h < heads; ++h) {
      float *out = scores + h * strideS + i;
      _mm512_mask_storeu_ps(out, (__mmask16)live, sums[h][0]);
      _mm512_mask_storeu_ps(out + 16, (__mmask16)(live >> 16), sums[h][1]);
    }
  }
}

static void scores_avx512(kl_half type, const int8_t *qCodes, const float *qScales, const float *qSums,
                          size_t heads, const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                          size_t n, size_t width, float *scores, size_t strideS) {
  const size_t groups = width / KL_GROUP;
  if (width > MAX_WIDTH) {
    scores_scalar(type, qCodes, qScales, qSums, heads, codes, scales, biases, n, width, scores, strideS);
    return;
  }
  for (size_t h = 0; h < heads; h += BLOCK_HEADS) {
    block_scores_avx512(type, qCodes + h * width, qScales + h * groups, qSums + h * groups,
                        kl_min(BLOCK_HEADS, heads - h), codes, scales, biases, n, width, scores + h * strideS,
                        strideS);
  }
}

/// Weights of one block of tokens for up to four heads and two groups: pairs of tokens as 16-bit codes, the first
/// group's pair in the lower eight lanes and the second's in the upper.
typedef struct {
  __m512i pairs[VALUE_TOKENS / 2][TILE_HEADS];
  float factors[TILE_HEADS][2];  // what one step of a code is worth
  float biases[TILE_HEADS][2];   // Σ p·bias
} token_weights;

/// Largest magnitude of count floats; NaN if one is.
KL_INLINE KL_TARGET_AVX512 float largest_avx512(const float *x, size_t count) {
  __m512i largest = _mm512_setzero_si512();
  for (size_t i = 0; i < count; i += 16) {
    const __m512i bits = _mm512_castps_si512(_mm512_loadu_ps(x + i));
    largest = _mm512_max_epu32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
  }
  return kl_float(_mm512_reduce_max_epu32(largest));
}

KL_INLINE float inverse(float x) { return x < 0x1p-100f ? 0 : 1 / x; }

/// Weights p·scale of `count` tokens, a multiple of 16.
KL_INLINE KL_TARGET_AVX512 void weigh_avx512(float (*p)[VALUE_TOKENS], size_t H, float scales[2][VALUE_TOKENS],
                                             const float most[2], float biases[2][VALUE_TOKENS], size_t count,
                                             token_weights *out) {
  for (size_t h = 0; h < H; ++h) {
    const float highest = largest_avx512(p[h], count);
    const __m512 f0 = _mm512_set1_ps(32767 * inverse(highest) * inverse(most[0]));
    const __m512 f1 = _mm512_set1_ps(32767 * inverse(highest) * inverse(most[1]));
    __m512 b0 = _mm512_setzero_ps(), b1 = b0;
    for (size_t i = 0; i < count; i += 16) {
      const __m512 w = _mm512_loadu_ps(p[h] + i);
      b0 = _mm512_fmadd_ps(w, _mm512_loadu_ps(biases[0] + i), b0);
      b1 = _mm512_fmadd_ps(w, _mm512_loadu_ps(biases[1] + i), b1);
      const __m512i w0 = _mm512_cvtps_epi32(w * _mm512_loadu_ps(scales[0] + i) * f0);
      const __m512i w1 = _mm512_cvtps_epi32(w * _mm512_loadu_ps(scales[1] + i) * f1);
      // Pairs of a 128-bit lane: w0's two, then w1's two.
      const __m512i both = _mm512_packs_epi32(w0, w1);
      KL_UNROLL for (int j = 0; j < 8; ++j) {
        const int pair = j / 2 * 4 + j % 2;
        const __m512i spread = _mm512_inserti64x4(_mm512_set1_epi32(pair), _mm256_set1_epi32(pair + 2), 1);
        out->pairs[i / 2 + (size_t)j][h] = _mm512_permutexvar_epi32(spread, both);
      }
    }
    out->factors[h][0] = highest * most[0] / 32767;
    out->factors[h][1] = highest * most[1] / 32767;
    out->biases[h][0] = _mm512_reduce_add_ps(b0);
    out->biases[h][1] = _mm512_reduce_add_ps(b1);
  }
}

/// acc + a · b over pairs; in assembly because the compiler splits the intrinsic into two instructions.
KL_INLINE KL_TARGET_AVX512 __m512i add_pairs_avx512(__m512i acc, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}

/// Adds 2 · `pairs` tokens to H heads in columns 32l + 16 half + 0...15 of two groups, l in 0...3, or of the first
/// group only. out is at the first group.
KL_INLINE KL_TARGET_AVX512 void add_values_avx512(const uint8_t *codes, size_t stride, size_t pairs,
                                                  const token_weights *weights, int half, int H, bool both,
                                                  float *out, size_t strideO) {
  const __m512i nibble = _mm512_set1_epi32(0x000f000f);
  __m512i acc[TILE_HEADS][4];
  KL_UNROLL for (int h = 0; h < H; ++h) {
    KL_UNROLL for (int r = 0; r < 4; ++r) acc[h][r] = _mm512_setzero_si512();
  }
  for (size_t i = 0; i < pairs; ++i, codes += 2 * stride) {
    const __m512i a = _mm512_loadu_si512(codes), b = _mm512_loadu_si512(codes + stride);
    if (half == 0) {
      _mm_prefetch((const char *)codes + FETCH_TOKENS * stride, _MM_HINT_T0);
      _mm_prefetch((const char *)codes + (FETCH_TOKENS + 1) * stride, _MM_HINT_T0);
    }
    const __m512i words = half ? _mm512_unpackhi_epi16(a, b) : _mm512_unpacklo_epi16(a, b);
    KL_UNROLL for (int r = 0; r < 4; ++r) {  // column 4w + r of the words' w
      const __m512i q = _mm512_and_si512(_mm512_srli_epi32(words, (unsigned)(4 * r)), nibble);
      KL_UNROLL for (int h = 0; h < H; ++h) acc[h][r] = add_pairs_avx512(acc[h][r], q, weights->pairs[i][h]);
    }
  }
  KL_UNROLL for (int h = 0; h < H; ++h) {
    // Lane 4l + j of acc[r] is column 32l + 16 half + 4j + r: two 4 × 4 transposes put it in order.
    const __m512i t0 = _mm512_unpacklo_epi32(acc[h][0], acc[h][1]), t1 = _mm512_unpackhi_epi32(acc[h][0], acc[h][1]);
    const __m512i t2 = _mm512_unpacklo_epi32(acc[h][2], acc[h][3]), t3 = _mm512_unpackhi_epi32(acc[h][2], acc[h][3]);
    const __m512i c0 = _mm512_unpacklo_epi64(t0, t2), c1 = _mm512_unpackhi_epi64(t0, t2);
    const __m512i c2 = _mm512_unpacklo_epi64(t1, t3), c3 = _mm512_unpackhi_epi64(t1, t3);
    const __m512i lo0 = _mm512_shuffle_i32x4(c0, c1, 0x44), hi0 = _mm512_shuffle_i32x4(c0, c1, 0xee);
    const __m512i lo1 = _mm512_shuffle_i32x4(c2, c3, 0x44), hi1 = _mm512_shuffle_i32x4(c2, c3, 0xee);
    const __m512i row[4] = {_mm512_shuffle_i32x4(lo0, lo1, 0x88), _mm512_shuffle_i32x4(lo0, lo1, 0xdd),
                            _mm512_shuffle_i32x4(hi0, hi1, 0x88), _mm512_shuffle_i32x4(hi0, hi1, 0xdd)};
    KL_UNROLL for (int l = 0; l < 4; ++l) {
      if (l >= 2 && !both) break;
      float *o = out + (size_t)h * strideO + 32 * l + 16 * half;
      const __m512 bias = _mm512_set1_ps(weights->biases[h][l / 2]) + _mm512_loadu_ps(o);
      const __m512 factor = _mm512_set1_ps(weights->factors[h][l / 2]);
      _mm512_storeu_ps(o, _mm512_fmadd_ps(_mm512_cvtepi32_ps(row[l]), factor, bias));
    }
  }
}

static KL_TARGET_AVX512 void accumulate_avx512(kl_half type, const float *p, size_t strideP, size_t heads,
                                               const uint8_t *codes, const uint16_t *scales,
                                               const uint16_t *biases, size_t n, size_t width, float *out,
                                               size_t strideO) {
  const size_t groups = width / KL_GROUP, stride = width / 2;
  float block[TILE_HEADS][VALUE_TOKENS], scale[2][VALUE_TOKENS], bias[2][VALUE_TOKENS];
  token_weights weights;
  uint8_t filled[VALUE_TOKENS][KL_GROUP] = {{0}};
  for (size_t i = 0; i < n; i += VALUE_TOKENS) {
    const size_t count = kl_min(VALUE_TOKENS, n - i), padded = kl_round_up(count, 16);
    for (size_t g = 0; g < groups; g += 2) {
      const bool both = g + 1 < groups;
      for (size_t t = 0; t < padded; t += 16) {
        __m512 some[2];
        groups_avx512(type, scales, groups, g, i + t, n, some);
        for (int j = 0; j < 2; ++j) _mm512_storeu_ps(scale[j] + t, some[j]);
        groups_avx512(type, biases, groups, g, i + t, n, some);
        for (int j = 0; j < 2; ++j) _mm512_storeu_ps(bias[j] + t, some[j]);
      }
      const float most[2] = {largest_avx512(scale[0], padded), largest_avx512(scale[1], padded)};
      const uint8_t *rows = codes + i * stride + g * (KL_GROUP / 2);
      size_t step = stride;
      if (!both || count % 2) {  // rows of two groups and whole pairs of tokens, filled up with anything
        for (size_t t = 0; t < count; ++t) memcpy(filled[t], rows + t * stride, both ? KL_GROUP : KL_GROUP / 2);
        rows = filled[0];
        step = KL_GROUP;
      }
      for (size_t h = 0; h < heads; h += TILE_HEADS) {
        const size_t H = kl_min(TILE_HEADS, heads - h);
        for (size_t j = 0; j < H; ++j) {
          memcpy(block[j], p + (h + j) * strideP + i, count * sizeof(float));
          for (size_t t = count; t < padded; ++t) block[j][t] = 0;
        }
        weigh_avx512(block, H, scale, most, bias, padded, &weights);
        float *o = out + h * strideO + g * KL_GROUP;
        const size_t pairs = (count + 1) / 2;
        KL_UNROLL for (int half = 0; half < 2; ++half) {
          switch (H) {
            case 1: add_values_avx512(rows, step, pairs, &weights, half, 1, both, o, strideO); break;
            case 2: add_values_avx512(rows, step, pairs, &weights, half, 2, both, o, strideO); break;
            case 3: add_values_avx512(rows, step, pairs, &weights, half, 3, both, o, strideO); break;
            default: add_values_avx512(rows, step, pairs, &weights, half, 4, both, o, strideO); break;
          }
        }
      }
    }
  }
}

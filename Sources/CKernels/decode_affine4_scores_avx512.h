// Scores put tokens along the lanes: 16 rows are transposed word by word, and vpdpbusd against a broadcast of 4 query
// codes adds to 16 scores at once. Integer sums are exact.

enum {
  BLOCK_HEADS = 16,  // heads that share opened rows
  SCORE_TOKENS = 32,
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
      KL_UNROLL for (int i = 4 * c; i < 4 * c + 4; ++i) {
        _mm_prefetch((const char *)rows + (FETCH_TOKENS + (size_t)i) * stride, _MM_HINT_T0);
      }
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

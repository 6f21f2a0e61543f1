// Values put columns along the lanes: p · scale of two tokens becomes a pair of 16-bit weights, relative to the
// largest of its block, and vpdpwssd adds both tokens to 16 columns at once. A weight is off by at most half a step,
// so a value by at most 15 · n / 65534 times the block's largest |p| times its largest |scale|, n the block's tokens.

enum { VALUE_TOKENS = 128 };

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
      KL_UNROLL for (int h = 0; h < H; ++h) acc[h][r] = kl_add_pairs_avx512(acc[h][r], q, weights->pairs[i][h]);
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

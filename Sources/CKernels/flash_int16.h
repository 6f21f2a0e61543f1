// The fast body of AVX-512: flash attention on 16-bit codes with vpdpwssd, whose rate is twice that of f32 fmas
// (vdpbf16ps runs at half of it on the processors at hand, and rounds more coarsely). Included by flash.c.
//
// A query row, a key row, and a channel of a tile's values each have one scale; codes reach ±limit, the largest
// for which a dot product fits 32 bits: 4095 at width 128. Weights are codes too, relative to the row's maximum
// within the tile, so that a tile far below the running maximum keeps its digits. The sum that normalises is that
// of the weight codes. All integer sums are exact, so an output row depends on no other row.
// Maxima and scores are in units of log 2.

#define INT16_ROWS 32

KL_INLINE float int16_limit(size_t terms) { return fminf(32767, floorf(sqrtf(2147483000.0f / (float)terms))); }

/// Scale and codes of one row; a row with an infinity or NaN has scale NaN and codes 0.
static KL_TARGET_AVX512 float codes_int16(const float *x, size_t width, float limit, int16_t *codes) {
  __m512i largest = _mm512_setzero_si512();
  for (size_t d = 0; d < width; d += 16) {
    const __mmask16 live = _cvtu32_mask16((1u << kl_min(16, width - d)) - 1);
    const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(live, x + d));
    largest = _mm512_max_epu32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
  }
  const float amax = kl_float(_mm512_reduce_max_epu32(largest));
  const bool usable = amax >= 0x1p-100f && amax < INFINITY;
  const __m512 inverse = _mm512_set1_ps(usable ? limit / amax : 0);
  for (size_t d = 0; d < width; d += 16) {
    const __mmask16 live = usable ? _cvtu32_mask16((1u << kl_min(16, width - d)) - 1) : 0;
    const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(live, x + d), inverse));
    _mm256_storeu_si256((__m256i *)(codes + d), _mm512_cvtepi32_epi16(code));
  }
  return usable ? amax / limit : amax < INFINITY ? 0 : NAN;
}

KL_INLINE size_t key_stride_int16(const kl_flash *state) { return kl_round_up(state->keyWidth, 32); }

/// Queries [rows / 32, keyWidth / 2, 32] pairs of codes; the scales take on log2(e).
static KL_TARGET_AVX512 void flash_queries_int16(kl_flash *state, const float *q, size_t strideQ) {
  const size_t width = state->keyWidth, pairs = (width + 1) / 2;
  const float limit = int16_limit(2 * pairs);
  for (size_t i = 0; i < kl_round_up(state->rows, INT16_ROWS); ++i) {
    // A row's codes gather in the score buffer first.
    int16_t *codes = (int16_t *)state->keyCodes;
    int32_t *column = (int32_t *)state->q + i / INT16_ROWS * INT16_ROWS * pairs + i % INT16_ROWS;
    float scale = 0;
    if (i < state->rows) scale = codes_int16(q + i * strideQ, width, limit, codes);
    for (size_t d = 0; d < pairs; ++d) {
      int32_t pair = 0;
      if (i < state->rows) memcpy(&pair, codes + 2 * d, 4);
      column[d * INT16_ROWS] = pair;
    }
    state->queryScales[i] = scale * 0x1.715476p+0f;
  }
}

/// Codes of the tile's keys. Gives NaN instead of 0 where a key holds an infinity or NaN.
static KL_TARGET_AVX512 float keys_int16(kl_flash *state, const float *k, size_t n) {
  const size_t stride = key_stride_int16(state);
  const float limit = int16_limit((state->keyWidth + 1) / 2 * 2);
  float poison = 0;
  for (size_t i = 0; i < n; ++i) {
    int16_t *codes = (int16_t *)state->keyCodes + i * stride;
    state->keyScales[i] = codes_int16(k + i * state->keyWidth, state->keyWidth, limit, codes);
    poison += state->keyScales[i] * 0;
  }
  return poison;
}

/// Codes of the tile's values, two keys to a pair, one scale per channel.
static KL_TARGET_AVX512 void values_int16(kl_flash *state, const float *values, size_t n, float limit) {
  const size_t width = state->valueWidth;
  for (size_t d = 0; d < width; d += 16) {
    const __mmask16 live = _cvtu32_mask16((1u << kl_min(16, width - d)) - 1);
    __m512i largest = _mm512_setzero_si512();
    for (size_t i = 0; i < n; ++i) {
      const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(live, values + i * width + d));
      largest = _mm512_max_epu32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
    }
    const __m512 amax = _mm512_castsi512_ps(largest);
    const __mmask16 finite = _mm512_cmp_ps_mask(amax, _mm512_set1_ps(INFINITY), _CMP_LT_OQ);
    const __mmask16 usable = finite & _mm512_cmp_ps_mask(amax, _mm512_set1_ps(0x1p-100f), _CMP_GE_OQ);
    const __m512 scale = _mm512_maskz_div_ps(usable, amax, _mm512_set1_ps(limit));
    _mm512_storeu_ps(state->valueScales + d, _mm512_mask_blend_ps(finite, _mm512_set1_ps(NAN), scale));
    const __m512 inverse = _mm512_maskz_div_ps(usable, _mm512_set1_ps(limit), amax);
    for (size_t i = 0; i < n; i += 2) {
      const float *first = values + i * width + d;
      const __mmask16 second = i + 1 < n ? usable & live : 0;
      const __m512 a = _mm512_mul_ps(_mm512_maskz_loadu_ps(usable & live, first), inverse);
      const __m512 b = _mm512_mul_ps(_mm512_maskz_loadu_ps(second, first + width), inverse);
      const __m512i low = _mm512_and_si512(_mm512_cvtps_epi32(a), _mm512_set1_epi32(0xffff));
      const __m512i pair = _mm512_or_si512(low, _mm512_slli_epi32(_mm512_cvtps_epi32(b), 16));
      _mm512_mask_storeu_epi32(state->valueCodes + i / 2 * width + d, live, pair);
    }
  }
}

KL_INLINE KL_TARGET_AVX512 __m512i pair_int16(const void *codes) {
  int32_t pair;
  memcpy(&pair, codes, 4);
  return _mm512_set1_epi32(pair);
}

/// Scores of K keys, [K, 32].
KL_INLINE KL_TARGET_AVX512 void dots_int16(const int32_t *q, size_t pairs, const int16_t *keys, size_t stride,
                                           const float *keyScales, int K, __m512 scale0, __m512 scale1,
                                           float *scores) {
  __m512i acc[8][2];
  KL_UNROLL for (int i = 0; i < K; ++i) acc[i][0] = acc[i][1] = _mm512_setzero_si512();
  size_t d = 0;
  for (; d + 4 <= pairs; d += 4) {
    KL_UNROLL for (size_t j = 0; j < 4; ++j) {
      const __m512i q0 = _mm512_loadu_si512(q + (d + j) * INT16_ROWS);
      const __m512i q1 = _mm512_loadu_si512(q + (d + j) * INT16_ROWS + 16);
      KL_UNROLL for (int i = 0; i < K; ++i) {
        const __m512i key = pair_int16(keys + (size_t)i * stride + 2 * (d + j));
        acc[i][0] = kl_add_pairs_avx512(acc[i][0], q0, key);
        acc[i][1] = kl_add_pairs_avx512(acc[i][1], q1, key);
      }
    }
  }
  for (; d < pairs; ++d) {
    KL_UNROLL for (int i = 0; i < K; ++i) {
      const __m512i key = pair_int16(keys + (size_t)i * stride + 2 * d);
      acc[i][0] = kl_add_pairs_avx512(acc[i][0], _mm512_loadu_si512(q + d * INT16_ROWS), key);
      acc[i][1] = kl_add_pairs_avx512(acc[i][1], _mm512_loadu_si512(q + d * INT16_ROWS + 16), key);
    }
  }
  KL_UNROLL for (int i = 0; i < K; ++i) {
    const __m512 scale = _mm512_set1_ps(keyScales[i]);
    _mm512_storeu_ps(scores + i * INT16_ROWS, _mm512_cvtepi32_ps(acc[i][0]) * (scale * scale0));
    _mm512_storeu_ps(scores + i * INT16_ROWS + 16, _mm512_cvtepi32_ps(acc[i][1]) * (scale * scale1));
  }
}

/// 2^x for x ≤ 20, relative error 4e-6: what 16-bit codes of weights can show.
KL_INLINE KL_TARGET_AVX512 __m512 power_int16(__m512 x) {
  const __m512 part = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);  // x − ⌊x⌋, 0 at −∞
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0x1.bb7cd4p-7f), part, _mm512_set1_ps(0x1.aa13fp-5f));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.ee798ap-3f));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.62d166p-1f));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(1));
  return _mm512_scalef_ps(p, x);  // p * 2^⌊x⌋
}

/// Turns scores [n, 32] in place into pairs of weight codes [n / 2, 32]; gives the factors of the sums before and
/// of this tile's integer sums.
KL_INLINE KL_TARGET_AVX512 void softmax_int16(float *scores, size_t n, float limit, __m512 poison[2],
                                              float *maxima, float *sums, __m512 before[2], __m512 here[2]) {
  const __m512 lowest = _mm512_set1_ps(-INFINITY);
  __m512 high[2] = {lowest, lowest};
  for (size_t i = 0; i < n; ++i) {
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      high[v] = _mm512_max_ps(high[v], _mm512_loadu_ps(scores + i * INT16_ROWS + 16 * (size_t)v));
    }
  }
  __m512 shift[2];
  __m512i sum[2];
  KL_UNROLL for (int v = 0; v < 2; ++v) {
    const __m512 old = _mm512_loadu_ps(maxima + 16 * v), now = _mm512_max_ps(old, high[v]);
    const __m512 base = vwhere_less_avx512(lowest, now, now, _mm512_setzero_ps());
    shift[v] = vwhere_less_avx512(lowest, high[v], high[v], _mm512_setzero_ps()) - _mm512_set1_ps(log2f(limit));
    before[v] = vexp_avx512((old - base) * _mm512_set1_ps(0x1.62e43p-1f));
    here[v] = vexp_avx512((high[v] - base) * _mm512_set1_ps(0x1.62e43p-1f)) / _mm512_set1_ps(limit) + poison[v];
    sum[v] = _mm512_setzero_si512();
    _mm512_storeu_ps(maxima + 16 * v, now);
  }
  for (size_t i = 0; i < n; i += 2) {
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      const float *score = scores + i * INT16_ROWS + 16 * (size_t)v;
      const __m512i first = _mm512_cvtps_epi32(power_int16(_mm512_loadu_ps(score) - shift[v]));
      const __m512i second = _mm512_cvtps_epi32(power_int16(_mm512_loadu_ps(score + INT16_ROWS) - shift[v]));
      const __m512i pair = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
      sum[v] = kl_add_pairs_avx512(sum[v], pair, _mm512_set1_epi16(1));
      _mm512_storeu_si512(scores + i / 2 * INT16_ROWS + 16 * (size_t)v, pair);
    }
  }
  KL_UNROLL for (int v = 0; v < 2; ++v) {
    const __m512 total = _mm512_loadu_ps(sums + 16 * v) * before[v];
    _mm512_storeu_ps(sums + 16 * v, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[v]), here[v], total));
  }
}

/// out[d] = before * out[d] + here * scale[d] * Σ weight * value for D channels.
KL_INLINE KL_TARGET_AVX512 void add_values_int16(const float *weights, size_t pairs, const float *values,
                                                 size_t width, const float *valueScales, int D,
                                                 const __m512 before[2], const __m512 here[2], float *out) {
  __m512i acc[8][2];
  KL_UNROLL for (int d = 0; d < D; ++d) acc[d][0] = acc[d][1] = _mm512_setzero_si512();
  for (size_t i = 0; i < pairs; ++i) {
    const __m512i w0 = _mm512_loadu_si512(weights + i * INT16_ROWS);
    const __m512i w1 = _mm512_loadu_si512(weights + i * INT16_ROWS + 16);
    KL_UNROLL for (int d = 0; d < D; ++d) {
      const __m512i value = pair_int16(values + i * width + (size_t)d);
      acc[d][0] = kl_add_pairs_avx512(acc[d][0], w0, value);
      acc[d][1] = kl_add_pairs_avx512(acc[d][1], w1, value);
    }
  }
  KL_UNROLL for (int d = 0; d < D; ++d) {
    const __m512 scale = _mm512_set1_ps(valueScales[d]);
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      float *sum = out + d * INT16_ROWS + 16 * v;
      const __m512 old = _mm512_loadu_ps(sum) * before[v];
      _mm512_storeu_ps(sum, _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc[d][v]), here[v] * scale, old));
    }
  }
}

static KL_TARGET_AVX512 void flash_tile_int16(kl_flash *state, const float *k, const float *values, size_t n,
                                              int32_t position0, const int32_t *lo, const int32_t *hi,
                                              float softcap) {
  const size_t pairs = (state->keyWidth + 1) / 2, width = state->valueWidth, stride = key_stride_int16(state);
  const float limit = int16_limit((n + 1) / 2 * 2);
  bool coded = false;
  __m512 poison[2], before[2], here[2];
  float poisonKeys = 0;
  for (size_t row = 0; row < state->rows; row += INT16_ROWS) {
    kl_flash_sight sight;
    if (!kl_flash_look(state, row, INT16_ROWS, n, position0, lo, hi, &sight)) continue;
    if (!coded) {
      poisonKeys = keys_int16(state, k, n);
      values_int16(state, values, n, limit);
      coded = true;
    }
    sight.from &= ~(size_t)1;  // pairs of values start at even keys
    const size_t seen = sight.to - sight.from, weightPairs = (seen + 1) / 2;
    const int32_t *q = (const int32_t *)state->q + row * pairs;
    const int16_t *keys = (const int16_t *)state->keyCodes + sight.from * stride;
    const float *keyScales = state->keyScales + sight.from;
    float *scores = state->scores, *acc = state->acc + row * width;
    const __m512 scale0 = _mm512_loadu_ps(state->queryScales + row);
    const __m512 scale1 = _mm512_loadu_ps(state->queryScales + row + 16);
    poison[0] = scale0 * _mm512_setzero_ps() + _mm512_set1_ps(poisonKeys);
    poison[1] = scale1 * _mm512_setzero_ps() + _mm512_set1_ps(poisonKeys);
    size_t i = 0;
    for (; i + 8 <= seen; i += 8) {
      dots_int16(q, pairs, keys + i * stride, stride, keyScales + i, 8, scale0, scale1, scores + i * INT16_ROWS);
    }
    for (; i < seen; ++i) {
      dots_int16(q, pairs, keys + i * stride, stride, keyScales + i, 1, scale0, scale1, scores + i * INT16_ROWS);
    }
    if (softcap > 0) flash_softcap_avx512(scores, seen, softcap * 0x1.715476p+0f);
    flash_mask_avx512(&sight, scores);
    if (seen % 2) {
      _mm512_storeu_ps(scores + seen * INT16_ROWS, _mm512_set1_ps(-INFINITY));
      _mm512_storeu_ps(scores + seen * INT16_ROWS + 16, _mm512_set1_ps(-INFINITY));
    }
    softmax_int16(scores, 2 * weightPairs, limit, poison, state->maxima + row, state->sums + row, before, here);
    const float *codes = state->valueCodes + sight.from / 2 * width;
    size_t d = 0;
    for (; d + 8 <= width; d += 8) {
      add_values_int16(scores, weightPairs, codes + d, width, state->valueScales + d, 8, before, here,
                       acc + d * INT16_ROWS);
    }
    for (; d < width; ++d) {
      add_values_int16(scores, weightPairs, codes + d, width, state->valueScales + d, 1, before, here,
                       acc + d * INT16_ROWS);
    }
  }
}

#undef INT16_ROWS

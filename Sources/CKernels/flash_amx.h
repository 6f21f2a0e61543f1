// The fast body of AMX: flash attention in bfloat16 with f32 sums. Included by flash.c.
//
// A tile product gives 16 keys × 16 query rows, so that a vector holds one number for 16 rows and the softmax needs no
// sum across lanes; rows never mix. Scores and maxima are in units of log 2. What was summed before is rescaled only
// where a row's maximum has grown by more than AMX_SLACK since it last was: the weights of a row are relative to a
// maximum that may be that much too low, which changes no digit of their quotients.

enum { AMX_QUERIES = 32, AMX_SLACK = 8 };

/// Tiles of 32 columns that hold `width`.
KL_INLINE size_t amx_depths(size_t width) { return (width + AMX_DEPTH - 1) / AMX_DEPTH; }

/// 32 columns of a row from `d` on in bfloat16, times `factor`; zero past its width.
KL_INLINE KL_TARGET_AMX __m512i flash_columns_amx(const float *x, size_t width, size_t d, float factor) {
  const __m512 low = _mm512_maskz_loadu_ps(amx_live(width, d), x + d) * _mm512_set1_ps(factor);
  const __m512 high = _mm512_maskz_loadu_ps(amx_live(width, d + 16), x + d + 16) * _mm512_set1_ps(factor);
  uint16_t out[32] __attribute__((aligned(64)));
  vstore_half_avx512(KL_BF16, out, low);
  vstore_half_avx512(KL_BF16, out + 16, high);
  return _mm512_load_si512(out);
}

/// Queries as second factors: [rows / 16, depths, 16 pairs of columns, 16 rows, 2]; they take on log2(e).
static KL_TARGET_AMX void flash_queries_amx(kl_flash *state, const float *q, size_t strideQ) {
  const size_t width = state->keyWidth, depths = amx_depths(width);
  for (size_t i = 0; i < kl_round_up(state->rows, AMX_QUERIES); i += AMX_ROWS) {
    for (size_t d = 0; d < depths; ++d) {
      __m512i rows[AMX_ROWS];
      KL_UNROLL for (size_t r = 0; r < AMX_ROWS; ++r) {
        rows[r] = _mm512_setzero_si512();
        if (i + r < state->rows) {
          rows[r] = flash_columns_amx(q + (i + r) * strideQ, width, d * AMX_DEPTH, 0x1.715476p+0f);
        }
      }
      amx_transpose(rows);
      __m512i *to = (__m512i *)state->q + (i / AMX_ROWS * depths + d) * AMX_ROWS;
      KL_UNROLL for (size_t r = 0; r < AMX_ROWS; ++r) _mm512_store_si512(to + r, rows[r]);
    }
  }
}

/// Keys as first factors: [keys / 16, depths, 16 keys, 32 columns], zero where there is none.
static KL_TARGET_AMX void flash_keys_amx(kl_flash *state, const float *k, size_t n) {
  const size_t width = state->keyWidth, depths = amx_depths(width);
  for (size_t i = 0; i < kl_round_up(n, AMX_DEPTH); ++i) {
    __m512i *row = (__m512i *)state->keyCodes + i / AMX_ROWS * depths * AMX_ROWS + i % AMX_ROWS;
    for (size_t d = 0; d < depths; ++d) {
      const __m512i columns = i < n ? flash_columns_amx(k + i * width, width, d * AMX_DEPTH, 1) : _mm512_setzero_si512();
      _mm512_store_si512(row + d * AMX_ROWS, columns);
    }
  }
}

/// Values as first factors: [channels / 16, keys / 32, 16 channels, 32 keys], zero where there is none.
static KL_TARGET_AMX void flash_values_amx(kl_flash *state, const float *v, size_t n) {
  const size_t width = state->valueWidth, spans = amx_depths(n);
  for (size_t d = 0; d < kl_round_up(width, AMX_DEPTH); d += AMX_ROWS) {
    for (size_t s = 0; s < spans; ++s) {
      const float *first = v + s * AMX_DEPTH * width + d;
      __m512i pairs[AMX_ROWS];
      KL_UNROLL for (size_t i = 0; i < AMX_ROWS; ++i) {
        const size_t key = s * AMX_DEPTH + 2 * i;
        const __mmask16 live = amx_live(width, d);
        const __m512 even = _mm512_maskz_loadu_ps(key < n ? live : 0, first + 2 * i * width);
        const __m512 odd = _mm512_maskz_loadu_ps(key + 1 < n ? live : 0, first + (2 * i + 1) * width);
        pairs[i] = amx_pair(even, odd);
      }
      amx_transpose(pairs);
      __m512i *to = (__m512i *)state->valueCodes + (d / AMX_ROWS * spans + s) * AMX_ROWS;
      KL_UNROLL for (size_t i = 0; i < AMX_ROWS; ++i) _mm512_store_si512(to + i, pairs[i]);
    }
  }
}

/// scores [keys, 32] of keys [from, to), multiples of 32, against 32 query rows.
KL_INLINE KL_TARGET_AMX void flash_scores_amx(const uint16_t *q, const uint16_t *keys, size_t depths, size_t from,
                                              size_t to, float *scores) {
  for (size_t i = from; i < to; i += 2 * AMX_ROWS) {
    const uint16_t *first = keys + i / AMX_ROWS * depths * AMX_TILE, *second = first + depths * AMX_TILE;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t k = 0; k < depths; ++k) {
      _tile_loadd(4, first + k * AMX_TILE, 64);
      _tile_loadd(6, q + k * AMX_TILE, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, q + (depths + k) * AMX_TILE, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, second + k * AMX_TILE, 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    float *row = scores + i * AMX_QUERIES;
    _tile_stored(0, row, 4 * AMX_QUERIES);
    _tile_stored(1, row + AMX_ROWS, 4 * AMX_QUERIES);
    _tile_stored(2, row + AMX_ROWS * AMX_QUERIES, 4 * AMX_QUERIES);
    _tile_stored(3, row + AMX_ROWS * AMX_QUERIES + AMX_ROWS, 4 * AMX_QUERIES);
  }
}

/// 2^x for x ≤ 20, relative error 8e-5: what bfloat16 can show.
KL_INLINE KL_TARGET_AMX __m512 flash_power_amx(__m512 x) {
  const __m512 part = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);  // x − ⌊x⌋, 0 at −∞
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0x1.3f96b0p-4f), part, _mm512_set1_ps(0x1.cefc52p-3f));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.644448p-1f));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.fff634p-1f));
  return _mm512_scalef_ps(p, x);  // p * 2^⌊x⌋
}

/// Raises the maxima of 32 rows to those of scores [from ..< to, 32] where these are more than AMX_SLACK higher, or the
/// row had seen nothing; rescales the sums, and acc [channels, 32] if any row's maximum was raised.
KL_INLINE KL_TARGET_AMX void flash_raise_amx(const float *scores, size_t from, size_t to, float *maxima, float *sums,
                                             float *acc, size_t channels) {
  const __m512 lowest = _mm512_set1_ps(-INFINITY);
  __m512 high[2] = {lowest, lowest}, factor[2];
  for (size_t i = from; i < to; ++i) {
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      high[v] = _mm512_max_ps(high[v], _mm512_load_ps(scores + i * AMX_QUERIES + 16 * v));
    }
  }
  __mmask16 raised[2];
  KL_UNROLL for (int v = 0; v < 2; ++v) {
    const __m512 old = _mm512_load_ps(maxima + 16 * v);
    raised[v] = _mm512_cmp_ps_mask(high[v], old + _mm512_set1_ps(AMX_SLACK), _CMP_GT_OQ);
    const __m512 now = _mm512_mask_mov_ps(old, raised[v], high[v]);
    factor[v] = _mm512_mask_mov_ps(_mm512_set1_ps(1), raised[v], flash_power_amx(old - now));
    _mm512_store_ps(maxima + 16 * v, now);
    _mm512_store_ps(sums + 16 * v, _mm512_load_ps(sums + 16 * v) * factor[v]);
  }
  if (!(raised[0] | raised[1])) return;
  for (size_t d = 0; d < channels; ++d) {
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      float *sum = acc + d * AMX_QUERIES + 16 * v;
      _mm512_store_ps(sum, _mm512_load_ps(sum) * factor[v]);
    }
  }
}

/// Weights of scores [from ..< to, 32] as second factors, [keys / 32, 2, 16 pairs of keys, 16 rows, 2]; adds them to the
/// sums.
KL_INLINE KL_TARGET_AMX void flash_weights_amx(const float *scores, size_t from, size_t to, const float *maxima,
                                               float *sums, uint16_t *weights) {
  __m512 base[2], sum[2];
  KL_UNROLL for (int v = 0; v < 2; ++v) {
    const __m512 high = _mm512_load_ps(maxima + 16 * v);
    base[v] = vwhere_less_avx512(_mm512_set1_ps(-INFINITY), high, high, _mm512_setzero_ps());
    sum[v] = _mm512_load_ps(sums + 16 * v);
  }
  for (size_t i = from; i < to; i += 2) {
    uint16_t *to2 = weights + i / AMX_DEPTH * 2 * AMX_TILE + i % AMX_DEPTH / 2 * AMX_DEPTH;
    KL_UNROLL for (int v = 0; v < 2; ++v) {
      const float *score = scores + i * AMX_QUERIES + 16 * v;
      const __m512 a = flash_power_amx(_mm512_load_ps(score) - base[v]);
      const __m512 b = flash_power_amx(_mm512_load_ps(score + AMX_QUERIES) - base[v]);
      // The sum takes the weights as they are rounded, so that they add up to 1.
      const __m512i pair = amx_pair(a, b);
      const __m512 low = _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16));
      const __m512 high = _mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32((int)0xffff0000)));
      sum[v] = sum[v] + (low + high);
      _mm512_store_si512(to2 + v * AMX_TILE, pair);
    }
  }
  KL_UNROLL for (int v = 0; v < 2; ++v) _mm512_store_ps(sums + 16 * v, sum[v]);
}

/// acc [channels, 32] += values · weights over keys [from, to), multiples of 32; channels a multiple of 32.
KL_INLINE KL_TARGET_AMX void flash_sums_amx(const uint16_t *values, const uint16_t *weights, size_t spans, size_t from,
                                            size_t to, size_t channels, float *acc) {
  for (size_t d = 0; d < channels; d += 2 * AMX_ROWS) {
    const uint16_t *first = values + d / AMX_ROWS * spans * AMX_TILE, *second = first + spans * AMX_TILE;
    float *row = acc + d * AMX_QUERIES;
    for (size_t line = 0; line < 2 * AMX_ROWS * AMX_QUERIES; line += 16) {
      _mm_prefetch((const char *)(row + 2 * AMX_ROWS * AMX_QUERIES + line), _MM_HINT_T0);
    }
    _tile_loadd(0, row, 4 * AMX_QUERIES);
    _tile_loadd(1, row + AMX_ROWS, 4 * AMX_QUERIES);
    _tile_loadd(2, row + AMX_ROWS * AMX_QUERIES, 4 * AMX_QUERIES);
    _tile_loadd(3, row + AMX_ROWS * AMX_QUERIES + AMX_ROWS, 4 * AMX_QUERIES);
    for (size_t s = from / AMX_DEPTH; s < to / AMX_DEPTH; ++s) {
      _tile_loadd(4, first + s * AMX_TILE, 64);
      _tile_loadd(6, weights + 2 * s * AMX_TILE, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, weights + (2 * s + 1) * AMX_TILE, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, second + s * AMX_TILE, 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, row, 4 * AMX_QUERIES);
    _tile_stored(1, row + AMX_ROWS, 4 * AMX_QUERIES);
    _tile_stored(2, row + AMX_ROWS * AMX_QUERIES, 4 * AMX_QUERIES);
    _tile_stored(3, row + AMX_ROWS * AMX_QUERIES + AMX_ROWS, 4 * AMX_QUERIES);
  }
}

static KL_TARGET_AMX void flash_tile_amx(kl_flash *state, const float *k, const float *v, size_t n, int32_t position0,
                                         const int32_t *lo, const int32_t *hi, float softcap) {
  const size_t depths = amx_depths(state->keyWidth), spans = amx_depths(n);
  const size_t channels = kl_round_up(state->valueWidth, AMX_DEPTH);
  bool packed = false;
  amx_begin();
  for (size_t row = 0; row < state->rows; row += AMX_QUERIES) {
    kl_flash_sight sight;
    if (!kl_flash_look(state, row, AMX_QUERIES, n, position0, lo, hi, &sight)) continue;
    if (!packed) {
      flash_keys_amx(state, k, n);
      flash_values_amx(state, v, n);
      packed = true;
    }
    // Whole tiles: the mask hides what is too much.
    sight.from = sight.from / AMX_DEPTH * AMX_DEPTH;
    sight.to = kl_round_up(sight.to, AMX_DEPTH);
    const size_t seen = sight.to - sight.from;
    const uint16_t *q = (const uint16_t *)state->q + row * depths * AMX_DEPTH;
    float *scores = state->scores, *acc = state->acc + row * channels;
    flash_scores_amx(q, (const uint16_t *)state->keyCodes, depths, sight.from, sight.to, scores);
    float *visible = scores + sight.from * AMX_QUERIES;
    if (softcap > 0) flash_softcap_avx512(visible, seen, softcap * 0x1.715476p+0f);
    flash_mask_avx512(&sight, visible);
    flash_raise_amx(scores, sight.from, sight.to, state->maxima + row, state->sums + row, acc, channels);
    flash_weights_amx(scores, sight.from, sight.to, state->maxima + row, state->sums + row,
                      (uint16_t *)state->weights);
    flash_sums_amx((const uint16_t *)state->valueCodes, (const uint16_t *)state->weights, spans, sight.from, sight.to,
                   channels, acc);
  }
  _tile_release();
}

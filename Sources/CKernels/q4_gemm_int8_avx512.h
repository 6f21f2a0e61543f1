// The AVX-512 body of kl_q4_gemm_int8. One vector holds 16 rows × 4 columns, so vpdpbusd against a broadcast of 4
// activation bytes adds to 16 rows at once and no sum crosses lanes. Each (row, token) takes the same float
// operations in the same order in every loop below, so a token's result does not depend on how many come with it.

enum { BLOCK_TOKENS = 256, BLOCK_GROUPS = 4, TILE_TOKENS = 3, TILE_PANELS = 4, DIRECT_TOKENS = 8, SMALL_BATCH = 24 };

/// BLOCK_GROUPS groups of some panels with the nibbles taken apart: 16 vectors of 16 rows × 4 columns per group.
typedef struct {
  __m512i codes[BLOCK_GROUPS][16][TILE_PANELS];
  __m512 scales[BLOCK_GROUPS][TILE_PANELS], biases[BLOCK_GROUPS][TILE_PANELS];
} open_panels;

/// Adds one group to the sums of one token: acc += sW·sX·dot + bias·sum.
KL_INLINE KL_TARGET_AVX512 __m512 add_group_avx512(__m512 acc, __m512i dot, __m512 scale, __m512 bias,
                                                   float scaleX, float sumX) {
  acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale, _mm512_set1_ps(scaleX)), acc);
  return _mm512_fmadd_ps(bias, _mm512_set1_ps(sumX), acc);
}

KL_INLINE KL_TARGET_AVX512 __m512i bytes_avx512(const int8_t *x) { return _mm512_set1_epi32(kl_input_word(x)); }

/// One panel against T tokens straight from the packed records: the decode GEMV and small batches.
KL_INLINE KL_TARGET_AVX512 void direct_avx512(kl_half type, const kl_q4_record *records, const kl_inputs x,
                                              int T, __mmask16 live, float *y, size_t strideY) {
  const __m512i low = _mm512_set1_epi8(15);
  __m512 acc[DIRECT_TOKENS];
  KL_UNROLL for (int t = 0; t < T; ++t) acc[t] = _mm512_setzero_ps();
  for (size_t g = 0; g < x.groups; ++g) {
    const kl_q4_record *record = records + g;
    KL_UNROLL for (int line = 0; line < 9; ++line) {
      _mm_prefetch((const char *)record + 8 * KL_Q4_RECORD + 64 * line, _MM_HINT_T0);
    }
    __m512i dot[DIRECT_TOKENS];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const kl_input_record *input = x.records + (size_t)t * x.groups + g;
      dot[t] = _mm512_setzero_si512();
      KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
        const __m512i both = _mm512_load_si512(record->codes[input->words[s] / 2]);
        const __m512i q = _mm512_srl_epi16(both, _mm_cvtsi32_si128(input->words[s] % 2 * 4));
        dot[t] = _mm512_dpbusd_epi32(dot[t], _mm512_and_si512(q, low), bytes_avx512(input->spills[s]));
      }
      dot[t] = _mm512_slli_epi32(dot[t], KL_SPILL_SHIFT);
    }
    KL_UNROLL for (int c = 0; c < 8; ++c) {
      const __m512i both = _mm512_load_si512(record->codes[c]);
      const __m512i q0 = _mm512_and_si512(both, low);
      const __m512i q1 = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const int8_t *codes = x.records[(size_t)t * x.groups + g].codes + 8 * c;
        dot[t] = _mm512_dpbusd_epi32(dot[t], q0, bytes_avx512(codes));
        dot[t] = _mm512_dpbusd_epi32(dot[t], q1, bytes_avx512(codes + 4));
      }
    }
    const __m512 scale = kl_q4_halves_avx512(type, record->scales), bias = kl_q4_halves_avx512(type, record->biases);
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const size_t i = (size_t)t * x.groups + g;
      acc[t] = add_group_avx512(acc[t], dot[t], scale, bias, x.scales[i], x.sums[i]);
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) _mm512_mask_storeu_ps(y + (size_t)t * strideY, live, acc[t]);
}

static KL_TARGET_AVX512 void small_batch_avx512(kl_half type, const kl_q4_record *panels, size_t rows,
                                                const kl_inputs x, size_t tokens, size_t panel0,
                                                size_t panel1, float *y, size_t strideY) {
  for (size_t p = panel0; p < panel1; ++p) {
    const kl_q4_record *records = panels + p * x.groups;
    const __mmask16 live = kl_q4_live_avx512(rows, p);
    size_t tiles = (tokens + DIRECT_TOKENS - 1) / DIRECT_TOKENS;
    for (size_t t = 0, T; t < tokens; t += T, --tiles) {
      T = (tokens - t + tiles - 1) / tiles;
      const kl_inputs tile = kl_inputs_of_token(x, t);
      float *out = y + t * strideY + p * KL_PANEL_ROWS;
      switch (T) {
        case 1: direct_avx512(type, records, tile, 1, live, out, strideY); break;
        case 2: direct_avx512(type, records, tile, 2, live, out, strideY); break;
        case 3: direct_avx512(type, records, tile, 3, live, out, strideY); break;
        case 4: direct_avx512(type, records, tile, 4, live, out, strideY); break;
        case 5: direct_avx512(type, records, tile, 5, live, out, strideY); break;
        case 6: direct_avx512(type, records, tile, 6, live, out, strideY); break;
        case 7: direct_avx512(type, records, tile, 7, live, out, strideY); break;
        default: direct_avx512(type, records, tile, 8, live, out, strideY); break;
      }
    }
  }
}

/// Opens groups of panel `p` of a tile.
KL_INLINE KL_TARGET_AVX512 void open_avx512(kl_half type, const kl_q4_record *records, size_t groups, size_t p,
                                            open_panels *out) {
  const __m512i low = _mm512_set1_epi8(15);
  for (size_t g = 0; g < groups; ++g) {
    KL_UNROLL for (int c = 0; c < 8; ++c) {
      const __m512i both = _mm512_load_si512(records[g].codes[c]);
      out->codes[g][2 * c][p] = _mm512_and_si512(both, low);
      out->codes[g][2 * c + 1][p] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    }
    out->scales[g][p] = kl_q4_halves_avx512(type, records[g].scales);
    out->biases[g][p] = kl_q4_halves_avx512(type, records[g].biases);
  }
}

/// The first P open panels against T tokens over `groups` groups, added to sums [T, TILE_PANELS, 16]. A tile is as large
/// as 32 registers allow with the sums of a group and those of all groups in them, and wide rather than high: each
/// input's spilled words load a vector of every panel, so tokens cost loads that panels do not.
KL_INLINE KL_TARGET_AVX512 void tile_avx512(const open_panels *panels, int P, const kl_inputs x, int T, size_t groups,
                                            __m512 (*sums)[TILE_PANELS]) {
  const kl_input_record *rows[TILE_TOKENS];
  KL_UNROLL for (int t = 0; t < T; ++t) rows[t] = x.records + (size_t)t * x.groups;
  __m512 acc[TILE_TOKENS][TILE_PANELS];
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) acc[t][p] = sums[t][p];
  }
  for (size_t g = 0; g < groups; ++g) {
    KL_UNROLL for (int t = 0; t < T; ++t) _mm_prefetch((const char *)(rows[t] + (size_t)T * x.groups + g), _MM_HINT_T0);
    __m512i dot[TILE_TOKENS][TILE_PANELS];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const kl_input_record *input = rows[t] + g;
      KL_UNROLL for (int p = 0; p < P; ++p) dot[t][p] = _mm512_setzero_si512();
      KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
        const __m512i *w = panels->codes[g][input->words[s]];
        const __m512i four = bytes_avx512(input->spills[s]);
        KL_UNROLL for (int p = 0; p < P; ++p) dot[t][p] = _mm512_dpbusd_epi32(dot[t][p], w[p], four);
      }
      KL_UNROLL for (int p = 0; p < P; ++p) dot[t][p] = _mm512_slli_epi32(dot[t][p], KL_SPILL_SHIFT);
    }
    KL_ROLLED for (int k = 0; k < 16; ++k) {
      __m512i w[TILE_PANELS];
      KL_UNROLL for (int p = 0; p < P; ++p) w[p] = panels->codes[g][k][p];
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const __m512i four = bytes_avx512(rows[t][g].codes + 4 * k);
        KL_UNROLL for (int p = 0; p < P; ++p) dot[t][p] = _mm512_dpbusd_epi32(dot[t][p], w[p], four);
      }
    }
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const size_t i = (size_t)t * x.groups + g;
      KL_UNROLL for (int p = 0; p < P; ++p) {
        acc[t][p] = add_group_avx512(acc[t][p], dot[t][p], panels->scales[g][p], panels->biases[g][p], x.scales[i], x.sums[i]);
      }
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) {
    KL_UNROLL for (int p = 0; p < P; ++p) sums[t][p] = acc[t][p];
  }
}

/// Where the sums of up to TILE_PANELS panels go: y [tokens, strideY], and the rows that lie inside the matrix.
typedef struct {
  float *y;
  size_t strideY;
  __mmask16 live[TILE_PANELS];
} destination;

/// P open panels against all tokens of a block, in tiles of 2 or 3 tokens. Between tiles it fetches the records
/// at `ahead`, which are opened next. With `to`, each tile's sums are complete and are written out while the next tile
/// runs.
KL_INLINE KL_TARGET_AVX512 void tiles_avx512(const open_panels *panels, int P, const kl_inputs x, size_t tokens,
                                             size_t groups, const kl_q4_record *ahead, __m512 (*sums)[TILE_PANELS],
                                             const destination *to) {
  size_t tiles = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
  const size_t share = (groups * KL_Q4_RECORD + tiles - 1) / tiles;
  const char *line = (const char *)ahead, *end = (const char *)(ahead + groups);
  for (size_t t = 0, T; t < tokens; t += T, --tiles) {
    T = (tokens - t + tiles - 1) / tiles;
    for (const char *stop = line + share; line < stop && line < end; line += 64) {
      KL_UNROLL for (int p = 0; p < P; ++p) _mm_prefetch(line + (size_t)p * x.groups * KL_Q4_RECORD, _MM_HINT_T1);
    }
    const kl_inputs tile = kl_inputs_of_token(x, t);
    if (T == TILE_TOKENS) tile_avx512(panels, P, tile, TILE_TOKENS, groups, sums + t);
    else tile_avx512(panels, P, tile, TILE_TOKENS - 1, groups, sums + t);
    for (size_t i = t; to && i < t + T; ++i) {
      float *y = to->y + i * to->strideY;
      KL_UNROLL for (int p = 0; p < P; ++p) _mm512_mask_storeu_ps(y + p * KL_PANEL_ROWS, to->live[p], sums[i][p]);
    }
  }
}

/// Blocks of tokens against TILE_PANELS panels at a time: the activations of a block stay in the second-level cache,
/// the open panels in the first.
static KL_TARGET_AVX512 void large_batch_avx512(kl_half type, const kl_q4_record *panels, size_t rows,
                                                const kl_inputs x, size_t tokens, size_t panel0,
                                                size_t panel1, float *y, size_t strideY) {
  open_panels open;
  __m512 sums[BLOCK_TOKENS][TILE_PANELS];
  size_t blocks = (tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
  for (size_t t = 0, count; t < tokens; t += count, --blocks) {
    count = (tokens - t + blocks - 1) / blocks;
    for (size_t p = panel0, P; p < panel1; p += P) {
      P = panel1 - p >= 4 ? 4 : panel1 - p >= 2 ? 2 : 1;
      destination to = {y + t * strideY + p * KL_PANEL_ROWS, strideY, {0}};
      for (size_t i = 0; i < P; ++i) to.live[i] = kl_q4_live_avx512(rows, p + i);
      memset(sums, 0, count * sizeof *sums);
      for (size_t g = 0; g < x.groups; g += BLOCK_GROUPS) {
        const size_t groups = kl_min(x.groups - g, BLOCK_GROUPS);
        for (size_t i = 0; i < P; ++i) open_avx512(type, panels + (p + i) * x.groups + g, groups, i, &open);
        const kl_inputs block = kl_inputs_from(x, t * x.groups + g);
        const bool last = g + groups == x.groups;
        const kl_q4_record *ahead = panels + (last ? (p + P) * x.groups : p * x.groups + g + groups);
        const destination *end = last ? &to : NULL;
        if (P == 4) tiles_avx512(&open, 4, block, count, groups, ahead, sums, end);
        else if (P == 2) tiles_avx512(&open, 2, block, count, groups, ahead, sums, end);
        else tiles_avx512(&open, 1, block, count, groups, ahead, sums, end);
      }
    }
  }
}

static void gemm_avx512(kl_half type, const kl_q4_record *panels, size_t rows, const kl_inputs x,
                        size_t tokens, size_t panel0, size_t panel1, float *y, size_t strideY) {
  if (tokens <= SMALL_BATCH) {
    small_batch_avx512(type, panels, rows, x, tokens, panel0, panel1, y, strideY);
  } else {
    large_batch_avx512(type, panels, rows, x, tokens, panel0, panel1, y, strideY);
  }
}

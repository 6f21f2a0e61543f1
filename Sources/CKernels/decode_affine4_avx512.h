// What the AVX-512 bodies of decode attention on packed 4-bit rows share.

enum {
  TILE_HEADS = 4,      // heads that share registers
  FETCH_TOKENS = 128,  // how far ahead codes are fetched
};

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

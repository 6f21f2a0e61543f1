// The AVX2 body of kl_q8_gemm_int8: half a panel, 8 rows × 4 columns, per vector.

/// One panel, its rows 8·part ..< 8·part + 8, against one token.
static KL_TARGET_AVX2 __m256 part_avx2(kl_half type, const kl_q8_record *records, int part, const kl_inputs x,
                                       size_t groups, __m256 acc) {
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  for (size_t g = 0; g < groups; ++g) {
    const kl_q8_record *record = records + g;
    // A pair of products of 8-bit codes does not fit 16 bits; of its nibbles it does.
    __m256i lows = _mm256_setzero_si256(), highs = _mm256_setzero_si256();
    const kl_input_record *input = x.records + g;
    for (int c = -KL_SPILLS; c < 16; ++c) {
      if (c == 0) {
        lows = _mm256_slli_epi32(lows, KL_SPILL_SHIFT);
        highs = _mm256_slli_epi32(highs, KL_SPILL_SHIFT);
      }
      const int word = c < 0 ? input->words[c + KL_SPILLS] : c;
      const __m256i w = _mm256_load_si256((const __m256i *)(record->codes[word] + 32 * part));
      const __m256i value = _mm256_set1_epi32(kl_input_word(c < 0 ? input->spills[c + KL_SPILLS] : input->codes + 4 * c));
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

/// See tiles_scalar.
static KL_TARGET_AVX2 void tiles_avx2(kl_half type, const kl_q8_record *records, size_t P, const kl_inputs x,
                                      size_t tokens, size_t groups, float *sums) {
  for (size_t t = 0; t < tokens; ++t) {
    const kl_inputs token = kl_inputs_of_token(x, t);
    for (size_t i = 0; i < 2 * P; ++i) {
      float *sum = sums + (t * P + i / 2) * KL_PANEL_ROWS + i % 2 * 8;
      _mm256_store_ps(sum, part_avx2(type, records + i / 2 * x.groups, (int)i % 2, token, groups, _mm256_load_ps(sum)));
    }
  }
}

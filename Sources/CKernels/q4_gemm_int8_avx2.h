// The AVX2 body of kl_q4_gemm_int8: half a panel, 8 rows × 4 columns, per vector. vpmaddubsw adds pairs of
// products into 16 bits, at most 2 · 15 · 127; eight of them add up before they are widened, 30480 at most. The
// float operations of each (row, token) are those of the other bodies, whatever the number of tokens.

enum { AVX2_TOKENS = 4 };

KL_INLINE KL_TARGET_AVX2 __m256 halves_avx2(kl_half type, const uint16_t *x) {
  const __m128i bits = _mm_loadu_si128((const __m128i *)x);
  if (type == KL_F16) return _mm256_cvtph_ps(bits);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

/// Half `side` of one panel against T tokens: sums of 8 rows per token.
KL_INLINE KL_TARGET_AVX2 void tile_avx2(kl_half type, const kl_q4_record *records, int side, const kl_inputs x,
                                        int T, float (*sums)[KL_PANEL_ROWS]) {
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  __m256 acc[AVX2_TOKENS];
  KL_UNROLL for (int t = 0; t < T; ++t) acc[t] = _mm256_setzero_ps();
  for (size_t g = 0; g < x.groups; ++g) {
    __m256i dot[AVX2_TOKENS];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const kl_input_record *input = x.records + (size_t)t * x.groups + g;
      __m256i pairs = _mm256_setzero_si256();
      KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
        const uint8_t *word = records[g].codes[input->words[s] / 2] + 32 * side;
        const __m256i both = _mm256_loadu_si256((const __m256i *)word);
        const __m256i q = _mm256_and_si256(_mm256_srl_epi16(both, _mm_cvtsi32_si128(input->words[s] % 2 * 4)), low);
        pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(q, _mm256_set1_epi32(kl_input_word(input->spills[s]))));
      }
      dot[t] = _mm256_slli_epi32(_mm256_madd_epi16(pairs, ones), KL_SPILL_SHIFT);
    }
    KL_UNROLL for (int half = 0; half < 2; ++half) {
      __m256i pairs[AVX2_TOKENS];
      KL_UNROLL for (int t = 0; t < T; ++t) pairs[t] = _mm256_setzero_si256();
      KL_UNROLL for (int c = 4 * half; c < 4 * half + 4; ++c) {
        const __m256i both = _mm256_loadu_si256((const __m256i *)(records[g].codes[c] + 32 * side));
        const __m256i q0 = _mm256_and_si256(both, low), q1 = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
        KL_UNROLL for (int t = 0; t < T; ++t) {
          const int8_t *codes = x.records[(size_t)t * x.groups + g].codes + 8 * c;
          pairs[t] = _mm256_add_epi16(pairs[t], _mm256_maddubs_epi16(q0, _mm256_set1_epi32(kl_input_word(codes))));
          pairs[t] = _mm256_add_epi16(pairs[t], _mm256_maddubs_epi16(q1, _mm256_set1_epi32(kl_input_word(codes + 4))));
        }
      }
      KL_UNROLL for (int t = 0; t < T; ++t) {
        dot[t] = _mm256_add_epi32(dot[t], _mm256_madd_epi16(pairs[t], ones));
      }
    }
    const __m256 scale = halves_avx2(type, records[g].scales + 8 * side);
    const __m256 bias = halves_avx2(type, records[g].biases + 8 * side);
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const size_t i = (size_t)t * x.groups + g;
      const __m256 factor = _mm256_mul_ps(scale, _mm256_set1_ps(x.scales[i]));
      acc[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[t]), factor, acc[t]);
      acc[t] = _mm256_fmadd_ps(bias, _mm256_set1_ps(x.sums[i]), acc[t]);
    }
  }
  KL_UNROLL for (int t = 0; t < T; ++t) _mm256_storeu_ps(sums[t] + 8 * side, acc[t]);
}

static KL_TARGET_AVX2 void gemm_avx2(kl_half type, const kl_q4_record *panels, size_t rows, const kl_inputs x,
                                     size_t tokens, size_t panel0, size_t panel1, float *y, size_t strideY) {
  for (size_t p = panel0; p < panel1; ++p) {
    const kl_q4_record *records = panels + p * x.groups;
    for (size_t t = 0, T; t < tokens; t += T) {
      T = tokens - t >= AVX2_TOKENS ? AVX2_TOKENS : tokens - t >= 2 ? 2 : 1;
      float sums[AVX2_TOKENS][KL_PANEL_ROWS];
      for (int side = 0; side < 2; ++side) {
        if (T == 1) tile_avx2(type, records, side, kl_inputs_of_token(x, t), 1, sums);
        else if (T == 2) tile_avx2(type, records, side, kl_inputs_of_token(x, t), 2, sums);
        else tile_avx2(type, records, side, kl_inputs_of_token(x, t), AVX2_TOKENS, sums);
      }
      for (size_t i = 0; i < T; ++i) kl_q4_write_rows(sums[i], rows, p, y + (t + i) * strideY);
    }
  }
}

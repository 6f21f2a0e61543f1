// The AVX-512 body of kl_q8_gemm_int8: 16 rows × 4 columns per vector, and vpdpbusd against a broadcast of 4 activations.

enum { TILE_TOKENS = 6 };

/// P panels against T tokens over `groups` groups, added to sums [T, P, 16].
KL_INLINE KL_TARGET_AVX512 void tile_avx512(kl_half type, const kl_q8_record *records, int P, const kl_inputs x,
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
      const kl_input_record *input = x.records + (size_t)t * x.groups + g;
      KL_UNROLL for (int p = 0; p < P; ++p) {
        dot[t][p][0] = dot[t][p][1] = _mm512_setzero_si512();
        KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
          const __m512i w = _mm512_load_si512(records[(size_t)p * x.groups + g].codes[input->words[s]]);
          const __m512i four = _mm512_set1_epi32(kl_input_word(input->spills[s]));
          dot[t][p][0] = _mm512_dpbusd_epi32(dot[t][p][0], w, four);
        }
        dot[t][p][0] = _mm512_slli_epi32(dot[t][p][0], KL_SPILL_SHIFT);
      }
    }
    KL_UNROLL for (int c = 0; c < 16; ++c) {
      __m512i w[2];
      KL_UNROLL for (int p = 0; p < P; ++p) w[p] = _mm512_load_si512(records[(size_t)p * x.groups + g].codes[c]);
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const int32_t four = kl_input_word(x.records[(size_t)t * x.groups + g].codes + 4 * c);
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

/// See tiles_scalar.
static KL_TARGET_AVX512 void tiles_avx512(kl_half type, const kl_q8_record *records, size_t P, const kl_inputs x,
                                          size_t tokens, size_t groups, float *sums) {
  for (size_t t = 0, T; t < tokens; t += T) {
    const kl_inputs tile = kl_inputs_of_token(x, t);
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

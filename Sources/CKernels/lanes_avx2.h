// The words of lanes.h on 8 floats; lanes_avx512.h says what each does.

#define vf __m256
KL_VECTOR vf vload(const float *x) { return _mm256_loadu_ps(x); }
KL_VECTOR void vstore(float *x, vf v) { _mm256_storeu_ps(x, v); }
KL_VECTOR vf vsplat(float x) { return _mm256_set1_ps(x); }
KL_VECTOR vf vload_f16(const uint16_t *x) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)x)); }
KL_VECTOR vf vload_bf16(const uint16_t *x) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)x));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
KL_VECTOR vf vload_pairs(const float *x) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(x)), twice);
}
KL_VECTOR vf vswap_pairs(vf x) { return _mm256_permute_ps(x, 0xb1); }
KL_VECTOR void vstore_half(kl_half type, uint16_t *out, vf x) {
  if (type == KL_F16) {
    _mm_storeu_si128((__m128i *)out, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return;
  }
  const __m256i bits = _mm256_castps_si256(x), upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i half = _mm256_blendv_epi8(_mm256_srli_epi32(rounded, 16), quiet, nan);
  _mm_storeu_si128((__m128i *)out,
                   _mm_packus_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}
KL_VECTOR vf vfma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
KL_VECTOR vf vmax(vf a, vf b) { return _mm256_max_ps(a, b); }
KL_VECTOR vf vmin(vf a, vf b) { return _mm256_min_ps(a, b); }
KL_VECTOR vf vwhere_less(vf a, vf b, vf yes, vf no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
KL_VECTOR vf vpower(vf x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23)); }
KL_VECTOR vf vabs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
KL_VECTOR vf vround(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
KL_VECTOR vf vcopy_sign(vf x, vf sign) {
  const vf bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(bit, sign));
}
KL_VECTOR void vsum4(vf a, vf b, vf c, vf d, float out[4]) {
  const vf four = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  _mm_storeu_ps(out, _mm256_castps256_ps128(four) + _mm256_extractf128_ps(four, 1));
}
KL_VECTOR float vsum(vf x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
KL_VECTOR float vhighest(vf x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
KL_VECTOR float vlowest(vf x) { return -vhighest(_mm256_xor_ps(x, _mm256_set1_ps(-0.0f))); }
KL_VECTOR vf vload_bytes(const uint8_t *x) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)x)));
}
KL_VECTOR void vload_nibbles(const uint8_t x[8], vf out[16 / KL_LANES]) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)x), low = _mm_set1_epi8(15);
  const __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);
  const __m128i codes = _mm_unpacklo_epi8(_mm_and_si128(bytes, low), upper);
  out[0] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes));
  out[1] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
}
KL_VECTOR vf vword_nibbles(const uint8_t *words, int shift) {
  const __m256i shifted = _mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)words), shift);
  return _mm256_cvtepi32_ps(_mm256_and_si256(shifted, _mm256_set1_epi32(15)));
}
KL_VECTOR void vstore_codes(int8_t *out, vf x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storel_epi64((__m128i *)out, _mm_packs_epi16(words, words));
}
KL_VECTOR void vstore_bytes(uint8_t *out, vf x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(words, words));
}

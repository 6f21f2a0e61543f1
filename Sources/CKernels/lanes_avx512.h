// The words of lanes.h on 16 floats. What each does is said here once for all three.

#define vf __m512
KL_VECTOR vf vload(const float *x) { return _mm512_loadu_ps(x); }
KL_VECTOR void vstore(float *x, vf v) { _mm512_storeu_ps(x, v); }
KL_VECTOR vf vsplat(float x) { return _mm512_set1_ps(x); }
/// KL_LANES halves.
KL_VECTOR vf vload_f16(const uint16_t *x) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)x)); }
KL_VECTOR vf vload_bf16(const uint16_t *x) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)x));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
/// Each of KL_LANES / 2 floats twice.
KL_VECTOR vf vload_pairs(const float *x) {
  const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(x)));
}
KL_VECTOR vf vswap_pairs(vf x) { return _mm512_permute_ps(x, 0xb1); }
/// Rounds to nearest even; NaN stays NaN.
KL_VECTOR void vstore_half(kl_half type, uint16_t *out, vf x) {
  if (type == KL_F16) {
    _mm256_storeu_si256((__m256i *)out, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return;
  }
  const __m512i bits = _mm512_castps_si512(x), upper = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const __m512i quiet = _mm512_or_si512(upper, _mm512_set1_epi32(0x40));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i half = _mm512_mask_blend_epi32(nan, _mm512_srli_epi32(rounded, 16), quiet);
  _mm256_storeu_si256((__m256i *)out, _mm512_cvtepi32_epi16(half));
}
/// a * b + c, rounded once.
KL_VECTOR vf vfma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/// The larger of each pair; b where one is NaN.
KL_VECTOR vf vmax(vf a, vf b) { return _mm512_max_ps(a, b); }
KL_VECTOR vf vmin(vf a, vf b) { return _mm512_min_ps(a, b); }
/// a < b ? yes : no
KL_VECTOR vf vwhere_less(vf a, vf b, vf yes, vf no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
/// The float whose exponent field is the lowest bits of x.
KL_VECTOR vf vpower(vf x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 23)); }
KL_VECTOR vf vabs(vf x) { return _mm512_abs_ps(x); }
/// To the nearest whole number, ties to even.
KL_VECTOR vf vround(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
KL_VECTOR vf vcopy_sign(vf x, vf sign) {
  const vf bit = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_andnot_ps(bit, x), _mm512_and_ps(bit, sign));
}
/// The sums of four vectors; each lane order is the same, so vsum4(a, …)'s first is vsum4(a, 0, 0, 0)'s first.
KL_VECTOR void vsum4(vf a, vf b, vf c, vf d, float out[4]) {
  const vf ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
  const vf cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
  const __m512d x = _mm512_castps_pd(ab), y = _mm512_castps_pd(cd);
  const vf four = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y)) + _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
  const __m256 two = _mm512_castps512_ps256(four) + _mm512_extractf32x8_ps(four, 1);
  _mm_storeu_ps(out, _mm256_castps256_ps128(two) + _mm256_extractf128_ps(two, 1));
}
KL_VECTOR float vsum(vf x) { return _mm512_reduce_add_ps(x); }
KL_VECTOR float vhighest(vf x) { return _mm512_reduce_max_ps(x); }
KL_VECTOR float vlowest(vf x) { return _mm512_reduce_min_ps(x); }
KL_VECTOR vf vload_bytes(const uint8_t *x) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)x)));
}
/// The 16 nibbles of 8 bytes, low nibble first.
KL_VECTOR void vload_nibbles(const uint8_t x[8], vf out[16 / KL_LANES]) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)x), low = _mm_set1_epi8(15);
  const __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);
  const __m128i codes = _mm_unpacklo_epi8(_mm_and_si128(bytes, low), upper);
  out[0] = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
}
/// One nibble of each of KL_LANES 32-bit words: (word >> shift) & 15.
KL_VECTOR vf vword_nibbles(const uint8_t *words, int shift) {
  const vf table = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  // The permutation reads the lowest four bits of a lane only.
  return _mm512_permutexvar_ps(_mm512_srli_epi32(_mm512_loadu_si512(words), (unsigned)shift), table);
}
/// Whole numbers of −128...127.
KL_VECTOR void vstore_codes(int8_t *out, vf x) {
  _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
/// Rounds numbers of 0...255 to nearest even.
KL_VECTOR void vstore_bytes(uint8_t *out, vf x) {
  _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

// Vectors of KL_LANES floats: the words in which loops that read alike on every processor are written once.
// A body header (`*_body.h`) starts by including this file, and bodies.h includes the body once per instruction set.

#define KL_VECTOR KL_INLINE KL_TARGET

#define vload KL_NAME(vload)
#define vload_first KL_NAME(vload_first)
#define vload_f16 KL_NAME(vload_f16)
#define vload_bf16 KL_NAME(vload_bf16)
#define vload_half KL_NAME(vload_half)
#define vload_bytes KL_NAME(vload_bytes)
#define vload_nibbles KL_NAME(vload_nibbles)
#define vword_nibbles KL_NAME(vword_nibbles)
#define vload_pairs KL_NAME(vload_pairs)
#define vstore KL_NAME(vstore)
#define vstore_first KL_NAME(vstore_first)
#define vstore_half KL_NAME(vstore_half)
#define vstore_bytes KL_NAME(vstore_bytes)
#define vstore_codes KL_NAME(vstore_codes)
#define vsplat KL_NAME(vsplat)
#define vfma KL_NAME(vfma)
#define vmax KL_NAME(vmax)
#define vmin KL_NAME(vmin)
#define vwhere_less KL_NAME(vwhere_less)
#define vscale_by_power KL_NAME(vscale_by_power)
#define vexp KL_NAME(vexp)
#define vtanh KL_NAME(vtanh)
#define vabs KL_NAME(vabs)
#define vround KL_NAME(vround)
#define vcopy_sign KL_NAME(vcopy_sign)
#define vswap_pairs KL_NAME(vswap_pairs)
#define vsum KL_NAME(vsum)
#define vsum4 KL_NAME(vsum4)
#define vhighest KL_NAME(vhighest)
#define vlowest KL_NAME(vlowest)

#undef vf
#if KL_LANES == 16
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
/// x * 2^n for whole n
KL_VECTOR vf vscale_by_power(vf x, vf n) { return _mm512_scalef_ps(x, n); }
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
#elif KL_LANES == 8
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
KL_VECTOR vf vscale_by_power(vf x, vf n) {
  const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
  const __m256i one = _mm256_set1_epi32(127);
  const vf first = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, one), 23));
  const __m256i rest = _mm256_sub_epi32(whole, half);
  return x * first * _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, one), 23));
}
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
#else
#define vf float32x4_t
KL_VECTOR vf vload(const float *x) { return vld1q_f32(x); }
KL_VECTOR void vstore(float *x, vf v) { vst1q_f32(x, v); }
KL_VECTOR vf vsplat(float x) { return vdupq_n_f32(x); }
KL_VECTOR vf vload_f16(const uint16_t *x) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x))); }
KL_VECTOR vf vload_bf16(const uint16_t *x) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(x), 16)); }
KL_VECTOR vf vload_pairs(const float *x) {
  const float32x2_t two = vld1_f32(x);
  return vcombine_f32(vdup_lane_f32(two, 0), vdup_lane_f32(two, 1));
}
KL_VECTOR vf vswap_pairs(vf x) { return vrev64q_f32(x); }
KL_VECTOR void vstore_half(kl_half type, uint16_t *out, vf x) {
  if (type == KL_F16) {
    vst1_u16(out, vreinterpret_u16_f16(vcvt_f16_f32(x)));
    return;
  }
  const uint32x4_t bits = vreinterpretq_u32_f32(x), upper = vshrq_n_u32(bits, 16);
  const uint32x4_t odd = vandq_u32(upper, vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
  const uint32x4_t quiet = vorrq_u32(upper, vdupq_n_u32(0x40)), number = vceqq_f32(x, x);
  vst1_u16(out, vmovn_u32(vbslq_u32(number, vshrq_n_u32(rounded, 16), quiet)));
}
KL_VECTOR vf vfma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
KL_VECTOR vf vmax(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
KL_VECTOR vf vmin(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
KL_VECTOR vf vwhere_less(vf a, vf b, vf yes, vf no) { return vbslq_f32(vcltq_f32(a, b), yes, no); }
KL_VECTOR vf vscale_by_power(vf x, vf n) {
  const int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1), one = vdupq_n_s32(127);
  const vf first = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, one), 23));
  return x * first * vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), one), 23));
}
KL_VECTOR vf vabs(vf x) { return vabsq_f32(x); }
KL_VECTOR vf vround(vf x) { return vrndnq_f32(x); }
KL_VECTOR vf vcopy_sign(vf x, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000), sign, x); }
KL_VECTOR void vsum4(vf a, vf b, vf c, vf d, float out[4]) {
  vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}
KL_VECTOR float vsum(vf x) { return vaddvq_f32(x); }
KL_VECTOR float vhighest(vf x) { return vmaxvq_f32(x); }
KL_VECTOR float vlowest(vf x) { return vminvq_f32(x); }
KL_VECTOR vf vload_bytes(const uint8_t *x) {
  uint32_t four;
  memcpy(&four, x, 4);
  const uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
}
KL_VECTOR void vload_nibbles(const uint8_t x[8], vf out[16 / KL_LANES]) {
  const uint8x8_t bytes = vld1_u8(x);
  const uint8x8x2_t codes = vzip_u8(vand_u8(bytes, vdup_n_u8(15)), vshr_n_u8(bytes, 4));
  KL_UNROLL for (int i = 0; i < 2; ++i) {
    const uint16x8_t words = vmovl_u8(codes.val[i]);
    out[2 * i] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
    out[2 * i + 1] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(words)));
  }
}
KL_VECTOR vf vword_nibbles(const uint8_t *words, int shift) {
  const uint32x4_t shifted = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(words)), vdupq_n_s32(-shift));
  return vcvtq_f32_u32(vandq_u32(shifted, vdupq_n_u32(15)));
}
KL_VECTOR void vstore_codes(int8_t *out, vf x) {
  const int16x4_t words = vmovn_s32(vcvtnq_s32_f32(x));
  const uint32_t four = vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(words, words))), 0);
  memcpy(out, &four, 4);
}
KL_VECTOR void vstore_bytes(uint8_t *out, vf x) {
  const uint16x4_t words = vmovn_u32(vcvtnq_u32_f32(x));
  const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
  memcpy(out, &four, 4);
}
#endif

/// The first n floats (n < KL_LANES) and `rest` in the other lanes.
KL_VECTOR vf vload_first(const float *x, size_t n, float rest) {
  float padded[KL_LANES];
  for (size_t i = 0; i < KL_LANES; ++i) padded[i] = i < n ? x[i] : rest;
  return vload(padded);
}

KL_VECTOR void vstore_first(float *out, vf x, size_t n) {
  float padded[KL_LANES];
  vstore(padded, x);
  for (size_t i = 0; i < n; ++i) out[i] = padded[i];
}

KL_VECTOR vf vload_half(kl_half type, const uint16_t *x) {
  return type == KL_F16 ? vload_f16(x) : vload_bf16(x);
}

/// e^x, relative error at most 1.2e-7 where the result is a normal float, held by `ExponentialTests`. Below
/// −103.98 it is 0, above 88.73 infinity, e^0 is 1, NaN stays NaN.
/// Method: x = n·ln 2 + r, |r| ≤ ln 2 / 2; a minimax polynomial of degree 6 in r (error 3.1e-9); times 2^n.
KL_VECTOR vf vexp(vf x) {
  // vmax and vmin give their second argument on NaN.
  const vf bounded = vmin(vsplat(89), vmax(vsplat(-104), x));
  const vf magic = vsplat(0x1.8p23f), n = vfma(bounded, vsplat(0x1.715476p+0f), magic) - magic;
  const vf r = vfma(n, vsplat(0x1.05c61p-29f), vfma(n, vsplat(-0x1.62e43p-1f), bounded));
  vf p = vfma(vsplat(0x1.6a2436p-10f), r, vsplat(0x1.1239e2p-7f));
  p = vfma(p, r, vsplat(0x1.5558f2p-5f));
  p = vfma(p, r, vsplat(0x1.555492p-3f));
  p = vfma(p, r, vsplat(0x1.fffffcp-2f));
  p = vfma(p * r, r, r);
  return vscale_by_power(p + vsplat(1), n);
}

/// tanh x, relative error at most 3e-7, held by `ExponentialTests`. Below 0.65 an odd minimax polynomial
/// (error 6.8e-9), above it 1 − 2 / (e^2x + 1).
KL_VECTOR vf vtanh(vf x) {
  const vf y = vabs(x), z = y * y;
  vf p = vfma(vsplat(-0x1.69711ap-8f), z, vsplat(0x1.4f5ef8p-6f));
  p = vfma(p, z, vsplat(-0x1.b7cff2p-5f));
  p = vfma(p, z, vsplat(0x1.1103f2p-3f));
  p = vfma(p, z, vsplat(-0x1.555524p-2f));
  const vf small = vfma(p * z, y, y), large = vsplat(1) - vsplat(2) / (vexp(y + y) + vsplat(1));
  return vcopy_sign(vwhere_less(y, vsplat(0.65f), small, large), x);
}

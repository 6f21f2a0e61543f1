// Vectors of KL_LANES floats: the words in which loops that read alike on every processor are written once.
// A body header (`*_body.h`) includes this file; a .c file includes the body once per instruction set, with
// KL_LANES (16: AVX-512, 8: AVX2, 4: NEON), KL_TARGET (the function attribute) and KL_NAME(x) (x_avx512, …) set.

#define KL_VECTOR KL_INLINE KL_TARGET

#define vload KL_NAME(vload)
#define vstore KL_NAME(vstore)
#define vsplat KL_NAME(vsplat)
#define vfma KL_NAME(vfma)
#define vmax KL_NAME(vmax)
#define vmin KL_NAME(vmin)
#define vwhere_less KL_NAME(vwhere_less)
#define vscale_by_power KL_NAME(vscale_by_power)
#define vexp KL_NAME(vexp)
#define vtanh KL_NAME(vtanh)
#define vabs KL_NAME(vabs)
#define vcopy_sign KL_NAME(vcopy_sign)
#define vsum KL_NAME(vsum)
#define vhighest KL_NAME(vhighest)

#undef vf
#if KL_LANES == 16
#define vf __m512
KL_VECTOR vf vload(const float *x) { return _mm512_loadu_ps(x); }
KL_VECTOR void vstore(float *x, vf v) { _mm512_storeu_ps(x, v); }
KL_VECTOR vf vsplat(float x) { return _mm512_set1_ps(x); }
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
KL_VECTOR vf vcopy_sign(vf x, vf sign) {
  const vf bit = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_andnot_ps(bit, x), _mm512_and_ps(bit, sign));
}
KL_VECTOR float vsum(vf x) { return _mm512_reduce_add_ps(x); }
KL_VECTOR float vhighest(vf x) { return _mm512_reduce_max_ps(x); }
#elif KL_LANES == 8
#define vf __m256
KL_VECTOR vf vload(const float *x) { return _mm256_loadu_ps(x); }
KL_VECTOR void vstore(float *x, vf v) { _mm256_storeu_ps(x, v); }
KL_VECTOR vf vsplat(float x) { return _mm256_set1_ps(x); }
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
KL_VECTOR vf vcopy_sign(vf x, vf sign) {
  const vf bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(bit, sign));
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
#else
#define vf float32x4_t
KL_VECTOR vf vload(const float *x) { return vld1q_f32(x); }
KL_VECTOR void vstore(float *x, vf v) { vst1q_f32(x, v); }
KL_VECTOR vf vsplat(float x) { return vdupq_n_f32(x); }
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
KL_VECTOR vf vcopy_sign(vf x, vf sign) { return vbslq_f32(vdupq_n_u32(0x80000000), sign, x); }
KL_VECTOR float vsum(vf x) { return vaddvq_f32(x); }
KL_VECTOR float vhighest(vf x) { return vmaxvq_f32(x); }
#endif

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

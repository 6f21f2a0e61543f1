// The words of lanes.h on 4 floats; lanes_avx512.h says what each does.

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
KL_VECTOR vf vpower(vf x) { return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(x), 23)); }
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

// The NEON body of kl_q8_gemm_int8: a quarter of a panel, 4 rows × 4 columns, per vector, and sdot against one word of
// 4 activations. Codes of 0...255 become signed by taking 128 away; 128 times the sum of the activations comes back.

enum { NEON_TOKENS = 4 };

KL_INLINE KL_TARGET_NEON float32x4_t halves_neon(kl_half type, const uint16_t *x) {
  const uint16x4_t bits = vld1_u16(x);
  if (type == KL_F16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
  return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}

/// One panel against T tokens over `groups` groups, added to sums, P panels of 16 per token.
KL_INLINE KL_TARGET_NEON void tile_neon(kl_half type, const kl_q8_record *records, const kl_inputs x, int T,
                                        size_t groups, size_t P, float *sums) {
  const uint8x16_t sign = vdupq_n_u8(0x80);
  const int8x16_t ones = vdupq_n_s8(1);
  for (size_t g = 0; g < groups; ++g) {
    int32x4_t dot[NEON_TOKENS][4], total[NEON_TOKENS];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const kl_input_record *input = x.records + (size_t)t * x.groups + g;
      total[t] = vdupq_n_s32(0);
      KL_UNROLL for (int v = 0; v < 4; ++v) dot[t][v] = vdupq_n_s32(0);
      KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
        const int32x4_t four = vdupq_n_s32(kl_input_word(input->spills[s]));
        total[t] = vdotq_s32(total[t], ones, vreinterpretq_s8_s32(vsetq_lane_s32(kl_input_word(input->spills[s]), vdupq_n_s32(0), 0)));
        KL_UNROLL for (int v = 0; v < 4; ++v) {
          const int8x16_t w = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(records[g].codes[input->words[s]] + 16 * v), sign));
          dot[t][v] = vdotq_s32(dot[t][v], w, vreinterpretq_s8_s32(four));
        }
      }
      total[t] = vshlq_n_s32(total[t], KL_SPILL_SHIFT);
      KL_UNROLL for (int v = 0; v < 4; ++v) dot[t][v] = vshlq_n_s32(dot[t][v], KL_SPILL_SHIFT);
    }
    KL_UNROLL for (int c = 0; c < 16; c += 4) {
      int8x16_t codes[NEON_TOKENS];  // chunks c ... c + 3
      KL_UNROLL for (int t = 0; t < T; ++t) {
        codes[t] = vld1q_s8(x.records[(size_t)t * x.groups + g].codes + 4 * c);
        total[t] = vdotq_s32(total[t], ones, codes[t]);
      }
      KL_UNROLL for (int v = 0; v < 4; ++v) {
        int8x16_t w[4];
        KL_UNROLL for (int i = 0; i < 4; ++i) {
          w[i] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(records[g].codes[c + i] + 16 * v), sign));
        }
        KL_UNROLL for (int t = 0; t < T; ++t) {
          dot[t][v] = vdotq_laneq_s32(dot[t][v], w[0], codes[t], 0);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], w[1], codes[t], 1);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], w[2], codes[t], 2);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], w[3], codes[t], 3);
        }
      }
    }
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const size_t i = (size_t)t * x.groups + g;
      const int32x4_t back = vdupq_n_s32(128 * vaddvq_s32(total[t]));
      KL_UNROLL for (int v = 0; v < 4; ++v) {
        float *sum = sums + (size_t)t * P * KL_PANEL_ROWS + 4 * v;
        const float32x4_t scale = vmulq_n_f32(halves_neon(type, records[g].scales + 4 * v), x.scales[i]);
        const float32x4_t acc = vfmaq_f32(vld1q_f32(sum), vcvtq_f32_s32(vaddq_s32(dot[t][v], back)), scale);
        vst1q_f32(sum, vfmaq_n_f32(acc, halves_neon(type, records[g].biases + 4 * v), x.sums[i]));
      }
    }
  }
}

/// See tiles_scalar.
static KL_TARGET_NEON void tiles_neon(kl_half type, const kl_q8_record *records, size_t P, const kl_inputs x,
                                      size_t tokens, size_t groups, float *sums) {
  for (size_t t = 0, T; t < tokens; t += T) {
    T = tokens - t >= NEON_TOKENS ? NEON_TOKENS : tokens - t >= 2 ? 2 : 1;
    const kl_inputs tile = kl_inputs_of_token(x, t);
    for (size_t p = 0; p < P; ++p) {
      const kl_q8_record *panel = records + p * x.groups;
      float *out = sums + (t * P + p) * KL_PANEL_ROWS;
      if (T == 1) tile_neon(type, panel, tile, 1, groups, P, out);
      else if (T == 2) tile_neon(type, panel, tile, 2, groups, P, out);
      else tile_neon(type, panel, tile, NEON_TOKENS, groups, P, out);
    }
  }
}

// The NEON body of kl_q4_gemm_int8: a quarter of a panel, 4 rows × 4 columns, per vector, and sdot against one word
// of 4 activations (codes of 0...15 are good signed bytes). The float operations of each (row, token) are those of
// the other bodies, whatever the number of tokens.

enum { NEON_TOKENS = 4 };

KL_INLINE KL_TARGET_NEON float32x4_t halves_neon(kl_half type, const uint16_t *x) {
  const uint16x4_t bits = vld1_u16(x);
  if (type == KL_F16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
  return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}

/// One panel against T tokens: sums of 16 rows per token.
KL_INLINE KL_TARGET_NEON void tile_neon(kl_half type, const kl_q4_record *records, const kl_inputs x, int T,
                                        float (*sums)[KL_PANEL_ROWS]) {
  const uint8x16_t low = vdupq_n_u8(15);
  KL_UNROLL for (int t = 0; t < T; ++t) memset(sums[t], 0, sizeof sums[t]);
  for (size_t g = 0; g < x.groups; ++g) {
    int32x4_t dot[NEON_TOKENS][4];
    KL_UNROLL for (int t = 0; t < T; ++t) {
      const kl_input_record *input = x.records + (size_t)t * x.groups + g;
      KL_UNROLL for (int v = 0; v < 4; ++v) {
        dot[t][v] = vdupq_n_s32(0);
        KL_UNROLL for (int s = 0; s < KL_SPILLS; ++s) {
          const uint8x16_t both = vld1q_u8(records[g].codes[input->words[s] / 2] + 16 * v);
          const uint8x16_t q = input->words[s] % 2 ? vshrq_n_u8(both, 4) : vandq_u8(both, low);
          const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(kl_input_word(input->spills[s])));
          dot[t][v] = vdotq_s32(dot[t][v], vreinterpretq_s8_u8(q), four);
        }
        dot[t][v] = vshlq_n_s32(dot[t][v], KL_SPILL_SHIFT);
      }
    }
    KL_UNROLL for (int c = 0; c < 8; c += 2) {
      int8x16_t codes[NEON_TOKENS];  // words: low and high of chunk c, low and high of chunk c + 1
      KL_UNROLL for (int t = 0; t < T; ++t) {
        codes[t] = vld1q_s8(x.records[(size_t)t * x.groups + g].codes + 8 * c);
      }
      KL_UNROLL for (int v = 0; v < 4; ++v) {
        const uint8x16_t a = vld1q_u8(records[g].codes[c] + 16 * v), b = vld1q_u8(records[g].codes[c + 1] + 16 * v);
        const int8x16_t a0 = vreinterpretq_s8_u8(vandq_u8(a, low)), a1 = vreinterpretq_s8_u8(vshrq_n_u8(a, 4));
        const int8x16_t b0 = vreinterpretq_s8_u8(vandq_u8(b, low)), b1 = vreinterpretq_s8_u8(vshrq_n_u8(b, 4));
        KL_UNROLL for (int t = 0; t < T; ++t) {
          dot[t][v] = vdotq_laneq_s32(dot[t][v], a0, codes[t], 0);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], a1, codes[t], 1);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], b0, codes[t], 2);
          dot[t][v] = vdotq_laneq_s32(dot[t][v], b1, codes[t], 3);
        }
      }
    }
    KL_UNROLL for (int v = 0; v < 4; ++v) {
      const float32x4_t scale = halves_neon(type, records[g].scales + 4 * v);
      const float32x4_t bias = halves_neon(type, records[g].biases + 4 * v);
      KL_UNROLL for (int t = 0; t < T; ++t) {
        const size_t i = (size_t)t * x.groups + g;
        const float32x4_t factor = vmulq_n_f32(scale, x.scales[i]);
        float32x4_t acc = vld1q_f32(sums[t] + 4 * v);
        acc = vfmaq_f32(acc, vcvtq_f32_s32(dot[t][v]), factor);
        vst1q_f32(sums[t] + 4 * v, vfmaq_n_f32(acc, bias, x.sums[i]));
      }
    }
  }
}

static KL_TARGET_NEON void gemm_neon(kl_half type, const kl_q4_record *panels, size_t rows, const kl_inputs x,
                                     size_t tokens, size_t panel0, size_t panel1, float *y, size_t strideY) {
  for (size_t p = panel0; p < panel1; ++p) {
    const kl_q4_record *records = panels + p * x.groups;
    for (size_t t = 0, T; t < tokens; t += T) {
      T = tokens - t >= NEON_TOKENS ? NEON_TOKENS : tokens - t >= 2 ? 2 : 1;
      float sums[NEON_TOKENS][KL_PANEL_ROWS];
      if (T == 1) tile_neon(type, records, kl_inputs_of_token(x, t), 1, sums);
      else if (T == 2) tile_neon(type, records, kl_inputs_of_token(x, t), 2, sums);
      else tile_neon(type, records, kl_inputs_of_token(x, t), NEON_TOKENS, sums);
      for (size_t i = 0; i < T; ++i) kl_q4_write_rows(sums[i], rows, p, y + (t + i) * strideY);
    }
  }
}

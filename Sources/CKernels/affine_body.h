#include "lanes.h"

KL_VECTOR void KL_NAME(encode_group)(int bits, int group, const float *x, uint8_t *codes, float *scale,
                                     float *bias) {
  vf lows = vsplat(INFINITY), highs = vsplat(-INFINITY), zeros = vsplat(0);
  for (int i = 0; i < group; i += KL_LANES) {
    const vf v = vload(x + i);
    lows = vmin(v, lows);
    highs = vmax(v, highs);
    zeros = vfma(v, vsplat(0), zeros);  // NaN once there is an infinity or NaN
  }
  group_range(vlowest(lows), vhighest(highs), vsum(zeros) == 0, bits, scale, bias);
  uint8_t bytes[LARGEST_GROUP];
  const vf bins = vsplat((float)((1 << bits) - 1));
  for (int i = 0; i < group; i += KL_LANES) {
    const vf steps = (vload(x + i) - vsplat(*bias)) / vsplat(*scale);
    vstore_bytes(bytes + i, vmin(vmax(steps, vsplat(0)), bins));  // a NaN becomes 0
  }
  for (int i = 0; i < group; i += 8) pack_eight(bits, bytes + i, codes + i / 8 * bits);
}

KL_VECTOR void KL_NAME(decode_group)(int bits, int group, const uint8_t *codes, float scale, float bias,
                                     float *out) {
  if (bits == 4) {
    for (int i = 0; i < group; i += 16) {
      vf q[16 / KL_LANES];
      vload_nibbles(codes + i / 2, q);
      KL_UNROLL for (int v = 0; v < 16 / KL_LANES; ++v) {
        vstore(out + i + v * KL_LANES, vfma(q[v], vsplat(scale), vsplat(bias)));
      }
    }
    return;
  }
  uint8_t bytes[LARGEST_GROUP];
  for (int i = 0; i < group; i += 8) unpack_eight(bits, codes + i / 8 * bits, bytes + i);
  for (int i = 0; i < group; i += KL_LANES) {
    vstore(out + i, vfma(vload_bytes(bytes + i), vsplat(scale), vsplat(bias)));
  }
}

// One call per width of a code, so that packing has constant shifts.

static KL_TARGET void KL_NAME(encode)(int bits, int group, const float *x, uint8_t *codes, float *scale,
                                      float *bias) {
  switch (bits) {
    case 2: KL_NAME(encode_group)(2, group, x, codes, scale, bias); break;
    case 3: KL_NAME(encode_group)(3, group, x, codes, scale, bias); break;
    case 4: KL_NAME(encode_group)(4, group, x, codes, scale, bias); break;
    case 5: KL_NAME(encode_group)(5, group, x, codes, scale, bias); break;
    case 6: KL_NAME(encode_group)(6, group, x, codes, scale, bias); break;
    default: KL_NAME(encode_group)(8, group, x, codes, scale, bias); break;
  }
}

static KL_TARGET void KL_NAME(decode)(int bits, int group, const uint8_t *codes, float scale, float bias,
                                      float *out) {
  switch (bits) {
    case 2: KL_NAME(decode_group)(2, group, codes, scale, bias, out); break;
    case 3: KL_NAME(decode_group)(3, group, codes, scale, bias, out); break;
    case 4: KL_NAME(decode_group)(4, group, codes, scale, bias, out); break;
    case 5: KL_NAME(decode_group)(5, group, codes, scale, bias, out); break;
    case 6: KL_NAME(decode_group)(6, group, codes, scale, bias, out); break;
    default: KL_NAME(decode_group)(8, group, codes, scale, bias, out); break;
  }
}

#include "lanes.h"

/// The same operations as in the scalar body, so the same codes, scales and sums.
KL_VECTOR void KL_NAME(quantize_group)(const float *x, int8_t *codes, float *scale, float *sum) {
  vf v[KL_GROUP / KL_LANES], highs = vsplat(0), zeros = vsplat(0);
  KL_UNROLL for (int i = 0; i < KL_GROUP / KL_LANES; ++i) {
    v[i] = vload(x + i * KL_LANES);
    highs = vmax(vabs(v[i]), highs);
    zeros = vfma(v[i], vsplat(0), zeros);  // NaN once there is an infinity or NaN
  }
  const float amax = vhighest(highs);
  if (!group_scale(amax, vsum(zeros) == 0, scale)) {
    memset(codes, 0, KL_GROUP);
    *sum = *scale;
    return;
  }
  const vf inverse = vsplat(127 / amax);
  vf total = vsplat(0);
  KL_UNROLL for (int i = 0; i < KL_GROUP / KL_LANES; ++i) {
    const vf code = vround(v[i] * inverse);
    total = total + code;
    vstore_codes(codes + i * KL_LANES, code);
  }
  *sum = *scale * vsum(total);  // of whole numbers, so exact
}

static KL_TARGET void KL_NAME(quantize)(const float *x, size_t groups, int8_t *codes, float *scales, float *sums) {
  for (size_t g = 0; g < groups; ++g) {
    KL_NAME(quantize_group)(x + g * KL_GROUP, codes + g * KL_GROUP, scales + g, sums + g);
  }
}

static KL_TARGET void KL_NAME(quantize_inputs)(const float *x, size_t groups, kl_input_record *records, float *scales,
                                               float *sums) {
  for (size_t g = 0; g < groups; ++g, x += KL_GROUP) {
    kl_input_record *record = records + g;
    float inverse, wholes[KL_GROUP];
    record->unused = 0;
    if (!begin_record(x, record, scales + g, &inverse)) {
      memset(record, 0, sizeof *record);
      sums[g] = scales[g];
      continue;
    }
    vf total = vsplat(0);
    KL_UNROLL for (int i = 0; i < KL_GROUP; i += KL_LANES) {
      const vf whole = vround(vload(x + i) * vsplat(inverse));
      total = total + whole;
      vstore(wholes + i, whole);
      vstore_codes(record->codes + i, whole);
    }
    spill(wholes, record);
    sums[g] = scales[g] * vsum(total);  // of whole numbers, so exact
  }
}

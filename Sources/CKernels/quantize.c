#include "inputs.h"

/// Sets the scale of a group; false when all its codes are 0. A group below 2^-100 has scale 0, as 127 / amax must
/// not overflow; one with an infinity or NaN has scale NaN, which every product takes on.
KL_INLINE bool group_scale(float amax, bool finite, float *scale) {
  const bool usable = finite && amax >= 0x1p-100f;
  *scale = usable ? amax / 127 : finite ? 0 : NAN;
  return usable;
}

static void quantize_scalar(const float *x, size_t groups, int8_t *codes, float *scales, float *sums) {
  for (size_t g = 0; g < groups; ++g, x += KL_GROUP, codes += KL_GROUP) {
    float amax = 0;
    bool finite = true;
    for (size_t i = 0; i < KL_GROUP; ++i) {
      amax = fabsf(x[i]) > amax ? fabsf(x[i]) : amax;
      finite &= fabsf(x[i]) < INFINITY;
    }
    int32_t total = 0;
    if (group_scale(amax, finite, scales + g)) {
      const float inverse = 127 / amax;
      for (size_t i = 0; i < KL_GROUP; ++i) {
        codes[i] = (int8_t)rintf(x[i] * inverse);
        total += codes[i];
      }
    } else {
      memset(codes, 0, KL_GROUP);
    }
    sums[g] = scales[g] * (float)total;
  }
}

KL_INLINE uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/// The bits of the largest magnitude outside of the words of `record`, which become those with the largest ones, the first of
/// equals to 19 bits; `amax` gets the bits of the largest of all. Bits of magnitudes are in the order of the magnitudes, and
/// those of infinities and NaN are the highest.
KL_INLINE uint32_t choose_words(const float *x, kl_input_record *record, uint32_t *amax) {
  uint32_t highs[16], keys[16];
  for (size_t w = 0; w < 16; ++w) {
    uint32_t high = 0;
    for (size_t i = 0; i < 4; ++i) {
      uint32_t bits;
      memcpy(&bits, x + 4 * w + i, 4);
      high = larger(high, bits & 0x7fffffff);
    }
    highs[w] = high;
    keys[w] = (high & ~15u) | (15 - (uint32_t)w);
  }
  uint32_t all = 0, rest = 0;
  for (size_t w = 0; w < 16; ++w) all = larger(all, highs[w]);
  for (size_t s = 0; s < KL_SPILLS; ++s) {
    uint32_t best = 0;
    for (size_t w = 0; w < 16; ++w) best = larger(best, keys[w]);
    const size_t word = 15 - (best & 15);
    record->words[s] = (uint8_t)word;
    keys[word] = highs[word] = 0;
  }
  for (size_t w = 0; w < 16; ++w) rest = larger(rest, highs[w]);
  *amax = all;
  return rest;
}

/// Chooses the spilled words of a group and sets its scale; false when the record is to be all zeros.
KL_INLINE bool begin_record(const float *x, kl_input_record *record, float *scale, float *inverse) {
  uint32_t all;
  const float rest = kl_float(choose_words(x, record, &all)), amax = kl_float(all);
  enum { MOST = 127 << KL_SPILL_SHIFT };
  if (!group_scale(amax, all < 0x7f800000, scale)) return false;
  const bool tame = rest * (1 << KL_SPILL_SHIFT) >= amax;
  *scale = tame ? rest / 127 : amax / MOST;
  *inverse = tame ? 127 / rest : MOST / amax;
  return true;
}

/// Takes the spilled words of whole numbers, |wholes| <= 127 * 128, apart.
KL_INLINE void spill(const float wholes[KL_GROUP], kl_input_record *record) {
  for (size_t s = 0; s < KL_SPILLS; ++s) {
    const size_t column = 4 * (size_t)record->words[s];
    for (size_t i = 0; i < 4; ++i) {
      const int32_t whole = (int32_t)wholes[column + i];
      const int32_t high = (whole + (1 << (KL_SPILL_SHIFT - 1))) >> KL_SPILL_SHIFT;
      record->spills[s][i] = (int8_t)high;
      record->codes[column + i] = (int8_t)(whole - high * (1 << KL_SPILL_SHIFT));
    }
  }
}

static void quantize_inputs_scalar(const float *x, size_t groups, kl_input_record *records, float *scales, float *sums) {
  for (size_t g = 0; g < groups; ++g, x += KL_GROUP) {
    float inverse, wholes[KL_GROUP], total = 0;
    memset(records + g, 0, sizeof *records);
    if (begin_record(x, records + g, scales + g, &inverse)) {
      for (size_t i = 0; i < KL_GROUP; ++i) {
        wholes[i] = rintf(x[i] * inverse);
        total += wholes[i];  // of whole numbers, so exact
        records[g].codes[i] = (int8_t)(int32_t)wholes[i];
      }
      spill(wholes, records + g);
    } else {
      memset(records + g, 0, sizeof *records);
    }
    sums[g] = scales[g] * total;
  }
}

#define KL_BODY "quantize_body.h"
#include "bodies.h"

void kl_quantize_activations(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX,
                             int8_t *codes, float *scales, float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    const size_t i = t * groups;
    KL_DISPATCH(isa, quantize, x + t * strideX, groups, codes + i * KL_GROUP, scales + i, sums + i);
  }
}

void kl_quantize_inputs(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX, uint8_t *records, float *scales,
                        float *sums) {
  const size_t groups = cols / KL_GROUP;
  for (size_t t = 0; t < tokens; ++t) {
    const size_t i = t * groups;
    KL_DISPATCH(isa, quantize_inputs, x + t * strideX, groups, (kl_input_record *)records + i, scales + i, sums + i);
  }
}

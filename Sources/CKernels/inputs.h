// Inputs of products in 8 bits, as the C bodies see them.
#ifndef CKERNELS_INPUTS_H
#define CKERNELS_INPUTS_H

#include "internal.h"

typedef struct {
  int8_t codes[KL_GROUP];
  int8_t spills[KL_SPILLS][4];
  uint8_t words[KL_SPILLS];
  uint8_t unused;
} kl_input_record;

_Static_assert(sizeof(kl_input_record) == KL_INPUT_RECORD, "a record is 80 bytes");
_Static_assert(offsetof(kl_input_record, words) == 76, "words follow the spills");

/// What a spill counts, as a shift.
enum { KL_SPILL_SHIFT = 7 };

/// Inputs as kl_quantize_inputs leaves them.
typedef struct {
  const kl_input_record *records;  // [tokens, groups]
  const float *scales;             // [tokens, groups]
  const float *sums;               // [tokens, groups]
  size_t groups;
} kl_inputs;

/// The same from group `i` of all on; rows keep their distance.
KL_INLINE kl_inputs kl_inputs_from(kl_inputs x, size_t i) {
  return (kl_inputs){x.records + i, x.scales + i, x.sums + i, x.groups};
}

KL_INLINE kl_inputs kl_inputs_of_token(kl_inputs x, size_t t) { return kl_inputs_from(x, t * x.groups); }

/// 4 codes as one number.
KL_INLINE int32_t kl_input_word(const int8_t *codes) {
  int32_t four;
  memcpy(&four, codes, 4);
  return four;
}

#endif

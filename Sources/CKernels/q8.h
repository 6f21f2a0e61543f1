// The record of one panel and one group of 8-bit weights.
#ifndef CKERNELS_Q8_H
#define CKERNELS_Q8_H

#include "internal.h"

typedef struct {
  uint8_t codes[16][4 * KL_PANEL_ROWS];
  uint16_t scales[KL_PANEL_ROWS];
  uint16_t biases[KL_PANEL_ROWS];
} kl_q8_record;

_Static_assert(sizeof(kl_q8_record) == KL_Q8_RECORD, "a record is 1088 bytes");
_Static_assert(offsetof(kl_q8_record, scales) == 1024, "scales follow the codes");
_Static_assert(offsetof(kl_q8_record, biases) == 1056, "biases follow the scales");
_Static_assert(KL_Q8_RECORD % 64 == 0, "every record starts on a cache line");

#endif

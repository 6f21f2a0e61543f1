// The record of one panel and one group, as the C bodies see it.
#ifndef CKERNELS_Q4_H
#define CKERNELS_Q4_H

#include "internal.h"

typedef struct {
  uint8_t codes[8][4 * KL_PANEL_ROWS];
  uint16_t scales[KL_PANEL_ROWS];
  uint16_t biases[KL_PANEL_ROWS];
} kl_q4_record;

_Static_assert(sizeof(kl_q4_record) == KL_Q4_RECORD, "a record is 576 bytes");
_Static_assert(offsetof(kl_q4_record, scales) == 512, "scales follow the codes");
_Static_assert(offsetof(kl_q4_record, biases) == 544, "biases follow the scales");
_Static_assert(KL_Q4_RECORD % 64 == 0, "every record starts on a cache line");

/// The 64 codes of one row of a record, in column order.
KL_INLINE void kl_q4_row_codes(const kl_q4_record *record, size_t row, uint8_t out[KL_GROUP]) {
  for (size_t chunk = 0; chunk < 8; ++chunk) {
    for (size_t j = 0; j < 4; ++j) {
      const uint8_t byte = record->codes[chunk][4 * row + j];
      out[8 * chunk + j] = byte & 15;
      out[8 * chunk + 4 + j] = byte >> 4;
    }
  }
}

#endif

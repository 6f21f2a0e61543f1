// The workspace of flash attention, the same for every instruction set.
#ifndef CKERNELS_FLASH_H
#define CKERNELS_FLASH_H

#include "internal.h"

/// Rows are padded to a multiple of this, the largest row block of any body.
enum { KL_FLASH_ROWS = 32 };

/// Rows of a block in the body with `lanes` floats to a vector.
#define FLASH_BLOCK(lanes) ((lanes) == 16 ? 32 : 16)

/// At the start of the workspace. The pointers lead into it.
typedef struct {
  size_t rows, keyWidth, valueWidth;
  float *q;       // [rows, keyWidth] as the body likes it
  float *maxima;  // [rows]
  float *sums;    // [rows]
  float *acc;     // [rows, valueWidth] as the body likes it
  float *scores;  // [tileTokens, KL_FLASH_ROWS]
  // Of the 16-bit bodies only:
  float *queryScales;  // [rows]
  float *keyScales;    // [tileTokens]
  float *valueScales;  // [valueWidth]
  float *keyCodes;     // [tileTokens, keyWidth] in 16 bits
  float *valueCodes;   // [tileTokens, valueWidth] in 16 bits
  float *weights;      // [tileTokens, KL_FLASH_ROWS] in 16 bits
} kl_flash;

/// Rows of one block and the tile's keys that they see.
typedef struct {
  size_t count;         // live rows, the rest is padding
  size_t from, to;      // keys that some row sees
  size_t whole0, whole1;  // keys within those that every row sees
  float first[KL_FLASH_ROWS], end[KL_FLASH_ROWS];  // per row, as tile indices
} kl_flash_sight;

/// Clips lo and hi of rows [row0, row0 + block) to the tile; false when no row sees any of it.
KL_INLINE bool kl_flash_look(const kl_flash *state, size_t row0, size_t block, size_t n, int32_t position0,
                             const int32_t *lo, const int32_t *hi, kl_flash_sight *sight) {
  sight->count = kl_min(block, state->rows - row0);
  sight->from = n;
  sight->to = 0;
  sight->whole0 = 0;
  sight->whole1 = n;
  for (size_t i = 0; i < block; ++i) {
    size_t first = 0, end = n;  // padding sees all: its queries are zero and its output goes nowhere
    if (i < sight->count) {
      const int64_t a = (int64_t)lo[row0 + i] - position0, b = (int64_t)hi[row0 + i] - position0;
      first = a < 0 ? 0 : kl_min((size_t)a, n);
      end = b < (int64_t)first ? first : kl_min((size_t)b, n);
      if (first < end) {
        if (first < sight->from) sight->from = first;
        if (end > sight->to) sight->to = end;
      }
      if (first > sight->whole0) sight->whole0 = first;
      if (end < sight->whole1) sight->whole1 = end;
    }
    sight->first[i] = (float)first;
    sight->end[i] = (float)end;
  }
  return sight->from < sight->to;
}

#endif

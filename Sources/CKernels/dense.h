// What the f32 products of dense and of 8-bit panels share.
#ifndef CKERNELS_DENSE_H
#define CKERNELS_DENSE_H

#include "q8.h"

/// Panels of one matrix.
typedef struct {
  const void *bytes;
  size_t rows, cols;
  kl_dense type;  // the element type; for 8-bit panels that of scales and biases
  bool is8bit;
} kl_panels;

enum {
  // Columns that are opened to floats at a time, a multiple of KL_GROUP, and tokens that share them: what they
  // take stays in the caches nearest to the core.
  KL_OPEN_COLUMNS = 128,
  KL_OPEN_TOKENS = 64,
};

/// `count` columns of panel `p` from column c0 on, opened to floats: out [count, 16].
static inline void kl_open_columns(const kl_panels *w, size_t p, size_t c0, size_t count, float *out) {
  const size_t first = (p * w->cols + c0) * KL_PANEL_ROWS;
  if (!w->is8bit) {
    for (size_t i = 0; i < count * KL_PANEL_ROWS; ++i) {
      out[i] = w->type == KL_DENSE_F32 ? ((const float *)w->bytes)[first + i]
                                       : kl_float_from_half((kl_half)w->type, ((const uint16_t *)w->bytes)[first + i]);
    }
    return;
  }
  const kl_q8_record *records = (const kl_q8_record *)w->bytes + (p * w->cols + c0) / KL_GROUP;
  for (size_t c = 0; c < count; ++c) {
    const kl_q8_record *record = records + c / KL_GROUP;
    const size_t column = c % KL_GROUP;
    for (size_t r = 0; r < KL_PANEL_ROWS; ++r) {
      const float scale = kl_float_from_half((kl_half)w->type, record->scales[r]);
      const float bias = kl_float_from_half((kl_half)w->type, record->biases[r]);
      out[c * KL_PANEL_ROWS + r] = scale * (float)record->codes[column / 4][4 * r + column % 4] + bias;
    }
  }
}

#endif

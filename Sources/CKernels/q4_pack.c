#include "q4.h"

void kl_q4_pack(const uint8_t *codes, const uint16_t *scales, const uint16_t *biases, size_t rows,
                size_t cols, uint8_t *panels) {
  const size_t groups = cols / KL_GROUP;
  kl_q4_record *record = (kl_q4_record *)panels;
  for (size_t row0 = 0; row0 < rows; row0 += KL_PANEL_ROWS) {
    const size_t live = kl_min(KL_PANEL_ROWS, rows - row0);
    for (size_t g = 0; g < groups; ++g, ++record) {
      memset(record, 0, sizeof *record);
      for (size_t r = 0; r < live; ++r) {
        const size_t row = row0 + r;
        const uint8_t *source = codes + (row * cols + g * KL_GROUP) / 2;
        for (size_t chunk = 0; chunk < 8; ++chunk) {
          const uint8_t *s = source + 4 * chunk;  // 8 columns, two per byte, low nibble first
          uint8_t *d = record->codes[chunk] + 4 * r;
          d[0] = (uint8_t)((s[0] & 15) | (s[2] << 4));
          d[1] = (uint8_t)((s[0] >> 4) | (s[2] & 0xf0));
          d[2] = (uint8_t)((s[1] & 15) | (s[3] << 4));
          d[3] = (uint8_t)((s[1] >> 4) | (s[3] & 0xf0));
        }
        record->scales[r] = scales[row * groups + g];
        record->biases[r] = biases[row * groups + g];
      }
    }
  }
}

void kl_q4_unpack_row(kl_half type, const uint8_t *panels, size_t row, size_t cols, float *out) {
  const size_t groups = cols / KL_GROUP, r = row % KL_PANEL_ROWS;
  const kl_q4_record *records = (const kl_q4_record *)panels + row / KL_PANEL_ROWS * groups;
  for (size_t g = 0; g < groups; ++g) {
    const float scale = kl_float_from_half(type, records[g].scales[r]);
    const float bias = kl_float_from_half(type, records[g].biases[r]);
    uint8_t q[KL_GROUP];
    kl_q4_row_codes(records + g, r, q);
    for (size_t c = 0; c < KL_GROUP; ++c) out[g * KL_GROUP + c] = scale * (float)q[c] + bias;
  }
}

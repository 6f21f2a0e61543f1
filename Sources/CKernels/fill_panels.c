// Row-major weights into panels and back, a range of rows at a time.
#include "q4.h"
#include "q8.h"

// MARK: Dense

static size_t element_size(kl_dense type) { return type == KL_DENSE_F32 ? 4 : 2; }

static float element(kl_dense type, const void *x, size_t i) {
  return type == KL_DENSE_F32 ? ((const float *)x)[i] : kl_float_from_half((kl_half)type, ((const uint16_t *)x)[i]);
}

void kl_dense_fill(kl_dense type, void *panels, kl_dense source, const void *x, size_t row0, size_t count,
                   size_t cols) {
  for (size_t i = 0; i < count; ++i) {
    const size_t row = row0 + i, first = row / KL_PANEL_ROWS * cols * KL_PANEL_ROWS + row % KL_PANEL_ROWS;
    const void *from = (const char *)x + i * cols * element_size(source);
    void *to = (char *)panels + first * element_size(type);
    if (type != source && type != KL_DENSE_F32) {
      uint16_t *out = to;
      for (size_t c = 0; c < cols; ++c) {
        out[c * KL_PANEL_ROWS] = kl_half_from_float((kl_half)type, element(source, from, c));
      }
    } else if (type == KL_DENSE_F32) {
      float *out = to;
      for (size_t c = 0; c < cols; ++c) out[c * KL_PANEL_ROWS] = element(source, from, c);
    } else {
      uint16_t *out = to;
      for (size_t c = 0; c < cols; ++c) out[c * KL_PANEL_ROWS] = ((const uint16_t *)from)[c];
    }
  }
}

void kl_dense_row(kl_dense type, const void *panels, size_t row, size_t cols, float *out) {
  const size_t first = row / KL_PANEL_ROWS * cols * KL_PANEL_ROWS + row % KL_PANEL_ROWS;
  for (size_t c = 0; c < cols; ++c) out[c] = element(type, panels, first + c * KL_PANEL_ROWS);
}

// MARK: Affine

void kl_q4_fill(const uint8_t *codes, const uint16_t *scales, const uint16_t *biases, size_t row0, size_t count,
                size_t cols, uint8_t *panels) {
  const size_t groups = cols / KL_GROUP;
  for (size_t i = 0; i < count; ++i) {
    const size_t row = row0 + i, r = row % KL_PANEL_ROWS;
    kl_q4_record *records = (kl_q4_record *)panels + row / KL_PANEL_ROWS * groups;
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t *source = codes + (i * cols + g * KL_GROUP) / 2;
      for (size_t chunk = 0; chunk < 8; ++chunk) {
        const uint8_t *s = source + 4 * chunk;  // 8 columns, two per byte, low nibble first
        uint8_t *d = records[g].codes[chunk] + 4 * r;
        d[0] = (uint8_t)((s[0] & 15) | (s[2] << 4));
        d[1] = (uint8_t)((s[0] >> 4) | (s[2] & 0xf0));
        d[2] = (uint8_t)((s[1] & 15) | (s[3] << 4));
        d[3] = (uint8_t)((s[1] >> 4) | (s[3] & 0xf0));
      }
      records[g].scales[r] = scales[i * groups + g];
      records[g].biases[r] = biases[i * groups + g];
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

void kl_q8_fill(const uint8_t *codes, const uint16_t *scales, const uint16_t *biases, size_t row0, size_t count,
                size_t cols, uint8_t *panels) {
  const size_t groups = cols / KL_GROUP;
  for (size_t i = 0; i < count; ++i) {
    const size_t row = row0 + i, r = row % KL_PANEL_ROWS;
    kl_q8_record *records = (kl_q8_record *)panels + row / KL_PANEL_ROWS * groups;
    for (size_t g = 0; g < groups; ++g) {
      const uint8_t *source = codes + i * cols + g * KL_GROUP;
      for (size_t chunk = 0; chunk < 16; ++chunk) memcpy(records[g].codes[chunk] + 4 * r, source + 4 * chunk, 4);
      records[g].scales[r] = scales[i * groups + g];
      records[g].biases[r] = biases[i * groups + g];
    }
  }
}

void kl_q8_row(kl_half type, const uint8_t *panels, size_t row, size_t cols, float *out) {
  const size_t groups = cols / KL_GROUP, r = row % KL_PANEL_ROWS;
  const kl_q8_record *records = (const kl_q8_record *)panels + row / KL_PANEL_ROWS * groups;
  for (size_t g = 0; g < groups; ++g) {
    const float scale = kl_float_from_half(type, records[g].scales[r]);
    const float bias = kl_float_from_half(type, records[g].biases[r]);
    for (size_t c = 0; c < KL_GROUP; ++c) {
      out[g * KL_GROUP + c] = scale * (float)records[g].codes[c / 4][4 * r + c % 4] + bias;
    }
  }
}

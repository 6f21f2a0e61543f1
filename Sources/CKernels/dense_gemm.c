// f32 activations against panels of floats, and against 8-bit panels opened to floats.
#include "dense.h"

static void product_scalar(const kl_panels *w, size_t panel0, size_t panel1, const float *x, size_t strideX,
                           size_t tokens, float *y, size_t strideY) {
  float open[KL_OPEN_COLUMNS * KL_PANEL_ROWS];
  for (size_t p = panel0; p < panel1; ++p) {
    const size_t row = p * KL_PANEL_ROWS, live = kl_min(w->rows - row, KL_PANEL_ROWS);
    for (size_t t = 0; t < tokens; ++t) memset(y + t * strideY + row, 0, live * sizeof(float));
    for (size_t c0 = 0; c0 < w->cols; c0 += KL_OPEN_COLUMNS) {
      const size_t columns = kl_min(w->cols - c0, KL_OPEN_COLUMNS);
      kl_open_columns(w, p, c0, columns, open);
      for (size_t t = 0; t < tokens; ++t) {
        for (size_t r = 0; r < live; ++r) {
          float sum = y[t * strideY + row + r];
          for (size_t c = 0; c < columns; ++c) sum += open[c * KL_PANEL_ROWS + r] * x[t * strideX + c0 + c];
          y[t * strideY + row + r] = sum;
        }
      }
    }
  }
}

#define KL_BODY "dense_body.h"
#include "bodies.h"

static void product(kl_isa isa, const kl_panels w, size_t panel0, size_t panel1, const float *x, size_t strideX,
                    size_t tokens, float *y, size_t strideY) {
  KL_DISPATCH(isa, product, &w, panel0, panel1, x, strideX, tokens, y, strideY);
}

void kl_dense_gemm(kl_isa isa, kl_dense type, const void *panels, size_t rows, size_t cols, size_t panel0,
                   size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY) {
  product(isa, (kl_panels){panels, rows, cols, type, false}, panel0, panel1, x, strideX, tokens, y, strideY);
}

void kl_q8_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                    size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY) {
  product(isa, (kl_panels){panels, rows, cols, (kl_dense)type, true}, panel0, panel1, x, strideX, tokens, y, strideY);
}

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

#if KL_X86
#define KL_LANES 16
#define KL_TARGET KL_TARGET_AVX512
#define KL_NAME(x) x##_avx512
#define DENSE_PANELS 2
#define DENSE_TOKENS 8
#include "dense_body.h"
#undef KL_LANES
#undef KL_TARGET
#undef KL_NAME
#undef DENSE_PANELS
#undef DENSE_TOKENS

#define KL_LANES 8
#define KL_TARGET KL_TARGET_AVX2
#define KL_NAME(x) x##_avx2
#define DENSE_PANELS 1
#define DENSE_TOKENS 4
#include "dense_body.h"
#elif KL_ARM
#define KL_LANES 4
#define KL_TARGET KL_TARGET_NEON
#define KL_NAME(x) x##_neon
#define DENSE_PANELS 1
#define DENSE_TOKENS 4
#include "dense_body.h"
#endif

static void product(kl_isa isa, const kl_panels w, size_t panel0, size_t panel1, const float *x, size_t strideX,
                    size_t tokens, float *y, size_t strideY) {
  switch (isa) {
#if KL_X86
    case KL_AVX512: dense_product_avx512(&w, panel0, panel1, x, strideX, tokens, y, strideY); break;
    case KL_AVX2: dense_product_avx2(&w, panel0, panel1, x, strideX, tokens, y, strideY); break;
#elif KL_ARM
    case KL_NEON: dense_product_neon(&w, panel0, panel1, x, strideX, tokens, y, strideY); break;
#endif
    default: product_scalar(&w, panel0, panel1, x, strideX, tokens, y, strideY);
  }
}

void kl_dense_gemm(kl_isa isa, kl_dense type, const void *panels, size_t rows, size_t cols, size_t panel0,
                   size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY) {
  product(isa, (kl_panels){panels, rows, cols, type, false}, panel0, panel1, x, strideX, tokens, y, strideY);
}

void kl_q8_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                    size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY) {
  product(isa, (kl_panels){panels, rows, cols, (kl_dense)type, true}, panel0, panel1, x, strideX, tokens, y, strideY);
}

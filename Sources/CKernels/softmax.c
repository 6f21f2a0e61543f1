#include "internal.h"

// One head. A NaN score is passed over by the maximum and makes the sum NaN.

static void block_scalar(float *scores, size_t n, float *maximum, float *sum, float *acc, size_t width) {
  float high = *maximum;
  for (size_t i = 0; i < n; ++i) high = scores[i] > high ? scores[i] : high;
  const float base = high == -INFINITY ? 0 : high;
  if (high > *maximum) {
    const float rescale = expf(*maximum - high);
    *sum *= rescale;
    for (size_t d = 0; d < width; ++d) acc[d] *= rescale;
    *maximum = high;
  }
  float total = 0;
  for (size_t i = 0; i < n; ++i) total += scores[i] = expf(scores[i] - base);
  *sum += total;
}

#define KL_BODY "softmax_body.h"
#include "bodies.h"

void kl_softmax_block(kl_isa isa, float *scores, size_t strideS, size_t heads, size_t n, float *maxima,
                      float *sums, float *acc, size_t strideA, size_t width) {
  for (size_t h = 0; h < heads; ++h) {
    KL_DISPATCH(isa, block, scores + h * strideS, n, maxima + h, sums + h, acc + h * strideA, width);
  }
}

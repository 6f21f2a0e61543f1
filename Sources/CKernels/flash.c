#include "internal.h"

// The workspace of the scalar body: this header, then q [rows, keyWidth], scores [tileTokens], maxima [rows],
// sums [rows] and acc [rows, valueWidth].
typedef struct {
  size_t rows, tileTokens, keyWidth, valueWidth;
} flash_header;

static float *flash_floats(void *workspace) { return (float *)((char *)workspace + 64); }

size_t kl_flash_workspace(kl_compute compute, size_t rows, size_t tileTokens, size_t keyWidth,
                          size_t valueWidth) {
  return 64 + sizeof(float) * (rows * (keyWidth + valueWidth + 2) + tileTokens);
}

void kl_flash_begin(kl_isa isa, kl_compute compute, void *workspace, const float *q, size_t strideQ,
                    size_t rows, size_t tileTokens, size_t keyWidth, size_t valueWidth) {
  *(flash_header *)workspace = (flash_header){rows, tileTokens, keyWidth, valueWidth};
  float *floats = flash_floats(workspace);
  for (size_t i = 0; i < rows; ++i) memcpy(floats + i * keyWidth, q + i * strideQ, keyWidth * sizeof *q);
  float *maxima = floats + rows * keyWidth + tileTokens;
  for (size_t i = 0; i < rows; ++i) maxima[i] = -INFINITY;
  memset(maxima + rows, 0, rows * (1 + valueWidth) * sizeof *q);
}

void kl_flash_tile(kl_isa isa, kl_compute compute, void *workspace, const float *k, const float *v, size_t n,
                   int32_t position0, const int32_t *lo, const int32_t *hi, float softcap) {
  const flash_header *header = workspace;
  const size_t rows = header->rows, keyWidth = header->keyWidth, width = header->valueWidth;
  float *q = flash_floats(workspace), *scores = q + rows * keyWidth, *maxima = scores + header->tileTokens;
  float *sums = maxima + rows, *acc = sums + rows;
  for (size_t i = 0; i < rows; ++i) {
    const int64_t first = (int64_t)lo[i] - position0, last = (int64_t)hi[i] - position0;
    const size_t from = first < 0 ? 0 : (size_t)first, to = last < 0 ? 0 : kl_min(n, (size_t)last);
    if (from >= to) continue;
    const size_t seen = to - from;
    kl_scores_f32(KL_SCALAR, q + i * keyWidth, keyWidth, 1, k + from * keyWidth, seen, keyWidth, scores, seen);
    for (size_t j = 0; softcap > 0 && j < seen; ++j) scores[j] = softcap * tanhf(scores[j] / softcap);
    kl_softmax_block(KL_SCALAR, scores, seen, 1, seen, maxima + i, sums + i, acc + i * width, width, width);
    kl_accumulate_f32(KL_SCALAR, scores, seen, 1, v + from * width, seen, width, acc + i * width, width);
  }
}

void kl_flash_end(kl_isa isa, kl_compute compute, void *workspace, float *out, size_t strideOut) {
  const flash_header *header = workspace;
  const size_t rows = header->rows, width = header->valueWidth;
  const float *sums = flash_floats(workspace) + rows * (header->keyWidth + 1) + header->tileTokens;
  const float *acc = sums + rows;
  for (size_t i = 0; i < rows; ++i) {
    const float factor = sums[i] > 0 ? 1 / sums[i] : 0;
    for (size_t d = 0; d < width; ++d) out[i * strideOut + d] = acc[i * width + d] * factor;
  }
}

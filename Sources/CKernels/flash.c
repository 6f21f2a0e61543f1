#include "flash.h"

/// Lays the arrays out behind the header; with a base, sets the pointers too.
static size_t flash_bytes(kl_compute compute, size_t rows, size_t tileTokens, size_t keyWidth,
                          size_t valueWidth, char *base, kl_flash *state) {
  const size_t padded = kl_round_up(rows, KL_FLASH_ROWS), tokens = kl_round_up(tileTokens, 32);
  const size_t keys = kl_round_up(keyWidth, 32), values = kl_round_up(valueWidth, 32);
  const bool fast = compute == KL_FAST;
  const struct {
    float **field;
    size_t count;
  } arrays[] = {{&state->q, padded * keys},
                {&state->maxima, padded},
                {&state->sums, padded},
                {&state->acc, padded * values},
                {&state->scores, tokens * KL_FLASH_ROWS},
                {&state->queryScales, fast ? padded : 0},
                {&state->keyScales, fast ? tileTokens : 0},
                {&state->valueScales, fast ? values : 0},
                {&state->keyCodes, fast ? tokens * keys / 2 : 0},
                {&state->valueCodes, fast ? tokens * values / 2 : 0},
                {&state->weights, fast ? tokens * KL_FLASH_ROWS / 2 : 0}};
  size_t bytes = kl_round_up(sizeof(kl_flash), 64);
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; ++i) {
    if (base) *arrays[i].field = (float *)(base + bytes);
    bytes += kl_round_up(arrays[i].count * sizeof(float), 64);
  }
  return bytes;
}

size_t kl_flash_workspace(kl_compute compute, size_t rows, size_t tileTokens, size_t keyWidth,
                          size_t valueWidth) {
  kl_flash state;
  return flash_bytes(compute, rows, tileTokens, keyWidth, valueWidth, NULL, &state);
}

// MARK: Scalar

static void flash_tile_scalar(kl_flash *state, const float *k, const float *v, size_t n, int32_t position0,
                              const int32_t *lo, const int32_t *hi, float softcap) {
  const size_t keyWidth = state->keyWidth, width = state->valueWidth;
  for (size_t row = 0; row < state->rows; ++row) {
    kl_flash_sight sight;
    if (!kl_flash_look(state, row, 1, n, position0, lo, hi, &sight)) continue;
    const size_t seen = sight.to - sight.from;
    float *scores = state->scores, *acc = state->acc + row * width;
    kl_scores_f32(KL_SCALAR, state->q + row * keyWidth, keyWidth, 1, k + sight.from * keyWidth, seen, keyWidth,
                  scores, seen);
    for (size_t i = 0; softcap > 0 && i < seen; ++i) scores[i] = softcap * tanhf(scores[i] / softcap);
    kl_softmax_block(KL_SCALAR, scores, seen, 1, seen, state->maxima + row, state->sums + row, acc, width, width);
    kl_accumulate_f32(KL_SCALAR, scores, seen, 1, v + sight.from * width, seen, width, acc, width);
  }
}

// MARK: SIMD

#define KL_BODY "flash_body.h"
#include "bodies.h"

#if KL_X86
#include "amx.h"
#include "flash_amx.h"
#include "flash_int16.h"
#endif

/// Rows that one block of a body holds side by side: q and acc are [rows / block, width, block].
static size_t flash_block(kl_isa isa) {
  switch (isa) {
#if KL_X86
    case KL_AMX:
    case KL_AVX512: return FLASH_BLOCK(16);
    case KL_AVX2: return FLASH_BLOCK(8);
#elif KL_ARM
    case KL_NEON: return FLASH_BLOCK(4);
#endif
    default: return 1;
  }
}

void kl_flash_begin(kl_isa isa, kl_compute compute, void *workspace, const float *q, size_t strideQ,
                    size_t rows, size_t tileTokens, size_t keyWidth, size_t valueWidth) {
  kl_flash *state = workspace;
  flash_bytes(compute, rows, tileTokens, keyWidth, valueWidth, workspace, state);
  state->rows = rows;
  state->keyWidth = keyWidth;
  state->valueWidth = valueWidth;
  const size_t padded = kl_round_up(rows, KL_FLASH_ROWS), block = flash_block(isa);
  for (size_t i = 0; i < padded; ++i) state->maxima[i] = -INFINITY;
  memset(state->sums, 0, padded * sizeof(float));
  memset(state->acc, 0, padded * kl_round_up(valueWidth, 32) * sizeof(float));
#if KL_X86
  if (isa == KL_AMX && compute == KL_FAST) {
    flash_queries_amx(state, q, strideQ);
    return;
  }
  if (isa == KL_AVX512 && compute == KL_FAST) {
    flash_queries_int16(state, q, strideQ);
    return;
  }
#endif
  for (size_t i = 0; i < padded; ++i) {
    float *column = state->q + i / block * block * keyWidth + i % block;
    for (size_t d = 0; d < keyWidth; ++d) column[d * block] = i < rows ? q[i * strideQ + d] : 0;
  }
}

void kl_flash_tile(kl_isa isa, kl_compute compute, void *workspace, const float *k, const float *v, size_t n,
                   int32_t position0, const int32_t *lo, const int32_t *hi, float softcap) {
#if KL_X86
  if (isa == KL_AMX && compute == KL_FAST) {
    flash_tile_amx(workspace, k, v, n, position0, lo, hi, softcap);
    return;
  }
  if (isa == KL_AVX512 && compute == KL_FAST) {
    flash_tile_int16(workspace, k, v, n, position0, lo, hi, softcap);
    return;
  }
#endif
  KL_DISPATCH(isa, flash_tile, workspace, k, v, n, position0, lo, hi, softcap);
}

void kl_flash_end(kl_isa isa, kl_compute compute, void *workspace, float *out, size_t strideOut) {
  const kl_flash *state = workspace;
  const size_t width = state->valueWidth, block = flash_block(isa);
  const size_t channels = isa == KL_AMX && compute == KL_FAST ? kl_round_up(width, 32) : width;
  for (size_t i = 0; i < state->rows; ++i) {
    const float *column = state->acc + i / block * block * channels + i % block;
    const float factor = state->sums[i] == 0 ? 0 : 1 / state->sums[i];
    for (size_t d = 0; d < width; ++d) out[i * strideOut + d] = column[d * block] * factor;
  }
}

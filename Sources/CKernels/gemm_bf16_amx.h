// The AMX body of the bfloat16 products. Two panels of weights against two tiles of tokens fill four tiles of sums, so
// that every tile that is loaded serves twice. Weights are opened (dequantized into tiles) for 512 columns of two panels
// at a time, on the vector units, while the tile unit works on the two panels before them. The activations of a block of
// tokens and those columns stay in the second-level cache for all panels of the call.

enum {
  AMX_GROUPS = 8,           // groups of columns that are opened at a time
  AMX_BLOCK_TILES = 16,     // tiles of tokens in a block
  AMX_BLOCK_PANELS = 32,    // panels whose sums are kept
  AMX_UNITS = 8,            // units of opening in a group: 8 columns each
};

/// Opened columns of one panel: tiles of 32 columns, [columns / 2, rows, 2].
typedef struct {
  uint16_t tiles[2 * AMX_GROUPS][AMX_TILE];
} amx_open;

/// Opening that is under way: `groups` groups of one or two panels whose first records are given. What lies `ahead` bytes
/// behind a record is opened next, and fetched meanwhile.
typedef struct {
  kl_half type;
  const uint8_t *records[2];
  size_t groups, done, units, ahead;
  amx_open *to;
} amx_opening;

/// The bits of each lane that are at `from`, at `to`.
#define AMX_SHIFTED(x, from, to) \
  ((from) < (to) ? _mm512_slli_epi32(x, (to) - (from)) : (from) > (to) ? _mm512_srli_epi32(x, (from) - (to)) : (x))

/// 128 + the 4-bit code that each lane has at `bit`, and 256 + the 8-bit one: the code in the upper bits of a mantissa.
KL_INLINE KL_TARGET_AMX __m512 amx_code4(__m512i lanes, int bit) {
  const __m512i mask = _mm512_set1_epi32(0xf0000), base = _mm512_set1_epi32(0x43000000);  // 128
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(AMX_SHIFTED(lanes, bit, 16), mask, base, 0xea));
}

KL_INLINE KL_TARGET_AMX __m512 amx_code8(__m512i lanes, int bit) {
  const __m512i mask = _mm512_set1_epi32(0x7f8000), base = _mm512_set1_epi32(0x43800000);  // 256
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(AMX_SHIFTED(lanes, bit, 15), mask, base, 0xea));
}

/// Opens the next 8 columns.
KL_INLINE KL_TARGET_AMX void amx_open_unit(amx_opening *opening, storage kind) {
  const size_t unit = opening->done++, p = unit / AMX_UNITS / opening->groups, g = unit / AMX_UNITS % opening->groups;
  const size_t c = unit % AMX_UNITS;
  __m512i *to = (__m512i *)(opening->to[p].tiles[2 * g + c / 4] + c % 4 * 4 * AMX_DEPTH);
  __m512 codes[8], scale, bias;
  const size_t size = kind == AFFINE4 ? KL_Q4_RECORD : KL_Q8_RECORD;
  const char *next = (const char *)opening->records[p] + g * size + opening->ahead;
  for (size_t line = c * 64; line < size; line += AMX_UNITS * 64) _mm_prefetch(next + line, _MM_HINT_T1);
  if (kind == AFFINE4) {
    const kl_q4_record *record = (const kl_q4_record *)opening->records[p] + g;
    const __m512i lanes = _mm512_load_si512(record->codes[c]);
    KL_UNROLL for (int i = 0; i < 8; ++i) codes[i] = amx_code4(lanes, i % 4 * 8 + i / 4 * 4);
    scale = kl_q4_halves_avx512(opening->type, record->scales);
    bias = kl_q4_halves_avx512(opening->type, record->biases);
    bias = _mm512_fnmadd_ps(_mm512_set1_ps(128), scale, bias);
  } else {
    const kl_q8_record *record = (const kl_q8_record *)opening->records[p] + g;
    KL_UNROLL for (int i = 0; i < 8; ++i) {
      codes[i] = amx_code8(_mm512_load_si512(record->codes[2 * c + (size_t)i / 4]), i % 4 * 8);
    }
    scale = kl_q4_halves_avx512(opening->type, record->scales);
    bias = kl_q4_halves_avx512(opening->type, record->biases);
    bias = _mm512_fnmadd_ps(_mm512_set1_ps(256), scale, bias);
  }
  KL_UNROLL for (int i = 0; i < 4; ++i) {
    const __m512 low = _mm512_fmadd_ps(scale, codes[2 * i], bias), high = _mm512_fmadd_ps(scale, codes[2 * i + 1], bias);
    _mm512_store_si512(to + i, amx_pair(low, high));
  }
}

/// P opened panels against M tiles of tokens over `depth` tiles of columns, added to sums [P, 2, 16, 16] or put there.
/// x and xStride: tiles of the first tokens, and the elements to those of the next. After every tile of columns, `share`
/// units of `opening` are done.
KL_INLINE KL_TARGET_AMX void amx_block(const amx_open *o, int P, int M, size_t depth, const uint16_t *x, size_t xStride,
                                       float *sums, bool first, amx_opening *opening, storage kind, size_t share) {
  if (first) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums, 64);
    if (M == 2) _tile_loadd(1, sums + AMX_SUMS, 64);
    if (P == 2) _tile_loadd(2, sums + 2 * AMX_SUMS, 64);
    if (P == 2 && M == 2) _tile_loadd(3, sums + 3 * AMX_SUMS, 64);
  }
  for (size_t k = 0; k < depth; ++k) {
    _tile_loadd(4, x + k * AMX_TILE, 64);
    _tile_loadd(6, o[0].tiles[k], 64);
    _tile_dpbf16ps(0, 4, 6);
    if (M == 2) {
      _tile_loadd(5, x + xStride + k * AMX_TILE, 64);
      _tile_dpbf16ps(1, 5, 6);
    }
    if (P == 2) {
      _tile_loadd(7, o[1].tiles[k], 64);
      _tile_dpbf16ps(2, 4, 7);
      if (M == 2) _tile_dpbf16ps(3, 5, 7);
    }
    for (size_t i = 0; i < share && opening->done < opening->units; ++i) amx_open_unit(opening, kind);
  }
  _tile_stored(0, sums, 64);
  if (M == 2) _tile_stored(1, sums + AMX_SUMS, 64);
  if (P == 2) _tile_stored(2, sums + 2 * AMX_SUMS, 64);
  if (P == 2 && M == 2) _tile_stored(3, sums + 3 * AMX_SUMS, 64);
}

/// What a call works on: `tiles` tiles of tokens from x on, panels from `panel0` on.
typedef struct {
  kl_half type;
  const uint8_t *panels;
  size_t record, groups, panel0, panel1;
  const uint16_t *x;
  size_t tiles;
} amx_task;

/// The opening of panels p and p + 1, groups from g on.
static amx_opening amx_prepare(const amx_task *task, size_t p, size_t g, amx_open *to) {
  const size_t groups = kl_min(task->groups - g, AMX_GROUPS), count = kl_min(task->panel1 - p, 2);
  const uint8_t *first = task->panels + (p * task->groups + g) * task->record;
  const size_t panel = task->groups * task->record;
  return (amx_opening){task->type, {first, first + panel}, groups, 0, count * groups * AMX_UNITS, 2 * panel, to};
}

/// Sums of the task's panels and tokens, [panel pairs, token tile pairs, 2, 2, 16, 16].
KL_INLINE KL_TARGET_AMX void amx_sums(const amx_task *task, storage kind, float *sums) {
  amx_open open[2][2] __attribute__((aligned(64)));
  const size_t xStride = task->groups * 2 * AMX_TILE, pairs = (task->tiles + 1) / 2;
  amx_opening opening = amx_prepare(task, task->panel0, 0, open[0]);
  while (opening.done < opening.units) amx_open_unit(&opening, kind);
  size_t turn = 0;
  for (size_t g = 0; g < task->groups; g += AMX_GROUPS) {
    const size_t depth = 2 * kl_min(task->groups - g, AMX_GROUPS);
    for (size_t p = task->panel0; p < task->panel1; p += 2, turn ^= 1) {
      const amx_open *o = open[turn];
      const bool two = task->panel1 - p >= 2, same = p + 2 < task->panel1;
      if (same) opening = amx_prepare(task, p + 2, g, open[turn ^ 1]);
      else if (g + AMX_GROUPS < task->groups) opening = amx_prepare(task, task->panel0, g + AMX_GROUPS, open[turn ^ 1]);
      const size_t share = (opening.units - opening.done + pairs * depth - 1) / (pairs * depth);
      for (size_t t = 0; t < task->tiles; t += 2) {
        const uint16_t *x = task->x + t * xStride + 2 * g * AMX_TILE;
        float *to = sums + ((p - task->panel0) / 2 * pairs + t / 2) * 4 * AMX_SUMS;
        const bool both = task->tiles - t >= 2;
        if (two && both) amx_block(o, 2, 2, depth, x, xStride, to, g == 0, &opening, kind, share);
        else if (two) amx_block(o, 2, 1, depth, x, xStride, to, g == 0, &opening, kind, share);
        else if (both) amx_block(o, 1, 2, depth, x, xStride, to, g == 0, &opening, kind, share);
        else amx_block(o, 1, 1, depth, x, xStride, to, g == 0, &opening, kind, share);
      }
    }
  }
}

static KL_TARGET_AMX void gemm_amx(storage kind, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                                   size_t panel0, size_t panel1, const uint16_t *x, size_t token0, size_t tokens,
                                   float *y, size_t strideY) {
  float sums[AMX_BLOCK_PANELS / 2 * AMX_BLOCK_TILES / 2 * 4 * AMX_SUMS] __attribute__((aligned(64)));
  const size_t groups = cols / KL_GROUP, record = kind == AFFINE4 ? KL_Q4_RECORD : KL_Q8_RECORD;
  const size_t end = token0 + tokens;
  amx_begin();
  for (size_t tile = token0 / AMX_ROWS; tile * AMX_ROWS < end; tile += AMX_BLOCK_TILES) {
    const size_t tiles = kl_min((end + AMX_ROWS - 1) / AMX_ROWS - tile, AMX_BLOCK_TILES), pairs = (tiles + 1) / 2;
    for (size_t p0 = panel0; p0 < panel1; p0 += AMX_BLOCK_PANELS) {
      const size_t p1 = kl_min(panel1, p0 + AMX_BLOCK_PANELS);
      const amx_task task = {type, panels, record, groups, p0, p1, x + tile * groups * 2 * AMX_TILE, tiles};
      if (kind == AFFINE4) amx_sums(&task, AFFINE4, sums);
      else amx_sums(&task, AFFINE8, sums);
      for (size_t t = 0; t < tiles * AMX_ROWS; ++t) {
        const size_t token = tile * AMX_ROWS + t;
        if (token < token0 || token >= end) continue;
        for (size_t p = p0; p < p1; ++p) {
          const size_t i = (((p - p0) / 2 * pairs + t / 32) * 2 + (p - p0) % 2) * 2 + t / 16 % 2;
          _mm512_mask_storeu_ps(y + (token - token0) * strideY + p * KL_PANEL_ROWS, kl_q4_live_avx512(rows, p),
                                _mm512_load_ps(sums + i * AMX_SUMS + t % 16 * 16));
        }
      }
    }
  }
  _tile_release();
}

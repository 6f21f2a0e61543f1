// Tiles of the AMX bodies: matrices of 16 rows × 64 bytes, and products of them in bfloat16.
#ifndef CKERNELS_AMX_H
#define CKERNELS_AMX_H

#include "internal.h"

#if KL_X86

#define KL_TARGET_AMX \
  __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))

/// Rows of a tile; a tile holds 16 × 32 bfloat16 or 16 × 16 floats.
enum { AMX_ROWS = 16, AMX_DEPTH = 32, AMX_TILE = AMX_ROWS * AMX_DEPTH, AMX_SUMS = AMX_ROWS * AMX_ROWS };

/// Takes all eight tile registers at their full size. A thread gives them back with _tile_release.
KL_INLINE KL_TARGET_AMX void amx_begin(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } configuration = {.palette = 1};
  for (size_t i = 0; i < 8; ++i) {
    configuration.bytes[i] = 64;
    configuration.rows[i] = AMX_ROWS;
  }
  _tile_loadconfig(&configuration);
}

/// Bits of `low` and `high` rounded to bfloat16 (halves away from zero) into the halves of each 32-bit lane: a pair of
/// neighbouring columns, as tiles of second factors have them. A NaN or infinity stays one.
KL_INLINE KL_TARGET_AMX __m512i amx_pair(__m512 low, __m512 high) {
  const __m512i half = _mm512_set1_epi32(0x8000);
  const __m512i a = _mm512_add_epi32(_mm512_castps_si512(low), half);
  const __m512i b = _mm512_add_epi32(_mm512_castps_si512(high), half);
  return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(a, 16), b);
}

/// Turns rows x [16, 16] of 32-bit lanes into columns.
KL_INLINE KL_TARGET_AMX void amx_transpose(__m512i x[16]) {
  __m512i y[16];
  KL_UNROLL for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  // x[4i + j]: column 4b + j of rows 4i ... 4i + 3 in each 128-bit block b.
  KL_UNROLL for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  // Blocks 0 and 2, or 1 and 3, of rows 0...7 and of rows 8...15; then these together.
  KL_UNROLL for (int j = 0; j < 4; ++j) {
    y[j] = _mm512_shuffle_i32x4(x[j], x[4 + j], 0x88);
    y[4 + j] = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0x88);
    y[8 + j] = _mm512_shuffle_i32x4(x[j], x[4 + j], 0xdd);
    y[12 + j] = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0xdd);
  }
  KL_UNROLL for (int j = 0; j < 4; ++j) {
    x[j] = _mm512_shuffle_i32x4(y[j], y[4 + j], 0x88);
    x[8 + j] = _mm512_shuffle_i32x4(y[j], y[4 + j], 0xdd);
    x[4 + j] = _mm512_shuffle_i32x4(y[8 + j], y[12 + j], 0x88);
    x[12 + j] = _mm512_shuffle_i32x4(y[8 + j], y[12 + j], 0xdd);
  }
}

/// One bit per element of `width` that lies among the 16 from `d` on.
KL_INLINE KL_TARGET_AMX __mmask16 amx_live(size_t width, size_t d) {
  return d < width ? (__mmask16)((1u << kl_min(width - d, 16)) - 1) : 0;
}

#endif

#endif

// CKernels: leaf loops of kvlab. No allocation, no threads, no global state.
// Every function takes the instruction set as its first argument; `KL_SCALAR` is the reference that
// all other bodies are tested against. Integer sums are exact on every ISA; float sums run in an order
// that depends on the ISA and the shape only, never on the number of threads.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: Instruction sets

typedef enum : int32_t {
  KL_SCALAR = 0,
  KL_AVX2 = 1,    // AVX2, FMA, F16C
  KL_AVX512 = 2,  // AVX-512 F/BW/DQ/VL and VNNI
  KL_NEON = 3,    // Arm Advanced SIMD with dot products
  KL_AMX = 4,     // AVX-512 and tiles of bfloat16; the system's leave to use them is asked for once
} kl_isa;

/// Does this build hold a body for `isa`, and does this processor run it?
bool kl_isa_supported(kl_isa isa);
/// The fastest supported instruction set.
kl_isa kl_isa_best(void);

/// Storage of 16-bit floats: scales, biases, caches and weights.
typedef enum : int32_t { KL_F16 = 0, KL_BF16 = 1 } kl_half;

// MARK: Conversions (round to nearest even; NaN stays NaN)

void kl_f32_to_half(kl_isa isa, kl_half type, const float *x, size_t n, uint16_t *out);
void kl_half_to_f32(kl_isa isa, kl_half type, const uint16_t *x, size_t n, float *out);

// MARK: 4-bit weights, affine, groups of 64 along the columns
//
// Panel layout. W: [rows, cols], rows padded to 16, cols a multiple of 64, w = scale * q + bias.
// Panel p holds rows 16p..16p+15 as cols/64 group records of KL_Q4_RECORD bytes, 64-byte aligned:
//   bytes 0..511    codes: chunk c (0...7) of 64 bytes; byte 4r + j of chunk c holds row r,
//                   low nibble column 64g + 8c + j, high nibble column 64g + 8c + 4 + j (j in 0...3)
//   bytes 512..543  16 scales (kl_half), one per row
//   bytes 544..575  16 biases (kl_half), one per row
#define KL_PANEL_ROWS 16
#define KL_GROUP 64
#define KL_Q4_RECORD 576

/// `count` row-major MLX-style rows (codes [count, cols / 2], low nibble first; scales and biases [count, cols/64]) into
/// rows row0 ..< row0 + count of zeroed panels. Different rows may be filled at the same time.
void kl_q4_fill(const uint8_t *codes, const uint16_t *scales, const uint16_t *biases, size_t row0, size_t count,
                size_t cols, uint8_t *panels);
/// One row of panels back to floats: out [cols].
void kl_q4_unpack_row(kl_half type, const uint8_t *panels, size_t row, size_t cols, float *out);

/// x [tokens, cols] f32 to symmetric 8-bit per group of 64: x ≈ scale * code, scale = amax / 127.
/// codes [tokens, cols], scales and sums [tokens, cols/64]; sums = scale * Σ codes of the group. The same bits on
/// every ISA. A group below 2^-100 has scale 0; one with an infinity or NaN has codes 0 and scale NaN.
void kl_quantize_activations(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX,
                             int8_t *codes, float *scales, float *sums);

// Inputs of products in 8 bits. A group of 64 is a record of KL_INPUT_RECORD bytes:
//   bytes 0..63    codes
//   bytes 64..75   the spills of 3 words: what to add to the codes of those 4 columns, 128 times
//   bytes 76..78   which words, of 16
//   byte 79        0
// Of a group, the three words that hold the largest values have codes of 15 bits in this way, and the scale is that of the
// other thirteen: half the rounding error of 8 bits throughout, for 3/16 more products.
#define KL_SPILLS 3
#define KL_INPUT_RECORD 80

/// x [tokens, cols] f32 as records [tokens, cols/64], scales and sums [tokens, cols/64]: x ≈ scale * (code + 128 * spill), scale =
/// amax / 127 of the values outside of the spilled words, or amax / 16256 of all where that is more; sums = scale * Σ of the group's
/// codes and spills. The same bits on every ISA. A group below 2^-100 has scale 0; one with an infinity or NaN has a record of
/// zeros and scale NaN.
void kl_quantize_inputs(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX, uint8_t *records, float *scales,
                        float *sums);

/// Fast path. y[t, r] = Σ_g sW·sX·Σ q·code + bias·sum, for rows of panels [panel0, panel1), written at
/// y[t * strideY + r]; rows at or past `rows` are not written. tokens ≥ 1; one token is the decode GEMV.
/// Integer sums are exact; a token's result does not depend on the tokens or panels that come with it.
void kl_q4_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                     size_t panel0, size_t panel1, const uint8_t *records, const float *scales,
                     const float *sums, size_t tokens, float *y, size_t strideY);

/// x as two terms of 8 bits, row 2t and row 2t + 1 of the outputs: what the first leaves over of token t is rounded again.
/// records, scales and sums [2 tokens, cols/64]; x is the sum of both to within (0.5/127)² of its group's amax.
void kl_quantize_input_pairs(kl_isa isa, const float *x, size_t tokens, size_t cols, size_t strideX, uint8_t *records,
                             float *scales, float *sums);
/// kl_q4_gemm_int8 of such pairs: y[t] = W(x[2t] + x[2t + 1]), in one pass over the panels. tokens counts pairs.
void kl_q4_gemm_int8_pairs(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                           size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens, float *y,
                           size_t strideY);

/// Reference path. The same product with weights dequantized to f32 and f32 activations
/// x [tokens, cols] at x[t * strideX + c]; columns are summed in ascending order. As above, whatever the batch.
void kl_q4_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols,
                    size_t panel0, size_t panel1, const float *x, size_t strideX, size_t tokens,
                    float *y, size_t strideY);

// MARK: Affine KV rows (MLX `quantize`, mode affine)
//
// Row-major planes: codes [n, width * bits / 8] with elements packed least significant bit first into
// little-endian 32-bit words, scales and biases [n, width / group] (kl_half). x ≈ scale * q + bias.

/// x [n, width] at x[i * strideX]. Bit-exact with MLX (bits 2, 3, 4, 5, 6, 8; group 32, 64, 128) for rows that were
/// rounded to `type`, as MLX computes on the type that its scales have; codes come from the scale and bias before
/// these are rounded. A group with an infinity or NaN has codes 0, scale and bias NaN.
void kl_affine_encode(kl_isa isa, int bits, int group, kl_half type, const float *x, size_t n,
                      size_t width, size_t strideX, uint8_t *codes, uint16_t *scales, uint16_t *biases);
/// out [n, width] at out[i * strideOut]: scale * q + bias, rounded once, so the same bits on every ISA.
void kl_affine_decode(kl_isa isa, int bits, int group, kl_half type, const uint8_t *codes,
                      const uint16_t *scales, const uint16_t *biases, size_t n, size_t width,
                      float *out, size_t strideOut);

// MARK: Decode attention, one KV head, `heads` query heads that share it (1...64)
//
// scores[h * strideS + i] = Σ_d q[h * strideQ + d] * k[i, d]     (q is already scaled)
// out[h * strideO + d] += Σ_i p[h * strideP + i] * v[i, d]

void kl_scores_f32(kl_isa isa, const float *q, size_t strideQ, size_t heads, const float *k, size_t n,
                   size_t width, float *scores, size_t strideS);
void kl_accumulate_f32(kl_isa isa, const float *p, size_t strideP, size_t heads, const float *v,
                       size_t n, size_t width, float *out, size_t strideO);

void kl_scores_half(kl_isa isa, kl_half type, const float *q, size_t strideQ, size_t heads,
                    const uint16_t *k, size_t n, size_t width, float *scores, size_t strideS);
void kl_accumulate_half(kl_isa isa, kl_half type, const float *p, size_t strideP, size_t heads,
                        const uint16_t *v, size_t n, size_t width, float *out, size_t strideO);

/// Asks for the cache lines of `bytes` bytes ahead of their use; nothing is waited for.
void kl_fetch(const void *x, size_t bytes);

/// On packed 4-bit rows of group 64 (planes as in kl_affine_encode, bits 4). Queries come as 8-bit codes
/// from kl_quantize_activations over [heads, width]: qCodes [heads, width], qScales, qSums [heads, width/64].
/// Scores are exact but for float sums. On AVX-512, p * scale is a 16-bit code per block of 128 tokens, counted from
/// the first of the call, so a value is off by at most 15 * 128 / 65534 * max|p| * max|scale| for each block; held by
/// `DecodeAffine4Tests`. A head's result does not depend on the heads that come with it.
void kl_scores_affine4(kl_isa isa, kl_half type, const int8_t *qCodes, const float *qScales,
                       const float *qSums, size_t heads, const uint8_t *codes, const uint16_t *scales,
                       const uint16_t *biases, size_t n, size_t width, float *scores, size_t strideS);
void kl_accumulate_affine4(kl_isa isa, kl_half type, const float *p, size_t strideP, size_t heads,
                           const uint8_t *codes, const uint16_t *scales, const uint16_t *biases,
                           size_t n, size_t width, float *out, size_t strideO);

/// Online softmax over one more block of scores [heads, n]: raises `maxima` [heads], rescales `sums` [heads]
/// and `acc` [heads, width] by exp(old − new), turns the scores into exp(score − maximum) in place and adds
/// them to `sums`. Start with maxima = −infinity, sums = 0, acc = 0. A score of −infinity counts nothing; a NaN
/// makes the head's sum NaN. The exponential's relative error is at most 1.2e-7, absolute 2^-126 below that; held by
/// `ExponentialTests`.
void kl_softmax_block(kl_isa isa, float *scores, size_t strideS, size_t heads, size_t n, float *maxima,
                      float *sums, float *acc, size_t strideA, size_t width);

// MARK: Prefill attention: many query rows against dense tiles of one KV head, flash style

typedef enum : int32_t {
  KL_REFERENCE = 0,  // f32 dots
  KL_FAST = 1,       // bfloat16 on AMX, 16-bit integer dots on AVX-512 (scaled per row: 4095 steps at width 128), else f32
} kl_compute;

// With V = max|v| and S steps (S² · width ≤ 2^31, so 4095 at width 128), an output is off by at most
//   reference: V · (e^2δ − 1 + 2^-23 · keys), δ = 2^-24 · keyWidth · max Σ|q k|
//   fast:      V · (e^2δ − 1 + (tileTokens + 1) / S(tileTokens)), δ = (Σ|q| · max|k| + Σ|k| · max|q|) / (2 S(keyWidth))
//   AMX:       V · (e^2δ − 1 + 2^-7), δ = 1.01 · 2^-8 · max Σ|q k|
// and usually by far less (1e-6, 4e-4 and 2e-3 in the tests' root mean square); held by `FlashTests.withinTheStatedBound`.
// An output row depends on no other row. A row that sees nothing is 0; an infinity or NaN in what it sees shows.

/// Bytes of scratch for `rows` query rows and tiles of at most `tileTokens` keys; 64-byte aligned by the caller.
size_t kl_flash_workspace(kl_compute compute, size_t rows, size_t tileTokens, size_t keyWidth, size_t valueWidth);
/// Takes the queries q [rows, keyWidth] (already scaled) at q[i * strideQ] and clears the running state.
void kl_flash_begin(kl_isa isa, kl_compute compute, void *workspace, const float *q, size_t strideQ,
                    size_t rows, size_t tileTokens, size_t keyWidth, size_t valueWidth);
/// One tile of n ≤ tileTokens keys k [n, keyWidth] and values v [n, valueWidth], f32, contiguous, at absolute
/// positions position0 ..< position0 + n. Row i sees positions lo[i] ..< hi[i]; rows that see none of the
/// tile are skipped in whole blocks. softcap > 0 turns scores into softcap * tanh(s / softcap).
void kl_flash_tile(kl_isa isa, kl_compute compute, void *workspace, const float *k, const float *v, size_t n,
                   int32_t position0, const int32_t *lo, const int32_t *hi, float softcap);
/// Normalised output out [rows, valueWidth] at out[i * strideOut].
void kl_flash_end(kl_isa isa, kl_compute compute, void *workspace, float *out, size_t strideOut);

// MARK: Rows of activations

/// out[i] = x[i] / rms(x) * (weight[i] + offset); offset 1 for Gemma. In place when out == x.
void kl_rms_norm(kl_isa isa, const float *x, const float *weight, float offset, float epsilon,
                 size_t width, float *out);
/// Rotates pairs of one head in place. cosines, sines [width / 2]. Halves: (i, i + width/2); else (2i, 2i + 1).
void kl_rope(kl_isa isa, float *x, size_t width, const float *cosines, const float *sines, bool halves);
/// gate[i] = silu(gate[i]) * up[i]
void kl_swiglu(kl_isa isa, float *gate, const float *up, size_t n);
/// gate[i] = gelu_tanh(gate[i]) * up[i]
void kl_geglu(kl_isa isa, float *gate, const float *up, size_t n);
void kl_add(kl_isa isa, float *x, const float *y, size_t n);
void kl_scale(kl_isa isa, float *x, float factor, size_t n);
/// Index of the largest element, the first of equals; NaN is never chosen; -1 if there is none.
int64_t kl_argmax(kl_isa isa, const float *x, size_t n);

// MARK: Synthetic data and checks

/// Bytes of a counter-based generator: byte i depends on seed and offset + i only. offset a multiple of 8.
void kl_random_bytes(uint64_t seed, uint64_t offset, uint8_t *out, size_t n);
/// CRC-32C (Castagnoli) of n bytes continued from `crc` (0 to start), in hardware where there is some.
uint32_t kl_crc32c(uint32_t crc, const void *bytes, size_t n);

// MARK: Ceilings

typedef enum : int32_t {
  KL_CEILING_F32 = 0,    // fused multiplications and additions of f32
  KL_CEILING_INT8 = 1,   // dot products of 8 bits
  KL_CEILING_TILES = 2,  // products of bfloat16 tiles
} kl_ceiling;

/// Runs `rounds` rounds of what the instruction set does fastest on registers, to be timed.
/// Gives the operations done, a multiplication and an addition counted apart; 0 where the set has no such instruction.
double kl_ceiling_run(kl_isa isa, kl_ceiling kind, size_t rounds);
/// Reads n bytes, a multiple of 256, at a multiple of 64, in order, to be timed, and fetches those that come `ahead` bytes later
/// unless that is 0; gives a number made from all of them.
uint64_t kl_read(kl_isa isa, const void *bytes, size_t n, size_t ahead);

/// Tells the processor that the caller spins.
static inline void kl_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// MARK: Dense weights
//
// W: [rows, cols], rows padded to 16, any number of columns. Panel p holds rows 16p..16p+15 column by column:
// element (r, c) has index (p * cols + c) * 16 + r % 16. Panels are zeroed before they are filled.

/// Element types of dense weights; the first two are those of kl_half.
typedef enum : int32_t { KL_DENSE_F16 = 0, KL_DENSE_BF16 = 1, KL_DENSE_F32 = 2 } kl_dense;

/// `count` row-major rows x [count, cols] of type `source` into rows row0 ..< row0 + count, rounded to `type`
/// (to nearest even; through f32 between the 16-bit types). Different rows may be filled at the same time.
void kl_dense_fill(kl_dense type, void *panels, kl_dense source, const void *x, size_t row0, size_t count,
                   size_t cols);
/// One row of panels back to floats: out [cols].
void kl_dense_row(kl_dense type, const void *panels, size_t row, size_t cols, float *out);

/// y[t, r] = Σ_c W[r, c]·x[t, c] in f32, columns in ascending order, for rows of panels [panel0, panel1), written
/// at y[t * strideY + r]; rows at or past `rows` are not written. A token's result does not depend on the others.
void kl_dense_gemm(kl_isa isa, kl_dense type, const void *panels, size_t rows, size_t cols, size_t panel0,
                   size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY);

// MARK: 8-bit weights, affine, groups of 64 along the columns
//
// As the 4-bit ones, with records of KL_Q8_RECORD bytes:
//   bytes 0..1023     codes: chunk c (0...15) of 64 bytes; byte 4r + j of chunk c holds row r, column 64g + 4c + j
//   bytes 1024..1055  16 scales (kl_half), one per row
//   bytes 1056..1087  16 biases (kl_half), one per row
#define KL_Q8_RECORD 1088

/// As kl_q4_fill, with codes [count, cols].
void kl_q8_fill(const uint8_t *codes, const uint16_t *scales, const uint16_t *biases, size_t row0, size_t count,
                size_t cols, uint8_t *panels);
/// One row of panels back to floats: out [cols].
void kl_q8_row(kl_half type, const uint8_t *panels, size_t row, size_t cols, float *out);

/// As kl_q4_gemm_int8, kl_q4_gemm_int8_pairs and kl_q4_gemm_f32.
void kl_q8_gemm_int8(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens,
                     float *y, size_t strideY);
void kl_q8_gemm_int8_pairs(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                           size_t panel1, const uint8_t *records, const float *scales, const float *sums, size_t tokens, float *y,
                           size_t strideY);
void kl_q8_gemm_f32(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                    size_t panel1, const float *x, size_t strideX, size_t tokens, float *y, size_t strideY);

// MARK: Products in bfloat16
//
// Packed rows: x [tokens, cols] in bfloat16, cols a multiple of 64, as tiles of 16 tokens × 32 columns: element (t, c)
// has index (t / 16 * (cols / 32) + c / 32) * 512 + t % 16 * 32 + c % 32.

/// Elements of packed rows.
size_t kl_bf16_rows_size(size_t tokens, size_t cols);
/// Rows x [count, cols] at x[i * strideX] into packed rows row0 ..< row0 + count, rounded to nearest even. Different rows
/// may be packed at the same time.
void kl_bf16_rows_pack(kl_isa isa, const float *x, size_t row0, size_t count, size_t cols, size_t strideX,
                       uint16_t *packed);

/// y[t, r] = Σ_c w[r, c]·x[token0 + t, c] over bfloat16 weights (scale * code + bias, rounded once; halves away from
/// zero) and packed rows, for rows of panels [panel0, panel1) and `tokens` tokens, written at y[t * strideY + r]; rows at
/// or past `rows` are not written. The tile of the last token is read whole. Sums are f32: off by at most
/// cols · 2^-23 · Σ|w x|; held by `BFloat16Tests`. A token's result does not depend on the tokens or panels that come
/// with it. KL_AMX has a body; every other set means the scalar one.
void kl_q4_gemm_bf16(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y, size_t strideY);
void kl_q8_gemm_bf16(kl_isa isa, kl_half type, const uint8_t *panels, size_t rows, size_t cols, size_t panel0,
                     size_t panel1, const uint16_t *x, size_t token0, size_t tokens, float *y, size_t strideY);

// MARK: Stored weights
//
// Blocks of GGML types, by their numbers in GGUF files. Any alignment.

typedef enum : int32_t {
  KL_GGML_F32 = 0,
  KL_GGML_F16 = 1,
  KL_GGML_Q4_0 = 2,
  KL_GGML_Q4_1 = 3,
  KL_GGML_Q5_0 = 6,
  KL_GGML_Q5_1 = 7,
  KL_GGML_Q8_0 = 8,
  KL_GGML_Q4_K = 12,
  KL_GGML_Q5_K = 13,
  KL_GGML_Q6_K = 14,
  KL_GGML_IQ4_NL = 20,
  KL_GGML_BF16 = 30,
} kl_ggml;

/// n elements, whole blocks (32, or 256 for the K types), as floats. Other types write nothing.
void kl_ggml_dequantize(kl_ggml type, const void *x, size_t n, float *out);
/// Index of the first element of x that is NaN or of a magnitude beyond `limit`; -1 if there is none.
int64_t kl_first_beyond(const float *x, size_t n, float limit);

// MARK: KV rows in GGML blocks of 32: Q8_0, Q5_1, Q5_0, Q4_1, Q4_0, IQ4_NL; other types write nothing

/// x [n, width] at x[i * strideX] into blocks [n, width/32], any alignment. The bytes of GGML's reference quantizers,
/// on every ISA. A block with an infinity or NaN has codes 0 and scale NaN.
void kl_ggml_encode(kl_isa isa, kl_ggml type, const float *x, size_t n, size_t width, size_t strideX,
                    uint8_t *blocks);
/// n elements, whole blocks, as floats: the same bits as kl_ggml_dequantize on every ISA.
void kl_ggml_decode(kl_isa isa, kl_ggml type, const uint8_t *blocks, size_t n, float *out);

// MARK: KV rows in small floats
//
// Round to nearest, ties to even; what is beyond the largest becomes the largest. The same bytes on every ISA.

typedef enum : int32_t { KL_E4M3 = 0, KL_E5M2 = 1 } kl_fp8;

/// x [n, width] at x[i * strideX] into codes [n, width] and scales [n]: scale = max|x| / 448 (E4M3) or / 57344 (E5M2) of a
/// row, code = x / scale. A row with an infinity or NaN has scale NaN and codes 0.
void kl_fp8_encode(kl_isa isa, kl_fp8 type, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes,
                   float *scales);
/// out [n, width] = scale * value(code), rounded once.
void kl_fp8_decode(kl_isa isa, kl_fp8 type, const uint8_t *codes, const float *scales, size_t n, size_t width, float *out);

/// MXFP4: x [n, width] at x[i * strideX], width a multiple of 32, into E2M1 codes [n, width / 2], the first of two in the
/// low nibble, and E8M0 scales [n, width / 32], 2^(floor(log2(max|x|)) - 2). A block with an infinity or NaN has scale NaN
/// (255) and codes 0.
void kl_mxfp4_encode(kl_isa isa, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes, uint8_t *scales);
void kl_mxfp4_decode(kl_isa isa, const uint8_t *codes, const uint8_t *scales, size_t n, size_t width, float *out);

/// NVFP4: x [n, width] at x[i * strideX], width a multiple of 16, into E2M1 codes [n, width / 2] as above and scales
/// [n, width / 16] in E4M3: max|x| / 6 / unit, and code = x / (unit * scale). The unit of a row is max|x| / 2688 of it, kept
/// in units [n], or 1 where `units` is null. A block with an infinity or NaN has scale NaN (0x7f) and codes 0.
void kl_nvfp4_encode(kl_isa isa, const float *x, size_t n, size_t width, size_t strideX, uint8_t *codes, uint8_t *scales,
                     float *_Nullable units);
void kl_nvfp4_decode(kl_isa isa, const uint8_t *codes, const uint8_t *scales, const float *_Nullable units, size_t n,
                     size_t width, float *out);

// MARK: KV rows as levels of a codebook, and the rotation before it

/// x [n], n a multiple of 8, to the codes of the nearest of 2^bits ascending levels (bits 1...4; of two as near the lower),
/// packed least significant bit first into n * bits / 8 bytes. NaN has code 0.
void kl_codebook_encode(kl_isa isa, int bits, const float *levels, const float *x, size_t n, uint8_t *codes);
/// out [n] = levels[code] * scale, rounded once.
void kl_codebook_decode(kl_isa isa, int bits, const float *levels, const uint8_t *codes, float scale, size_t n, float *out);

/// Orthonormal Walsh–Hadamard transform of every `block` elements of x [n], in place; its own inverse but for rounding.
/// block a power of two, n a multiple of it. The same bits on every ISA.
void kl_hadamard(kl_isa isa, float *x, size_t n, size_t block);

#pragma clang assume_nonnull end
#endif

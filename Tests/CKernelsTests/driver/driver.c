// Compares every body this processor can run with the scalar one: for processors that the Swift tests do not reach, and
// under sanitizers.
// Prints one line per check; the exit status is the number of failed checks, 99 at most.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static int failures;
static kl_isa isa;
static uint64_t state = 1;

static float uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

static void *allocate(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, 64, bytes)) abort();
  return memset(memory, 0, bytes);
}

static float *floats(size_t count) {
  float *x = allocate(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) x[i] = uniform();
  return x;
}

/// A few of them far larger than the others.
static float *wild(size_t count) {
  float *x = floats(count);
  for (size_t i = 0; i < count; i += 37) x[i] *= i % 2 ? 60 : 9000;
  return x;
}

static float *copy(const float *x, size_t count) { return memcpy(allocate(count * sizeof *x), x, count * sizeof *x); }

static void report(const char *name, double error, double bound) {
  const int good = error <= bound;
  printf("%s %s: error %.3g, bound %.3g\n", good ? "ok  " : "FAIL", name, error, bound);
  failures += !good;
}

/// Largest difference, NaN against a number counting as infinite; divided by the largest reference if asked.
static double difference(const float *a, const float *b, size_t count, int relative) {
  double worst = 0, largest = relative ? 1e-30 : 1;
  for (size_t i = 0; i < count; ++i) {
    if (isnan(a[i]) != isnan(b[i])) return INFINITY;
    if (!isnan(a[i]) && a[i] != b[i]) worst = fmax(worst, fabs((double)a[i] - b[i]));
    if (relative && isfinite(a[i])) largest = fmax(largest, fabs(a[i]));
  }
  return worst / largest;
}

static void halves(void) {
  enum { N = 1 << 18 };
  uint32_t *bits = allocate(N * 4);
  for (uint32_t i = 0; i < N; ++i) bits[i] = i * 16411u + (i >> 7);
  uint16_t *a = allocate(N * 2), *b = allocate(N * 2);
  float *x = allocate(N * 4), *y = allocate(N * 4);
  for (int type = 0; type < 2; ++type) {
    kl_f32_to_half(KL_SCALAR, type, (float *)bits, N - 3, a);
    kl_f32_to_half(isa, type, (float *)bits, N - 3, b);
    report("f32_to_half", memcmp(a, b, 2 * (N - 3)) != 0, 0);
    for (int i = 0; i < 65536; ++i) a[i] = (uint16_t)i;
    kl_half_to_f32(KL_SCALAR, type, a, 65536, x);
    kl_half_to_f32(isa, type, a, 65536, y);
    report("half_to_f32", memcmp(x, y, 65536 * 4) != 0, 0);
  }
}

static void products(void) {
  enum { ROWS = 52, PANELS = 4, COLS = 320, GROUPS = COLS / 64 };
  for (int type = 0; type < 2; ++type) {
    uint8_t *codes = allocate(ROWS * COLS / 2), *panels = allocate(PANELS * GROUPS * KL_Q4_RECORD);
    uint16_t *scales = allocate(ROWS * GROUPS * 2), *biases = allocate(ROWS * GROUPS * 2);
    kl_random_bytes(5, 0, codes, ROWS * COLS / 2);
    kl_f32_to_half(KL_SCALAR, type, floats(ROWS * GROUPS), ROWS * GROUPS, scales);
    kl_f32_to_half(KL_SCALAR, type, floats(ROWS * GROUPS), ROWS * GROUPS, biases);
    kl_q4_fill(codes, scales, biases, 0, ROWS, COLS, panels);
    const size_t counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 24, 25, 40, 70};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; ++c) {
      const size_t tokens = counts[c];
      float *x = c % 2 ? wild(tokens * COLS) : floats(tokens * COLS);
      float *a = allocate(tokens * ROWS * 4), *b = allocate(tokens * ROWS * 4);
      uint8_t *q = allocate(tokens * GROUPS * KL_INPUT_RECORD), *q2 = allocate(tokens * GROUPS * KL_INPUT_RECORD);
      float *s = allocate(tokens * GROUPS * 4), *s2 = allocate(tokens * GROUPS * 4);
      float *u = allocate(tokens * GROUPS * 4), *u2 = allocate(tokens * GROUPS * 4);
      kl_quantize_activations(KL_SCALAR, x, tokens, COLS, COLS, (int8_t *)q, s, u);
      kl_quantize_activations(isa, x, tokens, COLS, COLS, (int8_t *)q2, s2, u2);
      report("quantize_activations", memcmp(q, q2, tokens * COLS) || memcmp(s, s2, tokens * GROUPS * 4) ||
                                         memcmp(u, u2, tokens * GROUPS * 4), 0);
      kl_quantize_inputs(KL_SCALAR, x, tokens, COLS, COLS, q, s, u);
      kl_quantize_inputs(isa, x, tokens, COLS, COLS, q2, s2, u2);
      report("quantize_inputs", memcmp(q, q2, tokens * GROUPS * KL_INPUT_RECORD) || memcmp(s, s2, tokens * GROUPS * 4) ||
                                    memcmp(u, u2, tokens * GROUPS * 4), 0);
      kl_q4_gemm_int8(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, q, s, u, tokens, a, ROWS);
      kl_q4_gemm_int8(isa, type, panels, ROWS, COLS, 0, 1, q, s, u, tokens, b, ROWS);
      kl_q4_gemm_int8(isa, type, panels, ROWS, COLS, 1, PANELS, q, s, u, tokens, b, ROWS);
      report("q4_gemm_int8", difference(a, b, tokens * ROWS, 1), 1e-6);
      kl_q4_gemm_f32(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, x, COLS, tokens, a, ROWS);
      uint8_t *pairs = allocate(2 * tokens * GROUPS * KL_INPUT_RECORD);
      float *ps = allocate(2 * tokens * GROUPS * 4), *pu = allocate(2 * tokens * GROUPS * 4);
      kl_quantize_input_pairs(isa, x, tokens, COLS, COLS, pairs, ps, pu);
      kl_q4_gemm_int8_pairs(isa, type, panels, ROWS, COLS, 0, 1, pairs, ps, pu, tokens, b, ROWS);
      kl_q4_gemm_int8_pairs(isa, type, panels, ROWS, COLS, 1, PANELS, pairs, ps, pu, tokens, b, ROWS);
      report("q4_gemm_int8_pairs", difference(a, b, tokens * ROWS, 1), 1e-3);
      kl_q4_gemm_f32(isa, type, panels, ROWS, COLS, 0, 1, x, COLS, tokens, b, ROWS);
      kl_q4_gemm_f32(isa, type, panels, ROWS, COLS, 1, PANELS, x, COLS, tokens, b, ROWS);
      report("q4_gemm_f32", difference(a, b, tokens * ROWS, 1), 1e-5);
      uint16_t *packed = allocate(kl_bf16_rows_size(tokens, COLS) * 2);
      kl_bf16_rows_pack(isa, x, 0, tokens, COLS, COLS, packed);
      kl_q4_gemm_bf16(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, packed, 0, tokens, a, ROWS);
      kl_q4_gemm_bf16(isa, type, panels, ROWS, COLS, 0, 1, packed, 0, tokens, b, ROWS);
      kl_q4_gemm_bf16(isa, type, panels, ROWS, COLS, 1, PANELS, packed, 0, tokens, b, ROWS);
      report("q4_gemm_bf16", difference(a, b, tokens * ROWS, 1), 1e-5);
    }
  }
}

static void products8(void) {
  enum { ROWS = 52, PANELS = 4, COLS = 320, GROUPS = COLS / 64 };
  for (int type = 0; type < 2; ++type) {
    uint8_t *codes = allocate(ROWS * COLS), *panels = allocate(PANELS * GROUPS * KL_Q8_RECORD);
    uint16_t *scales = allocate(ROWS * GROUPS * 2), *biases = allocate(ROWS * GROUPS * 2);
    kl_random_bytes(6, 0, codes, ROWS * COLS);
    kl_f32_to_half(KL_SCALAR, type, floats(ROWS * GROUPS), ROWS * GROUPS, scales);
    kl_f32_to_half(KL_SCALAR, type, floats(ROWS * GROUPS), ROWS * GROUPS, biases);
    kl_q8_fill(codes, scales, biases, 0, ROWS, COLS, panels);
    for (size_t tokens = 1; tokens < 45; tokens += tokens < 9 ? 1 : 7) {
      float *x = tokens % 2 ? wild(tokens * COLS) : floats(tokens * COLS);
      float *a = allocate(tokens * ROWS * 4), *b = allocate(tokens * ROWS * 4);
      uint8_t *q = allocate(tokens * GROUPS * KL_INPUT_RECORD);
      float *s = allocate(tokens * GROUPS * 4), *u = allocate(tokens * GROUPS * 4);
      kl_quantize_inputs(KL_SCALAR, x, tokens, COLS, COLS, q, s, u);
      kl_q8_gemm_int8(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, q, s, u, tokens, a, ROWS);
      kl_q8_gemm_int8(isa, type, panels, ROWS, COLS, 0, 1, q, s, u, tokens, b, ROWS);
      kl_q8_gemm_int8(isa, type, panels, ROWS, COLS, 1, PANELS, q, s, u, tokens, b, ROWS);
      report("q8_gemm_int8", difference(a, b, tokens * ROWS, 1), 1e-6);
      kl_q8_gemm_f32(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, x, COLS, tokens, a, ROWS);
      uint8_t *pairs = allocate(2 * tokens * GROUPS * KL_INPUT_RECORD);
      float *ps = allocate(2 * tokens * GROUPS * 4), *pu = allocate(2 * tokens * GROUPS * 4);
      kl_quantize_input_pairs(isa, x, tokens, COLS, COLS, pairs, ps, pu);
      kl_q8_gemm_int8_pairs(isa, type, panels, ROWS, COLS, 0, 1, pairs, ps, pu, tokens, b, ROWS);
      kl_q8_gemm_int8_pairs(isa, type, panels, ROWS, COLS, 1, PANELS, pairs, ps, pu, tokens, b, ROWS);
      report("q8_gemm_int8_pairs", difference(a, b, tokens * ROWS, 1), 1e-3);
      kl_q8_gemm_f32(isa, type, panels, ROWS, COLS, 0, 1, x, COLS, tokens, b, ROWS);
      kl_q8_gemm_f32(isa, type, panels, ROWS, COLS, 1, PANELS, x, COLS, tokens, b, ROWS);
      report("q8_gemm_f32", difference(a, b, tokens * ROWS, 1), 1e-5);
      uint16_t *packed = allocate(kl_bf16_rows_size(tokens, COLS) * 2);
      kl_bf16_rows_pack(isa, x, 0, tokens, COLS, COLS, packed);
      kl_q8_gemm_bf16(KL_SCALAR, type, panels, ROWS, COLS, 0, PANELS, packed, 0, tokens, a, ROWS);
      kl_q8_gemm_bf16(isa, type, panels, ROWS, COLS, 0, PANELS, packed, 0, tokens, b, ROWS);
      report("q8_gemm_bf16", difference(a, b, tokens * ROWS, 1), 1e-5);
    }
  }
}

static void dense(void) {
  enum { ROWS = 37, PANELS = 3, COLS = 203 };  // no multiples of anything
  const kl_dense types[] = {KL_DENSE_F16, KL_DENSE_BF16, KL_DENSE_F32};
  float *weights = floats(ROWS * COLS);
  for (size_t t = 0; t < 3; ++t) {
    uint8_t *panels = allocate(PANELS * KL_PANEL_ROWS * COLS * sizeof(float));
    kl_dense_fill(types[t], panels, KL_DENSE_F32, weights, 0, ROWS, COLS);
    for (size_t tokens = 1; tokens < 45; tokens += tokens < 9 ? 1 : 7) {
      float *x = floats(tokens * COLS), *a = allocate(tokens * ROWS * 4), *b = allocate(tokens * ROWS * 4);
      kl_dense_gemm(KL_SCALAR, types[t], panels, ROWS, COLS, 0, PANELS, x, COLS, tokens, a, ROWS);
      kl_dense_gemm(isa, types[t], panels, ROWS, COLS, 0, 1, x, COLS, tokens, b, ROWS);
      kl_dense_gemm(isa, types[t], panels, ROWS, COLS, 1, PANELS, x, COLS, tokens, b, ROWS);
      report("dense_gemm", difference(a, b, tokens * ROWS, 1), 1e-6);
    }
  }
}

static void ggml(void) {
  enum { N = 33, WIDTH = 96, BLOCKS = N * WIDTH / 32 };
  const kl_ggml types[] = {KL_GGML_Q8_0, KL_GGML_Q5_1, KL_GGML_Q5_0, KL_GGML_Q4_1, KL_GGML_Q4_0, KL_GGML_IQ4_NL};
  const size_t bytes[] = {34, 24, 22, 20, 18, 18};
  for (size_t t = 0; t < 6; ++t) {
    float *x = floats(N * WIDTH), *a = allocate(N * WIDTH * 4), *b = allocate(N * WIDTH * 4);
    x[40] = INFINITY;
    memset(x + WIDTH, 0, 32 * sizeof *x);
    uint8_t *c = allocate(BLOCKS * bytes[t]), *c2 = allocate(BLOCKS * bytes[t]);
    kl_ggml_encode(KL_SCALAR, types[t], x, N, WIDTH, WIDTH, c);
    kl_ggml_encode(isa, types[t], x, N, WIDTH, WIDTH, c2);
    report("ggml_encode", memcmp(c, c2, BLOCKS * bytes[t]) != 0, 0);
    kl_ggml_decode(KL_SCALAR, types[t], c, N * WIDTH, a);
    kl_ggml_decode(isa, types[t], c, N * WIDTH, b);
    report("ggml_decode", difference(a, b, N * WIDTH, 0), 0);
  }
}

static void affine(void) {
  enum { N = 33, WIDTH = 256 };
  const int widths[] = {2, 3, 4, 5, 6, 8}, groups[] = {32, 64, 128};
  for (int w = 0; w < 6; ++w) {
    for (int g = 0; g < 3; ++g) {
      const size_t count = N * WIDTH / (size_t)groups[g], bytes = N * WIDTH * (size_t)widths[w] / 8;
      float *x = floats(N * WIDTH), *a = allocate(N * WIDTH * 4), *b = allocate(N * WIDTH * 4);
      uint8_t *c = allocate(bytes), *c2 = allocate(bytes);
      uint16_t *s = allocate(count * 2), *s2 = allocate(count * 2), *o = allocate(count * 2), *o2 = allocate(count * 2);
      kl_affine_encode(KL_SCALAR, widths[w], groups[g], KL_BF16, x, N, WIDTH, WIDTH, c, s, o);
      kl_affine_encode(isa, widths[w], groups[g], KL_BF16, x, N, WIDTH, WIDTH, c2, s2, o2);
      report("affine_encode", memcmp(c, c2, bytes) || memcmp(s, s2, 2 * count) || memcmp(o, o2, 2 * count), 0);
      kl_affine_decode(KL_SCALAR, widths[w], groups[g], KL_BF16, c, s, o, N, WIDTH, a, WIDTH);
      kl_affine_decode(isa, widths[w], groups[g], KL_BF16, c, s, o, N, WIDTH, b, WIDTH);
      report("affine_decode", difference(a, b, N * WIDTH, 0), 0);
    }
  }
}

static void decode(void) {
  const size_t widths[] = {64, 128, 192, 576}, heads[] = {1, 2, 3, 4, 5, 17}, counts[] = {1, 3, 31, 32, 133};
  for (size_t w = 0; w < 4; ++w) {
    for (size_t h = 0; h < 6; ++h) {
      for (size_t c = 0; c < 5; ++c) {
        const size_t width = widths[w], H = heads[h], n = counts[c], groups = width / 64;
        float *q = floats(H * width), *k = floats(n * width), *p = floats(H * n);
        float *a = allocate(H * n * 4), *b = allocate(H * n * 4), *o = floats(H * width), *o2 = copy(o, H * width);
        kl_scores_f32(KL_SCALAR, q, width, H, k, n, width, a, n);
        kl_scores_f32(isa, q, width, H, k, n, width, b, n);
        report("scores_f32", difference(a, b, H * n, 0), 2e-6 * sqrt((double)width));
        kl_accumulate_f32(KL_SCALAR, p, n, H, k, n, width, o, width);
        kl_accumulate_f32(isa, p, n, H, k, n, width, o2, width);
        report("accumulate_f32", difference(o, o2, H * width, 0), 1e-5);
        memcpy(o2, o, H * width * sizeof *o);
        for (int type = 0; type < 2; ++type) {
          uint16_t *half = allocate(n * width * 2);
          kl_f32_to_half(KL_SCALAR, type, k, n * width, half);
          kl_scores_half(KL_SCALAR, type, q, width, H, half, n, width, a, n);
          kl_scores_half(isa, type, q, width, H, half, n, width, b, n);
          report("scores_half", difference(a, b, H * n, 0), 2e-6 * sqrt((double)width));
          kl_accumulate_half(KL_SCALAR, type, p, n, H, half, n, width, o, width);
          kl_accumulate_half(isa, type, p, n, H, half, n, width, o2, width);
          report("accumulate_half", difference(o, o2, H * width, 0), 3e-5);
          memcpy(o2, o, H * width * sizeof *o);
          uint8_t *codes = allocate(n * width / 2);
          uint16_t *s = allocate(n * groups * 2), *z = allocate(n * groups * 2);
          kl_affine_encode(KL_SCALAR, 4, 64, type, k, n, width, width, codes, s, z);
          int8_t *qc = allocate(H * width);
          float *qs = allocate(H * groups * 4), *qu = allocate(H * groups * 4);
          kl_quantize_activations(KL_SCALAR, q, H, width, width, qc, qs, qu);
          kl_scores_affine4(KL_SCALAR, type, qc, qs, qu, H, codes, s, z, n, width, a, n);
          kl_scores_affine4(isa, type, qc, qs, qu, H, codes, s, z, n, width, b, n);
          report("scores_affine4", difference(a, b, H * n, 0), 2e-5);
          kl_accumulate_affine4(KL_SCALAR, type, p, n, H, codes, s, z, n, width, o, width);
          kl_accumulate_affine4(isa, type, p, n, H, codes, s, z, n, width, o2, width);
          report("accumulate_affine4", difference(o, o2, H * width, 0), 15.0 * (double)n / 65534 * 0.14 + 5e-5);
          memcpy(o2, o, H * width * sizeof *o);
        }
      }
    }
  }
}

static void softmax(void) {
  for (size_t n = 1; n < 70; n += 4) {
    float *s = floats(3 * n), *acc = floats(3 * 20), m[3] = {-INFINITY, 0.5f, 2}, sum[3] = {0, 1, 2};
    for (size_t i = 0; i < 3 * n; ++i) s[i] *= 10;
    s[0] = -INFINITY;
    float *s2 = copy(s, 3 * n), *acc2 = copy(acc, 60), m2[3], sum2[3];
    memcpy(m2, m, sizeof m);
    memcpy(sum2, sum, sizeof sum);
    kl_softmax_block(KL_SCALAR, s, n, 3, n, m, sum, acc, 20, 20);
    kl_softmax_block(isa, s2, n, 3, n, m2, sum2, acc2, 20, 20);
    report("softmax weights", difference(s, s2, 3 * n, 0), 2e-7);
    report("softmax sums", difference(sum, sum2, 3, 1), 1e-6);
    report("softmax acc", difference(acc, acc2, 60, 0) + difference(m, m2, 3, 0), 2e-7);
  }
}

static void flash(void) {
  const size_t shapes[][2] = {{64, 64}, {128, 128}, {192, 128}, {33, 17}};
  enum { ROWS = 45, CONTEXT = 150, TILE = 64 };
  for (size_t w = 0; w < 4; ++w) {
    for (int compute = 0; compute < 2; ++compute) {
      for (int cap = 0; cap < 2; ++cap) {
        const size_t K = shapes[w][0], V = shapes[w][1];
        float *q = floats(ROWS * K), *k = floats(CONTEXT * K), *v = floats(CONTEXT * V);
        float *out[2] = {allocate(ROWS * V * 4), allocate(ROWS * V * 4)};
        int32_t lo[ROWS], hi[ROWS];
        for (int i = 0; i < ROWS; ++i) {
          hi[i] = 100 + i;
          lo[i] = i % 3 ? 0 : hi[i] - 60;
          if (i == 7) lo[i] = hi[i];
        }
        for (int body = 0; body < 2; ++body) {
          const kl_isa which = body ? isa : KL_SCALAR;
          void *workspace = allocate(kl_flash_workspace(compute, ROWS, TILE, K, V));
          kl_flash_begin(which, compute, workspace, q, K, ROWS, TILE, K, V);
          for (int p = 0; p < CONTEXT; p += TILE) {
            const size_t n = CONTEXT - p < TILE ? CONTEXT - p : TILE;
            kl_flash_tile(which, compute, workspace, k + (size_t)p * K, v + (size_t)p * V, n, p, lo, hi, cap ? 3 : 0);
          }
          kl_flash_end(which, compute, workspace, out[body], V);
        }
        report(compute ? "flash fast" : "flash", difference(out[0], out[1], ROWS * V, 0), !compute ? 5e-6 : isa == KL_AMX ? 3e-2 : 5e-3);
      }
    }
  }
}

static void rows(void) {
  for (size_t n = 2; n < 300; n += 34) {
    float *x = floats(n), *w = floats(n), *a = allocate(n * 4), *b = allocate(n * 4);
    kl_rms_norm(KL_SCALAR, x, w, 1, 1e-6f, n, a);
    kl_rms_norm(isa, x, w, 1, 1e-6f, n, b);
    report("rms_norm", difference(a, b, n, 1), 1e-6);
    for (int halves = 0; halves < 2; ++halves) {
      float *c = floats(n), *s = floats(n), *y = copy(x, n), *z = copy(x, n);
      kl_rope(KL_SCALAR, y, n, c, s, halves);
      kl_rope(isa, z, n, c, s, halves);
      report("rope", difference(y, z, n, 0), 3e-7);
    }
    float *y = copy(x, n), *z = copy(x, n);
    kl_swiglu(KL_SCALAR, y, w, n);
    kl_swiglu(isa, z, w, n);
    report("swiglu", difference(y, z, n, 0), 3e-7);
    kl_geglu(KL_SCALAR, y, w, n);
    kl_geglu(isa, z, w, n);
    report("geglu", difference(y, z, n, 0), 5e-7);
    kl_add(KL_SCALAR, y, w, n);
    kl_add(isa, z, w, n);
    kl_scale(KL_SCALAR, y, 0.7f, n);
    kl_scale(isa, z, 0.7f, n);
    report("add, scale", difference(y, z, n, 0), 1e-6);
    x[n / 3] = x[n / 2] = 5;
    x[0] = NAN;
    report("argmax", kl_argmax(isa, x, n) != kl_argmax(KL_SCALAR, x, n), 0);
  }
}

static void checksum(void) {
  uint8_t bytes[5000];
  kl_random_bytes(9, 16, bytes, sizeof bytes);
  for (size_t n = 0; n < sizeof bytes; n = n * 3 / 2 + 1) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; ++i) {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    report("crc32c", kl_crc32c(0, bytes, n) != ~crc, 0);
  }
  report("crc32c of 123456789", kl_crc32c(0, "123456789", 9) != 0xe3069283, 0);
}

int main(void) {
  const kl_isa all[] = {KL_AVX2, KL_AVX512, KL_AMX, KL_NEON};
  int bodies = 0;
  for (size_t i = 0; i < 4; ++i) {
    if (!kl_isa_supported(all[i])) continue;
    isa = all[i];
    ++bodies;
    printf("isa %d\n", isa);
    halves();
    products();
    products8();
    dense();
    ggml();
    affine();
    decode();
    softmax();
    flash();
    rows();
  }
  checksum();
  printf("%d bodies, %d failures\n", bodies, failures);
  return bodies == 0 ? 99 : failures < 99 ? failures : 99;
}

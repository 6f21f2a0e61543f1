// What the bodies share: processor macros, 16-bit float arithmetic, small helpers. Not visible to Swift.
#ifndef CKERNELS_INTERNAL_H
#define CKERNELS_INTERNAL_H

#include <math.h>
#include <string.h>

#include "CKernels.h"

#if defined(__x86_64__)
#define KL_X86 1
#include <immintrin.h>
#elif defined(__aarch64__)
#define KL_ARM 1
#include <arm_neon.h>
#endif

// Instruction sets of the SIMD bodies. Helpers carry the same attribute as the body they are inlined in.
#define KL_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define KL_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define KL_TARGET_NEON __attribute__((target("dotprod")))

/// Before a loop over an array of vectors: with the trip count a constant, all of them stay in registers.
#define KL_UNROLL _Pragma("clang loop unroll(full)")

/// Before a loop whose body is enough for the processor to overlap rounds: unrolled, the compiler moves loads ahead until
/// registers run out, and keeps sums on the stack.
#define KL_ROLLED _Pragma("clang loop unroll(disable)")

/// Runs f_avx512, f_avx2, f_neon or f_scalar; an instruction set of another processor family means scalar.
#if KL_X86
#define KL_DISPATCH(isa, f, ...)                      \
  switch (isa) {                                      \
    case KL_AMX:                                      \
    case KL_AVX512: f##_avx512(__VA_ARGS__); break;   \
    case KL_AVX2: f##_avx2(__VA_ARGS__); break;       \
    default: f##_scalar(__VA_ARGS__);                 \
  }
#elif KL_ARM
#define KL_DISPATCH(isa, f, ...)                      \
  switch (isa) {                                      \
    case KL_NEON: f##_neon(__VA_ARGS__); break;       \
    default: f##_scalar(__VA_ARGS__);                 \
  }
#else
#define KL_DISPATCH(isa, f, ...) f##_scalar(__VA_ARGS__)
#endif

#define KL_INLINE static inline __attribute__((always_inline))

KL_INLINE size_t kl_min(size_t a, size_t b) { return a < b ? a : b; }
KL_INLINE size_t kl_round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

KL_INLINE float kl_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

KL_INLINE uint32_t kl_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/// bfloat16, round to nearest even; NaN becomes a quiet NaN with the payload's upper bits.
KL_INLINE uint16_t kl_bf16_from_float(float value) {
  const uint32_t bits = kl_bits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)((bits >> 16) | 0x40);
  return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// IEEE binary16, round to nearest even, with subnormals; overflow is infinity; NaN as in kl_bf16_from_float.
KL_INLINE uint16_t kl_f16_from_float(float value) {
  const uint32_t bits = kl_bits(value), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | ((magnitude >> 13) & 0x1ff));
  if (magnitude >= 0x47800000) return (uint16_t)(sign | 0x7c00);
  if (magnitude < 0x38800000) {
    // Below 2^-14: one addition to 0.5 rounds to a multiple of 2^-24, the subnormal step.
    return (uint16_t)(sign | (kl_bits(kl_float(magnitude) + 0.5f) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

KL_INLINE float kl_float_from_f16(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) {
    const uint32_t quiet = magnitude > 0x7c00 ? 0x400000 : 0;
    return kl_float(sign | 0x7f800000 | quiet | (magnitude << 13));
  }
  if (magnitude >= 0x400) return kl_float(sign | ((magnitude << 13) + 0x38000000));
  return kl_float(sign | kl_bits((float)magnitude * 0x1p-24f));
}

KL_INLINE float kl_float_from_half(kl_half type, uint16_t half) {
  return type == KL_F16 ? kl_float_from_f16(half) : kl_float((uint32_t)half << 16);
}

KL_INLINE uint16_t kl_half_from_float(kl_half type, float value) {
  return type == KL_F16 ? kl_f16_from_float(value) : kl_bf16_from_float(value);
}

#if KL_X86

/// acc + a · b over pairs of 16 bits. In assembly because clang turns the intrinsic into a multiplication and an
/// addition wherever it thinks the chain of sums too long.
KL_INLINE KL_TARGET_AVX512 __m512i kl_add_pairs_avx512(__m512i acc, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}

#endif

#endif

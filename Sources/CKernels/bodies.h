// Includes KL_BODY once for each instruction set of this processor family, with
//   KL_LANES        floats in a vector: 16 (AVX-512), 8 (AVX2), 4 (NEON)
//   KL_TARGET       the attribute of its functions
//   KL_NAME(x)      x_avx512, x_avx2 or x_neon
// A body's functions are static; KL_DISPATCH picks one of them.

#if KL_X86

#define KL_LANES 16
#define KL_TARGET KL_TARGET_AVX512
#define KL_NAME(x) x##_avx512
#include KL_BODY
#undef KL_LANES
#undef KL_TARGET
#undef KL_NAME

#define KL_LANES 8
#define KL_TARGET KL_TARGET_AVX2
#define KL_NAME(x) x##_avx2
#include KL_BODY
#undef KL_LANES
#undef KL_TARGET
#undef KL_NAME

#elif KL_ARM

#define KL_LANES 4
#define KL_TARGET KL_TARGET_NEON
#define KL_NAME(x) x##_neon
#include KL_BODY
#undef KL_LANES
#undef KL_TARGET
#undef KL_NAME

#endif

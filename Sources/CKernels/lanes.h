// Vectors of KL_LANES floats: the words in which loops that read alike on every processor are written once.
// A body header (`*_body.h`) starts by including this file, and bodies.h includes the body once per instruction set.

#define KL_VECTOR KL_INLINE KL_TARGET

#define vload KL_NAME(vload)
#define vload_first KL_NAME(vload_first)
#define vload_f16 KL_NAME(vload_f16)
#define vload_bf16 KL_NAME(vload_bf16)
#define vload_half KL_NAME(vload_half)
#define vload_bytes KL_NAME(vload_bytes)
#define vload_nibbles KL_NAME(vload_nibbles)
#define vword_nibbles KL_NAME(vword_nibbles)
#define vload_pairs KL_NAME(vload_pairs)
#define vstore KL_NAME(vstore)
#define vstore_first KL_NAME(vstore_first)
#define vstore_half KL_NAME(vstore_half)
#define vstore_bytes KL_NAME(vstore_bytes)
#define vstore_codes KL_NAME(vstore_codes)
#define vsplat KL_NAME(vsplat)
#define vfma KL_NAME(vfma)
#define vmax KL_NAME(vmax)
#define vmin KL_NAME(vmin)
#define vwhere_less KL_NAME(vwhere_less)
#define vpower KL_NAME(vpower)
#define vexp KL_NAME(vexp)
#define vtanh KL_NAME(vtanh)
#define vabs KL_NAME(vabs)
#define vround KL_NAME(vround)
#define vcopy_sign KL_NAME(vcopy_sign)
#define vswap_pairs KL_NAME(vswap_pairs)
#define vsum KL_NAME(vsum)
#define vsum4 KL_NAME(vsum4)
#define vhighest KL_NAME(vhighest)
#define vlowest KL_NAME(vlowest)

#undef vf
#if KL_LANES == 16
#include "lanes_avx512.h"
#elif KL_LANES == 8
#include "lanes_avx2.h"
#else
#include "lanes_neon.h"
#endif

/// The first n floats (n < KL_LANES) and `rest` in the other lanes.
KL_VECTOR vf vload_first(const float *x, size_t n, float rest) {
  float padded[KL_LANES];
  for (size_t i = 0; i < KL_LANES; ++i) padded[i] = i < n ? x[i] : rest;
  return vload(padded);
}

KL_VECTOR void vstore_first(float *out, vf x, size_t n) {
  float padded[KL_LANES];
  vstore(padded, x);
  for (size_t i = 0; i < n; ++i) out[i] = padded[i];
}

KL_VECTOR vf vload_half(kl_half type, const uint16_t *x) {
  return type == KL_F16 ? vload_f16(x) : vload_bf16(x);
}

/// e^x, relative error at most 1.2e-7 where the result is a normal float, held by `ExponentialTests`. Below −87.69 it
/// is 0: a subnormal weight would stall every fma that reads it. Above 88.38 it is infinity; e^0 is 1, NaN stays NaN.
/// Method: x = n·ln 2 + r, |r| ≤ ln 2 / 2; a minimax polynomial of degree 6 in r (error 3.1e-9); times 2^n.
KL_VECTOR vf vexp(vf x) {
  // vmax and vmin give their second argument on NaN.
  const vf bounded = vmin(vsplat(89), vmax(vsplat(-88), x));
  // The lowest bits of `shifted` are n + 127, the exponent field of 2^n; 0 is that of zero.
  const vf magic = vsplat(0x1.8p23f + 127), shifted = vfma(bounded, vsplat(0x1.715476p+0f), magic);
  const vf n = shifted - magic;
  const vf r = vfma(n, vsplat(0x1.05c61p-29f), vfma(n, vsplat(-0x1.62e43p-1f), bounded));
  vf p = vfma(vsplat(0x1.6a2436p-10f), r, vsplat(0x1.1239e2p-7f));
  p = vfma(p, r, vsplat(0x1.5558f2p-5f));
  p = vfma(p, r, vsplat(0x1.555492p-3f));
  p = vfma(p, r, vsplat(0x1.fffffcp-2f));
  p = vfma(p * r, r, r);
  return (p + vsplat(1)) * vpower(shifted);
}

/// tanh x, relative error at most 3e-7, held by `ExponentialTests`. Below 0.65 an odd minimax polynomial
/// (error 6.8e-9), above it 1 − 2 / (e^2x + 1).
KL_VECTOR vf vtanh(vf x) {
  const vf y = vabs(x), z = y * y;
  vf p = vfma(vsplat(-0x1.69711ap-8f), z, vsplat(0x1.4f5ef8p-6f));
  p = vfma(p, z, vsplat(-0x1.b7cff2p-5f));
  p = vfma(p, z, vsplat(0x1.1103f2p-3f));
  p = vfma(p, z, vsplat(-0x1.555524p-2f));
  const vf small = vfma(p * z, y, y), large = vsplat(1) - vsplat(2) / (vexp(y + y) + vsplat(1));
  return vcopy_sign(vwhere_less(y, vsplat(0.65f), small, large), x);
}

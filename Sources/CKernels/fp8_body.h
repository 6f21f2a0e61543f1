/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(encode)(kl_fp8 type, const float *x, size_t n, size_t width, size_t stride,
                                      uint8_t *codes, float *scales) {
  encode(type, x, n, width, stride, codes, scales);
}

static KL_TARGET void KL_NAME(decode)(kl_fp8 type, const uint8_t *codes, const float *scales, size_t n, size_t width,
                                      float *out) {
  decode(type, codes, scales, n, width, out);
}

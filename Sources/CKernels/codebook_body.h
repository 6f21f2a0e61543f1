/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(encode)(int bits, const float *levels, const float *x, size_t n, uint8_t *codes) {
  encode(bits, levels, x, n, codes);
}

static KL_TARGET void KL_NAME(decode)(int bits, const float *levels, const uint8_t *codes, float scale, size_t n,
                                      float *out) {
  decode(bits, levels, codes, scale, n, out);
}

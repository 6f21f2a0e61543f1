/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(mx_encode)(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes,
                                         uint8_t *scales) {
  mx_encode(x, n, width, stride, codes, scales);
}

static KL_TARGET void KL_NAME(mx_decode)(const uint8_t *codes, const uint8_t *scales, size_t n, size_t width, float *out) {
  mx_decode(codes, scales, n, width, out);
}

static KL_TARGET void KL_NAME(nv_encode)(const float *x, size_t n, size_t width, size_t stride, uint8_t *codes,
                                         uint8_t *scales, float *units) {
  nv_encode(x, n, width, stride, codes, scales, units);
}

static KL_TARGET void KL_NAME(nv_decode)(const uint8_t *codes, const uint8_t *scales, const float *units, size_t n,
                                         size_t width, float *out) {
  nv_decode(codes, scales, units, n, width, out);
}

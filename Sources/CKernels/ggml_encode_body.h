/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(encode)(kl_ggml type, const float *x, size_t n, size_t width, size_t stride,
                                      uint8_t *out) {
  encode(type, x, n, width, stride, out);
}

/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(decode)(kl_ggml type, const uint8_t *bytes, size_t n, float *out) {
  decode(type, bytes, n, out);
}

/// The same C, for the compiler to vectorize.
static KL_TARGET void KL_NAME(hadamard)(float *x, size_t n, size_t block) { transform(x, n, block); }

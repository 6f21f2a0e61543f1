#include "internal.h"

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void kl_random_bytes(uint64_t seed, uint64_t offset, uint8_t *out, size_t n) {
  const uint64_t step = 0x9e3779b97f4a7c15, key = mix(seed + step);
  uint64_t state = key + offset / 8 * step;
  for (; n >= 8; n -= 8, out += 8) {
    state += step;
    const uint64_t word = mix(state);
    memcpy(out, &word, 8);
  }
  const uint64_t word = mix(state + step);
  memcpy(out, &word, n);
}

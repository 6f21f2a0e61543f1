#include "internal.h"

#if KL_ARM
#include <arm_acle.h>
#endif
#if KL_ARM && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/// Four bits a step; the polynomial is 0x82f63b78 (0x1edc6f41 reflected).
static uint32_t crc_scalar(uint32_t crc, const uint8_t *bytes, size_t n) {
  static const uint32_t table[16] = {
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
  for (size_t i = 0; i < n; ++i) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return crc;
}

KL_INLINE uint64_t word_at(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

#if KL_X86

/// The instruction takes three cycles but starts every cycle, so three streams of 1024 bytes run side by side. A
/// carry-less product with x^(8n − 33) and one more crc32 move a stream's remainder past the n bytes after it. Three streams
/// that jump so often are not seen coming by the processor: what is two rounds ahead is fetched.
static __attribute__((target("sse4.2,pclmul"))) uint32_t crc_hardware(uint32_t crc, const uint8_t *bytes,
                                                                      size_t n) {
  enum { STREAM = 1024 };
  const __m128i past1024 = _mm_cvtsi32_si128(0x170076fa), past2048 = _mm_cvtsi32_si128((int)0xa51b6135);
  uint64_t a = crc;
  for (; n >= 3 * STREAM; n -= 3 * STREAM, bytes += 3 * STREAM) {
    uint64_t b = 0, c = 0;
    for (size_t line = 0; line < STREAM; line += 64) {
      for (size_t i = 0; i < 3 * 64; i += 64) _mm_prefetch((const char *)bytes + 6 * STREAM + 3 * line + i, _MM_HINT_T0);
      for (size_t i = line; i < line + 64; i += 8) {
        a = _mm_crc32_u64(a, word_at(bytes + i));
        b = _mm_crc32_u64(b, word_at(bytes + STREAM + i));
        c = _mm_crc32_u64(c, word_at(bytes + 2 * STREAM + i));
      }
    }
    const __m128i first = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)a), past2048, 0);
    const __m128i second = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)b), past1024, 0);
    a = c ^ _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(first, second)));
  }
  for (; n >= 8; n -= 8, bytes += 8) a = _mm_crc32_u64(a, word_at(bytes));
  for (; n > 0; --n, ++bytes) a = _mm_crc32_u8((uint32_t)a, *bytes);
  return (uint32_t)a;
}

static bool has_crc(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }

#elif KL_ARM

static __attribute__((target("crc"))) uint32_t crc_hardware(uint32_t crc, const uint8_t *bytes, size_t n) {
  for (; n >= 8; n -= 8, bytes += 8) crc = __crc32cd(crc, word_at(bytes));
  for (; n > 0; --n, ++bytes) crc = __crc32cb(crc, *bytes);
  return crc;
}

#if defined(__linux__)
static bool has_crc(void) { return getauxval(AT_HWCAP) & HWCAP_CRC32; }
#elif defined(__APPLE__)
static bool has_crc(void) { return true; }
#else
static bool has_crc(void) { return false; }
#endif

#else

static uint32_t crc_hardware(uint32_t crc, const uint8_t *bytes, size_t n) { return crc_scalar(crc, bytes, n); }
static bool has_crc(void) { return false; }

#endif

uint32_t kl_crc32c(uint32_t crc, const void *bytes, size_t n) {
  return ~(has_crc() ? crc_hardware(~crc, bytes, n) : crc_scalar(~crc, bytes, n));
}

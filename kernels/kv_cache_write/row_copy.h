#pragma once
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <cstdint>
#include <cstring>

namespace ridge {

// Whether what is written should pass the caches by: it then costs no read of the line it
// replaces, but the next reader has to go to memory.
enum class Store { kCached, kStreaming };

// Outputs beyond this do not stay in the last-level cache's share of a few cores anyway.
constexpr int64_t kStreamingBytes = 16 << 20;

inline Store store_for(int64_t bytes_written) {
  return bytes_written > kStreamingBytes ? Store::kStreaming : Store::kCached;
}

// Copies one row of a tensor; any alignment, no overlap. After streaming stores the caller's thread
// must fence() before others read.
inline void copy_row(std::byte* to, const std::byte* from, int64_t bytes, Store store) {
#ifdef __AVX2__
  if (store == Store::kStreaming && bytes >= 256) {
    const auto head = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(to) & 31);
    std::memcpy(to, from, static_cast<std::size_t>(head));
    int64_t i = head;
    for (; i + 32 <= bytes; i += 32)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
    std::memcpy(to + i, from + i, static_cast<std::size_t>(bytes - i));
    return;
  }
#endif
  (void)store;
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

inline void fence(Store store) {
#ifdef __AVX2__
  if (store == Store::kStreaming) _mm_sfence();
#endif
  (void)store;
}

}  // namespace ridge

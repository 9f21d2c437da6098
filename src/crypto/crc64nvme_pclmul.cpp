#if defined(__x86_64__)

#include <immintrin.h>

#include "crc64nvme_math.h"
#include "crc64nvme_paths.h"

#define PREFIXFS_TARGET __attribute__((target("pclmul,sse4.1")))

namespace prefixfs::crypto {
namespace {

constexpr std::size_t kLanes = 8;  // in flight together: a product takes 4 to 7 cycles, and one can start in each
constexpr std::size_t kStep = kLanes * sizeof(__m128i);
constexpr FoldKeys kNextStep = fold_keys(8 * kStep);
constexpr FoldKeys kNextLane = fold_keys(8 * sizeof(__m128i));

PREFIXFS_TARGET inline __m128i keys_of(FoldKeys keys) {
  return _mm_set_epi64x(static_cast<long long>(keys.high), static_cast<long long>(keys.low));
}

PREFIXFS_TARGET inline __m128i load(const std::byte* data, std::size_t lane) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + lane);
}

PREFIXFS_TARGET inline __m128i fold(__m128i lane, __m128i keys, __m128i onto) {
  const __m128i low = _mm_clmulepi64_si128(lane, keys, 0x00);
  const __m128i high = _mm_clmulepi64_si128(lane, keys, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

}  // namespace

PREFIXFS_TARGET std::uint64_t crc64nvme_pclmul(std::uint64_t state, std::span<const std::byte> data) {
  if (data.size() < 2 * kStep) {
    return crc64nvme_table(state, data);
  }
  __m128i lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i] = load(data.data(), i);
  }
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<long long>(state)));
  data = data.subspan(kStep);

  const __m128i next_step = keys_of(kNextStep);
  for (; data.size() >= kStep; data = data.subspan(kStep)) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = fold(lanes[i], next_step, load(data.data(), i));
    }
  }
  const __m128i next_lane = keys_of(kNextLane);
  for (std::size_t i = 1; i < kLanes; ++i) {
    lanes[i] = fold(lanes[i - 1], next_lane, lanes[i]);
  }
  // 16 bytes are left that stand for all before; with the tables no further reduction is needed.
  std::byte rest[sizeof(__m128i)];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), lanes[kLanes - 1]);
  return crc64nvme_table(crc64nvme_table(0, rest), data);
}

}  // namespace prefixfs::crypto

#endif

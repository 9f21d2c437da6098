#if defined(__x86_64__)

#include <immintrin.h>

#include "crc64nvme_math.h"
#include "crc64nvme_paths.h"

#define PREFIXFS_TARGET __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul")))

namespace prefixfs::crypto {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kStep = kLanes * sizeof(__m512i);
constexpr FoldKeys kNextStep = fold_keys(8 * kStep);

PREFIXFS_TARGET inline __m512i load(const std::byte* data, std::size_t lane) {
  return _mm512_loadu_si512(data + lane * sizeof(__m512i));
}

PREFIXFS_TARGET inline __m512i fold(__m512i lane, __m512i keys, __m512i onto) {
  constexpr int kXorOfThree = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lane, keys, 0x00), _mm512_clmulepi64_epi128(lane, keys, 0x11), onto,
                                   kXorOfThree);
}

}  // namespace

PREFIXFS_TARGET std::uint64_t crc64nvme_vpclmul(std::uint64_t state, std::span<const std::byte> data) {
  if (data.size() < 2 * kStep) {
    return crc64nvme_pclmul(state, data);
  }
  __m512i lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i] = load(data.data(), i);
  }
  lanes[0] = _mm512_xor_si512(lanes[0], _mm512_zextsi128_si512(_mm_cvtsi64_si128(static_cast<long long>(state))));
  data = data.subspan(kStep);

  const __m512i keys = _mm512_broadcast_i32x4(
      _mm_set_epi64x(static_cast<long long>(kNextStep.high), static_cast<long long>(kNextStep.low)));
  for (; data.size() >= kStep; data = data.subspan(kStep)) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = fold(lanes[i], keys, load(data.data(), i));
    }
  }
  // One step's worth of bytes is left that stands for all before; the narrower way folds it further.
  std::byte rest[kStep];
  for (std::size_t i = 0; i < kLanes; ++i) {
    _mm512_storeu_si512(rest + i * sizeof(__m512i), lanes[i]);
  }
  return crc64nvme_pclmul(crc64nvme_pclmul(0, rest), data);
}

}  // namespace prefixfs::crypto

#endif

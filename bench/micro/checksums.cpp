// What each uploaded and downloaded byte costs: CRC64NVME always, SHA-256 where the endpoint is plain http, MD5 where a server wants it.

#include <benchmark/benchmark.h>

#include <vector>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/hash.h"

namespace {

using namespace prefixfs;

std::vector<std::byte> sample(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t index = 0; index < size; ++index) {
    bytes[index] = static_cast<std::byte>(index * 131 >> 3);
  }
  return bytes;
}

template <class Function>
void over_sizes(benchmark::State& state, Function hash) {
  const auto bytes = sample(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(hash(bytes));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void crc64nvme(benchmark::State& state) {
  over_sizes(state, [](const auto& bytes) { return crypto::crc64nvme(0, bytes); });
}
BENCHMARK(crc64nvme)->Arg(512)->Arg(128 << 10)->Arg(8 << 20);

void crc64nvme_combine(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(crypto::crc64nvme_combine(0x123456789abcdef0, 0xfedcba9876543210, 8U << 20));
  }
}
BENCHMARK(crc64nvme_combine);

void sha256(benchmark::State& state) {
  over_sizes(state, [](const auto& bytes) { return crypto::sha256(std::span<const std::byte>(bytes)); });
}
BENCHMARK(sha256)->Arg(512)->Arg(128 << 10)->Arg(8 << 20);

void md5(benchmark::State& state) {
  over_sizes(state, [](const auto& bytes) { return crypto::md5(bytes); });
}
BENCHMARK(md5)->Arg(8 << 20);

}  // namespace

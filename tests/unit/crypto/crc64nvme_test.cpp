#include "prefixfs/crypto/crc64nvme.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "crc64nvme_paths.h"
#include "support/seed.h"

namespace prefixfs::crypto {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<std::byte> random_bytes(std::mt19937_64& engine, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(engine());
  }
  return bytes;
}

// The definition, a bit at a time, written with the other bit order than the code: polynomial 0xad93d23594c93659, bytes and result
// reflected. Arithmetic instead of `carry ? polynomial : 0`, which g++ 12.2 gets wrong here with -O2.
std::uint64_t by_definition(std::span<const std::byte> data) {
  std::uint64_t state = ~std::uint64_t{0};
  for (const std::byte byte : data) {
    for (int bit = 0; bit < 8; ++bit) {
      const std::uint64_t incoming = std::to_integer<std::uint64_t>(byte) >> bit & 1;
      const std::uint64_t carry = (state >> 63) ^ incoming;
      state = (state << 1) ^ (carry * 0xad93d23594c93659);
    }
  }
  std::uint64_t reflected = 0;
  for (int bit = 0; bit < 64; ++bit) {
    reflected |= (state >> bit & 1) << (63 - bit);
  }
  return ~reflected;
}

TEST(Crc64NvmeTest, KnownValues) {
  EXPECT_EQ(crc64nvme(0, bytes_of("123456789")), 0xae8b14860a799888U);
  EXPECT_EQ(crc64nvme(0, {}), 0U);
  // NVM Express NVM Command Set specification, 64b CRC test cases.
  EXPECT_EQ(crc64nvme(0, std::vector<std::byte>(4096, std::byte{0})), 0x6482d367eb22b64eU);
  EXPECT_EQ(crc64nvme(0, std::vector<std::byte>(4096, std::byte{0xff})), 0xc0ddba7302eca3acU);
}

TEST(Crc64NvmeTest, EveryPathAgreesAtEveryLength) {
  const test::Seed seed;
  auto engine = seed.engine();
  const auto bytes = random_bytes(engine, 1400);
  const auto paths = crc64nvme_paths();
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto data = std::span(bytes).first(length);
    const std::uint64_t expected = by_definition(data);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      ASSERT_EQ(~paths[i](~std::uint64_t{0}, data), expected) << "path " << i << ", " << length << " bytes";
    }
  }
}

TEST(Crc64NvmeTest, EveryPathAgreesAtOddPlacesAndStates) {
  const test::Seed seed;
  auto engine = seed.engine();
  const auto bytes = random_bytes(engine, 100'000);
  const auto paths = crc64nvme_paths();
  for (int round = 0; round < 300; ++round) {
    const std::size_t begin = engine() % 200;
    const std::size_t length = engine() % (bytes.size() - begin);
    const std::uint64_t state = engine();
    const auto data = std::span(bytes).subspan(begin, length);
    const std::uint64_t expected = paths.front()(state, data);
    for (std::size_t i = 1; i < paths.size(); ++i) {
      ASSERT_EQ(paths[i](state, data), expected) << "path " << i << ", " << length << " bytes from " << begin;
    }
  }
}

TEST(Crc64NvmeTest, ContinuesWhereItStopped) {
  const test::Seed seed;
  auto engine = seed.engine();
  const auto bytes = random_bytes(engine, 5000);
  const std::uint64_t whole = crc64nvme(0, bytes);
  for (int round = 0; round < 200; ++round) {
    std::uint64_t crc = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = std::min<std::size_t>(engine() % 1500, bytes.size() - at);
      crc = crc64nvme(crc, std::span(bytes).subspan(at, piece));
      at += piece;
    }
    ASSERT_EQ(crc, whole);
  }
}

TEST(Crc64NvmeTest, CombinesParts) {
  const test::Seed seed;
  auto engine = seed.engine();
  const auto bytes = random_bytes(engine, 3000);
  const std::uint64_t whole = crc64nvme(0, bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 37) {
    const auto a = std::span(bytes).first(cut);
    const auto b = std::span(bytes).subspan(cut);
    ASSERT_EQ(crc64nvme_combine(crc64nvme(0, a), crc64nvme(0, b), b.size()), whole) << cut;
  }
  EXPECT_EQ(crc64nvme_combine(whole, 0, 0), whole);
  EXPECT_EQ(crc64nvme_combine(0, whole, bytes.size()), whole);
}

TEST(Crc64NvmeTest, CombinesPartsTooLongToCompute) {
  // A hole of 5 TiB, put together by doubling one of 1 KiB, in front of and behind some text.
  std::uint64_t hole = crc64nvme(0, std::vector<std::byte>(1024));
  std::uint64_t length = 1024;
  const std::uint64_t five_kib = crc64nvme(0, std::vector<std::byte>(5 * 1024));
  while (length < std::uint64_t{1} << 40) {
    hole = crc64nvme_combine(hole, hole, length);
    length *= 2;
  }
  std::uint64_t five = 0;
  for (int i = 0; i < 5; ++i) {
    five = crc64nvme_combine(five, hole, length);
  }
  // The same by another way: doubling 5 KiB.
  std::uint64_t other = five_kib;
  for (std::uint64_t size = 5 * 1024; size < std::uint64_t{5} << 40; size *= 2) {
    other = crc64nvme_combine(other, other, size);
  }
  EXPECT_EQ(five, other);
  const std::uint64_t text = crc64nvme(0, bytes_of("end"));
  EXPECT_EQ(crc64nvme(five, bytes_of("end")), crc64nvme_combine(five, text, 3));
}

TEST(Crc64NvmeTest, HeaderIsBase64OfTheBytesInNetworkOrder) {
  EXPECT_EQ(crc64nvme_header(0xae8b14860a799888), "rosUhgp5mIg=");
  EXPECT_EQ(crc64nvme_header(0), "AAAAAAAAAAA=");
  EXPECT_EQ(crc64nvme_from_header("rosUhgp5mIg="), 0xae8b14860a799888U);
  EXPECT_EQ(crc64nvme_from_header(crc64nvme_header(~std::uint64_t{0})), ~std::uint64_t{0});
}

TEST(Crc64NvmeTest, RefusesHeadersOfOtherLengths) {
  for (const char* text :
       {"", "rosUhgp5mIg", "rosUhgp5mIh=", "rosUhgp5mIg=-2", "rosUhgp5mIgA", "AAAAAA==", "not base64!!", " rosUhgp5mIg="}) {
    EXPECT_EQ(crc64nvme_from_header(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace prefixfs::crypto

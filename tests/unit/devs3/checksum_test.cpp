#include "checksum.h"

#include <gtest/gtest.h>

#include "crc32.h"

namespace prefixfs::devs3 {
namespace {

std::string of(ChecksumKind kind, std::string_view text) {
  const auto hasher = ChecksumHasher::create(kind);
  hasher->update(std::as_bytes(std::span(text)));
  return hasher->finish();
}

TEST(Checksum, KnownValuesOf123456789) {
  EXPECT_EQ(of(ChecksumKind::crc32, "123456789"), "y/Q5Jg==");      // cbf43926
  EXPECT_EQ(of(ChecksumKind::crc32c, "123456789"), "4waSgw==");     // e3069283
  EXPECT_EQ(of(ChecksumKind::crc64nvme, "123456789"), "rosUhgp5mIg=");
  EXPECT_EQ(of(ChecksumKind::sha1, ""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
  EXPECT_EQ(of(ChecksumKind::sha256, ""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(Checksum, AnySplitGivesTheSameFullObjectValue) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += static_cast<char>(i * 7 + i / 13);
  }
  for (const auto kind : {ChecksumKind::crc32, ChecksumKind::crc32c, ChecksumKind::crc64nvme}) {
    for (const std::size_t cut : {0u, 1u, 7u, 8u, 500u, 999u, 1000u}) {
      const std::string_view a = std::string_view(text).substr(0, cut);
      const std::string_view b = std::string_view(text).substr(cut);
      EXPECT_EQ(combine_checksums(kind, {{of(kind, a), a.size()}, {of(kind, b), b.size()}}), of(kind, text)) << checksum_name(kind) << cut;
    }
  }
}

TEST(Checksum, CompositeIsTheChecksumOfTheChecksums) {
  const auto a = of(ChecksumKind::sha256, "a");
  const auto composite = composite_checksum(ChecksumKind::sha256, {{a, 1}, {a, 1}});
  EXPECT_TRUE(composite.ends_with("-2"));
  EXPECT_NE(composite, composite_checksum(ChecksumKind::sha256, {{a, 1}}));
}

TEST(Checksum, NamesAndForms) {
  for (const auto kind : kChecksumKinds) {
    EXPECT_EQ(checksum_kind(checksum_name(kind)), kind);
    EXPECT_TRUE(is_well_formed(kind, of(kind, "x")));
  }
  EXPECT_EQ(checksum_kind("MD5"), std::nullopt);
  EXPECT_FALSE(is_well_formed(ChecksumKind::crc32, "rosUhgp5mIg="));
  EXPECT_FALSE(is_well_formed(ChecksumKind::crc32, "*"));
}

}  // namespace
}  // namespace prefixfs::devs3

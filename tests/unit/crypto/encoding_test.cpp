#include "prefixfs/crypto/encoding.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/seed.h"

namespace prefixfs::crypto {
namespace {

using namespace std::string_view_literals;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Pair {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648, section 10.
constexpr Pair kBase64Vectors[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                                   {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe"sv, "+//+"}};

TEST(EncodingTest, Base64MatchesTheRfc) {
  for (const auto& [plain, encoded] : kBase64Vectors) {
    EXPECT_EQ(base64(bytes_of(plain)), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
}

TEST(EncodingTest, Base64RefusesWhatIsNotCanonical) {
  for (const std::string_view text :
       {"Z"sv, "Zg"sv, "Zg="sv, "Zg==="sv, "===="sv, "Zh=="sv, "Zm9="sv, "Z=g="sv, "Zm9v\n"sv, "Zm 9"sv, "Zm9-"sv, "Zm9_"sv, "Zg==Zg=="sv,
        "\xff\xff\xff\xff"sv, "Zm9\0"sv}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(EncodingTest, HexIsLowerCaseAndReadsBoth) {
  EXPECT_EQ(hex(bytes_of("\x00\x0f\xa5\xff"sv)), "000fa5ff");
  EXPECT_EQ(hex({}), "");
  EXPECT_EQ(from_hex("000fA5Ff"), "\x00\x0f\xa5\xff"sv);
  EXPECT_EQ(from_hex(""), "");
  for (const char* text : {"0", "0g", "g0", "0x", " 0", "000"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

TEST(EncodingTest, UriEncodesAllButTheUnreserved) {
  constexpr std::string_view kStays = "ABCXYZabcxyz0189-._~";
  EXPECT_EQ(uri_encode(kStays, Slash::encode), kStays);
  EXPECT_EQ(uri_encode("a b+c*d", Slash::encode), "a%20b%2Bc%2Ad");
  EXPECT_EQ(uri_encode("/a/b", Slash::encode), "%2Fa%2Fb");
  EXPECT_EQ(uri_encode("/a/b", Slash::keep), "/a/b");
  EXPECT_EQ(uri_encode("J\xc3\xbcrgen", Slash::keep), "J%C3%BCrgen");
  EXPECT_EQ(uri_encode("\0%"sv, Slash::keep), "%00%25");
  EXPECT_EQ(uri_encode("", Slash::keep), "");
}

TEST(EncodingTest, UriDecodes) {
  EXPECT_EQ(uri_decode("a%20b%2bc%2B"), "a b+c+");
  EXPECT_EQ(uri_decode("%00"), "\0"sv);
  EXPECT_EQ(uri_decode("a+b"), "a+b");
  EXPECT_EQ(uri_decode("a+b%2B", true), "a b+") << "only a bare plus is a space";
  EXPECT_EQ(uri_decode("%2541"), "%41") << "once, not twice";
}

TEST(EncodingTest, UriDecodeRefusesABrokenEscape) {
  for (const char* text : {"%", "a%", "%4", "%4g", "%g4", "%%41", "% 1", "%+1"}) {
    EXPECT_EQ(uri_decode(text), std::nullopt) << text;
  }
}

TEST(EncodingTest, EveryEncodingCanBeUndone) {
  const test::Seed seed;
  auto engine = seed.engine();
  for (std::size_t length = 0; length < 300; ++length) {
    std::string plain(length, '\0');
    for (char& c : plain) {
      c = static_cast<char>(engine());
    }
    ASSERT_EQ(from_base64(base64(bytes_of(plain))), plain);
    ASSERT_EQ(from_hex(hex(bytes_of(plain))), plain);
    ASSERT_EQ(uri_decode(uri_encode(plain, Slash::encode)), plain);
    ASSERT_EQ(uri_decode(uri_encode(plain, Slash::keep), true), plain);
  }
}

}  // namespace
}  // namespace prefixfs::crypto

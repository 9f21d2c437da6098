#include "prefixfs/crypto/hash.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::crypto {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::span<const std::uint8_t> key_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string hex_of(const std::string& raw) { return hex(key_of(raw)); }

// FIPS 180-4 examples.
TEST(HashTest, Sha256) {
  EXPECT_EQ(hex(sha256(std::string_view(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(std::span<const std::byte>())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(bytes_of("abc")), sha256("abc"));
}

// RFC 1321, appendix A.5.
TEST(HashTest, Md5) {
  EXPECT_EQ(hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(md5(bytes_of("abc"))), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(HashTest, Sha1) {
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

// RFC 4231.
TEST(HashTest, HmacSha256) {
  EXPECT_EQ(hex(hmac_sha256(key_of("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(key_of(std::string(20, '\x0b')), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256(key_of(std::string(131, '\xaa')), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac_sha256({}, "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// The signing key of the example in the Signature Version 4 documentation.
TEST(HashTest, HmacSha256Chains) {
  const auto date = hmac_sha256(key_of("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "20120215");
  EXPECT_EQ(hex(hmac_sha256(hmac_sha256(hmac_sha256(date, "us-east-1"), "iam"), "aws4_request")),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST(HashTest, EqualSecret) {
  EXPECT_TRUE(equal_secret("", ""));
  EXPECT_TRUE(equal_secret(std::string_view(), ""));
  EXPECT_TRUE(equal_secret("abc", "abc"));
  EXPECT_FALSE(equal_secret("abc", "abd"));
  EXPECT_FALSE(equal_secret("abc", "ab"));
  EXPECT_FALSE(equal_secret("", "a"));
}

TEST(HasherTest, PiecesGiveTheSameAsTheWhole) {
  const std::string text(100'000, 'x');
  for (const std::size_t piece : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65'536}}) {
    Hasher hasher(Hasher::Kind::sha256);
    hasher.update({});
    for (std::size_t at = 0; at < text.size(); at += piece) {
      hasher.update(bytes_of(std::string_view(text).substr(at, piece)));
    }
    EXPECT_EQ(hex_of(hasher.finish()), hex(sha256(text))) << piece;
  }
}

TEST(HasherTest, KnowsEveryKind) {
  Hasher sha256_hasher(Hasher::Kind::sha256);
  EXPECT_EQ(hex_of(sha256_hasher.finish()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Hasher md5_hasher(Hasher::Kind::md5);
  EXPECT_EQ(hex_of(md5_hasher.finish()), "d41d8cd98f00b204e9800998ecf8427e");
  Hasher sha1_hasher(Hasher::Kind::sha1);
  sha1_hasher.update(bytes_of("abc"));
  EXPECT_EQ(hex_of(sha1_hasher.finish()), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(HasherTest, CanBeMovedInTheMiddle) {
  Hasher first(Hasher::Kind::sha256);
  first.update(bytes_of("ab"));
  Hasher second(std::move(first));
  second.update(bytes_of("c"));
  Hasher third(Hasher::Kind::md5);
  third = std::move(second);
  EXPECT_EQ(hex_of(third.finish()), hex(sha256("abc")));
}

TEST(HashTest, ManyThreadsAtOnce) {
  const auto expected = hmac_sha256(key_of("key"), "text");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&expected] {
      for (int k = 0; k < 200; ++k) {
        ASSERT_EQ(hmac_sha256(key_of("key"), "text"), expected);
        ASSERT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
      }
    });
  }
}

}  // namespace
}  // namespace prefixfs::crypto

#include <gtest/gtest.h>

#include "prefixfs/object/key.h"

namespace prefixfs {
namespace {

// An encoder that knows nothing of what is valid; forms longer than needed come from `length`.
std::string encode(std::uint32_t point, int length) {
  if (length == 1) {
    return std::string(1, static_cast<char>(point));
  }
  std::string bytes(static_cast<std::size_t>(length), '\0');
  for (int i = length - 1; i > 0; --i) {
    bytes[static_cast<std::size_t>(i)] = static_cast<char>(0x80 | (point & 0x3f));
    point >>= 6;
  }
  bytes[0] = static_cast<char>((0xf00 >> length & 0xff) | point);
  return bytes;
}

int shortest(std::uint32_t point) { return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4; }

TEST(Utf8Test, AcceptsEveryCodePointInItsShortestFormOnly) {
  for (std::uint32_t point = 0; point < 0x200000; ++point) {
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    const bool exists = point <= 0x10ffff && !surrogate;
    ASSERT_EQ(is_utf8(encode(point, shortest(point))), exists) << std::hex << point;
    for (int length = shortest(point) + 1; length <= 4; ++length) {
      ASSERT_FALSE(is_utf8(encode(point, length))) << std::hex << point << " in " << length << " bytes";
    }
  }
}

TEST(Utf8Test, RefusesWhatIsCutOff) {
  for (const char* text : {"\xc3", "\xe2\x82", "\xe2", "\xf0\x9f\x98", "\xf0\x9f", "\xf0", "abc\xe2\x82", "\xe2\x82" "a",
                           "\xf0\x9f\x98z"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8Test, RefusesBytesThatBeginNothing) {
  for (int byte = 0x80; byte < 0xc2; ++byte) {
    EXPECT_FALSE(is_utf8(std::string(1, static_cast<char>(byte)) + "\x80\x80\x80")) << std::hex << byte;
  }
  for (int byte = 0xf5; byte <= 0xff; ++byte) {
    EXPECT_FALSE(is_utf8(std::string(1, static_cast<char>(byte)) + "\x80\x80\x80")) << std::hex << byte;
  }
}

TEST(Utf8Test, AcceptsMixedText) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_utf8("a\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80z"));
}

}  // namespace
}  // namespace prefixfs

#include "prefixfs/base/escape.h"

#include <gtest/gtest.h>

namespace prefixfs {
namespace {

TEST(EscapeTest, LeavesTextAlone) {
  EXPECT_EQ(escape_control(""), "");
  EXPECT_EQ(escape_control("a/b c~ \"x\" \\n"), "a/b c~ \"x\" \\n");
  EXPECT_EQ(escape_control("J\xc3\xbcrgen \xe6\x97\xa5 \xf0\x9f\x98\x80"), "J\xc3\xbcrgen \xe6\x97\xa5 \xf0\x9f\x98\x80");
}

TEST(EscapeTest, WritesControlCharactersOut) {
  EXPECT_EQ(escape_control("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(escape_control(std::string_view("\0\x1b\x1f\x7f", 4)), "\\x00\\x1b\\x1f\\x7f");
}

TEST(EscapeTest, WritesC1ControlsOut) {
  EXPECT_EQ(escape_control("\xc2\x9b[2J"), "\\xc2\\x9b[2J");  // U+009B, the one-character form of ESC [
  EXPECT_EQ(escape_control("\xc2\xa0"), "\xc2\xa0");          // U+00A0 is the first that is none
  EXPECT_EQ(escape_control("\xc2"), "\xc2");                  // cut off at the end
}

}  // namespace
}  // namespace prefixfs

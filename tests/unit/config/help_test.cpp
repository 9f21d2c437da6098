#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prefixfs/config/options.h"

namespace prefixfs::config {
namespace {

TEST(HelpText, ShowsEveryBuiltOptionOnceInLinesThatFit) {
  const std::string text = help_text();
  for (const OptionRow& row : option_table()) {
    const std::string start = "\n  " + row.name + (row.value.empty() ? " " : "=" + row.value);
    const std::size_t found = text.find(start);
    EXPECT_EQ(found != std::string::npos, row.built) << row.name;
    EXPECT_EQ(text.find(start, found + 1), std::string::npos) << row.name;
  }
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 140) << text.substr(begin, end - begin);
  }
}

TEST(HelpText, ShowsDefaults) { EXPECT_THAT(help_text(), testing::HasSubstr("[8M]")); }

}  // namespace
}  // namespace prefixfs::config

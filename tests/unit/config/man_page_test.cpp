#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "prefixfs/config/options.h"
#include "usage.h"

namespace prefixfs::config {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines() {
  std::vector<std::string> all;
  std::istringstream text(man_page_text("1.2.3"));
  for (std::string line; std::getline(text, line);) {
    all.push_back(line);
  }
  return all;
}

std::string in_roff(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '-' ? "\\-" : std::string(1, letter);
  }
  return out;
}

TEST(ManPage, ShowsEveryOptionOnceWithItsMeaning) {
  const auto all = lines();
  for (const OptionRow& row : option_table()) {
    if (!row.built) {
      EXPECT_THAT(man_page_text("1"), HasSubstr("not built: \\fB" + row.name)) << row.name;
      continue;
    }
    const std::string head = "\\fB" + row.name + "\\fR" + (row.value.empty() ? "" : "=\\fI" + in_roff(row.value) + "\\fR");
    EXPECT_EQ(std::ranges::count(all, head), 1) << head;
    const auto found = std::ranges::find(all, head);
    ASSERT_NE(found, all.end());
    EXPECT_EQ(*(found - 1), ".TP");
    EXPECT_TRUE((found + 1)->starts_with(in_roff(row.meaning) + ".")) << *(found + 1);
    EXPECT_EQ((found + 1)->ends_with("Default: " + in_roff(row.fallback) + "."), !row.value.empty()) << *(found + 1);
  }
}

TEST(ManPage, EveryRowOfTheTableIsCompleteAndItsNameIsTakenOnce) {
  std::vector<std::string> names;
  for (const OptionRow& row : option_table()) {
    names.push_back(row.name);
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    EXPECT_FALSE(row.meaning.ends_with('.')) << row.name;
    EXPECT_TRUE(row.value.empty() || !row.fallback.empty()) << row.name;
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(ManPage, ShowsTheFlagsOfTheProgram) {
  for (const ProgramFlag& flag : kProgramFlags) {
    EXPECT_THAT(man_page_text("1"), HasSubstr("\\fB" + in_roff(std::string(flag.word)) + "\\fR\n")) << flag.word;
    EXPECT_THAT(help_text(), HasSubstr(flag.word)) << flag.word;
  }
}

TEST(ManPage, HasTheSectionsInTheUsualOrder) {
  std::vector<std::string> sections;
  for (const std::string& line : lines()) {
    if (line.starts_with(".SH ")) {
      sections.push_back(line.substr(4));
    }
  }
  EXPECT_THAT(sections, testing::ElementsAre("NAME", "SYNOPSIS", "DESCRIPTION", "ARGUMENTS", "COMMANDS", "MOUNT OPTIONS", "FSTAB", "CREDENTIALS",
                                             "FILES", "SIGNALS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"));
}

TEST(ManPage, NamesTheVersion) { EXPECT_THAT(lines().front(), HasSubstr("\"prefixfs 1.2.3\"")); }

TEST(ManPage, EveryRequestIsOneOfTheManMacros) {
  for (const std::string& line : lines()) {
    if (line.starts_with('.')) {
      const std::string request = line.substr(0, line.find(' '));
      EXPECT_THAT(request, testing::AnyOf(".TH", ".SH", ".TP", ".PP", ".B", ".I", ".BR", ".IR", ".RB", ".EX", ".EE", ".br",
                                          ".nf", ".fi", ".nh"));
    }
    EXPECT_FALSE(line.starts_with('\'')) << line;
  }
}

}  // namespace
}  // namespace prefixfs::config

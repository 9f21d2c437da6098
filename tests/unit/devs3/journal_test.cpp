#include "journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace prefixfs::devs3 {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "journalXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  Journal open() {
    lines_.clear();
    return std::move(*Journal::open(root_ / "j", [&](std::string_view line) { lines_.emplace_back(line); }));
  }

  std::filesystem::path root_;
  std::vector<std::string> lines_;
};

TEST_F(JournalTest, LinesComeBack) {
  {
    auto journal = open();
    EXPECT_TRUE(lines_.empty());
    ASSERT_TRUE(journal.append("one\n"));
    ASSERT_TRUE(journal.append("two\nthree\n"));
  }
  open();
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(JournalTest, HalfALineOfAKilledProcessIsCutOff) {
  std::ofstream(root_ / "j") << "one\ntw";
  {
    auto journal = open();
    EXPECT_EQ(lines_, (std::vector<std::string>{"one"}));
    ASSERT_TRUE(journal.append("three\n"));
  }
  open();
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "three"}));
}

TEST_F(JournalTest, Rewrite) {
  {
    auto journal = open();
    std::string many;
    for (int i = 0; i < 20'000; ++i) {
      many += "x\n";
    }
    ASSERT_TRUE(journal.append(many));
    EXPECT_TRUE(journal.worth_rewriting(10));
    EXPECT_FALSE(journal.worth_rewriting(10'000));
    ASSERT_TRUE(journal.rewrite("only\n"));
    EXPECT_FALSE(journal.worth_rewriting(1));
    ASSERT_TRUE(journal.append("more\n"));
  }
  open();
  EXPECT_EQ(lines_, (std::vector<std::string>{"only", "more"}));
}

}  // namespace
}  // namespace prefixfs::devs3

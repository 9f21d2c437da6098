#include "prefixfs/base/environment.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/fake_environment.h"
#include "support/temp_dir.h"

namespace prefixfs {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

void write_file(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

TEST(ProcessEnvironmentTest, ReadsVariables) {
  ASSERT_EQ(::setenv("PREFIXFS_TEST_VARIABLE", "a=b c", 1), 0);
  EXPECT_EQ(ProcessEnvironment().get("PREFIXFS_TEST_VARIABLE"), "a=b c");
  ASSERT_EQ(::setenv("PREFIXFS_TEST_VARIABLE", "", 1), 0);
  EXPECT_EQ(ProcessEnvironment().get("PREFIXFS_TEST_VARIABLE"), std::nullopt) << "empty counts as unset";
  ASSERT_EQ(::unsetenv("PREFIXFS_TEST_VARIABLE"), 0);
  EXPECT_EQ(ProcessEnvironment().get("PREFIXFS_TEST_VARIABLE"), std::nullopt);
}

TEST(ProcessEnvironmentTest, FindsTheHomeDirectoryWithoutTheVariable) {
  const std::string before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::unsetenv("HOME");
  const passwd* user = ::getpwuid(::geteuid());
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(ProcessEnvironment().get("HOME"), user->pw_dir);
  ::setenv("HOME", "/elsewhere", 1);
  EXPECT_EQ(ProcessEnvironment().get("HOME"), "/elsewhere");
  before.empty() ? ::unsetenv("HOME") : ::setenv("HOME", before.c_str(), 1);
}

TEST(ProcessEnvironmentTest, TakesANameThatIsPartOfAText) {
  ASSERT_EQ(::setenv("PREFIXFS_TEST_VARIABLE", "x", 1), 0);
  EXPECT_EQ(ProcessEnvironment().get(std::string_view("PREFIXFS_TEST_VARIABLE_LONGER").substr(0, 22)), "x");
  ::unsetenv("PREFIXFS_TEST_VARIABLE");
}

TEST(SystemFileReaderTest, ReadsTheWholeFile) {
  const test::TempDir dir;
  std::string content(100'000, 'x');
  content[50'000] = '\0';
  content += "\nend";
  write_file(dir.file("f"), content);
  EXPECT_EQ(SystemFileReader().read(dir.file("f")).value(), content);
  write_file(dir.file("empty"), "");
  EXPECT_EQ(SystemFileReader().read(dir.file("empty")).value(), "");
}

TEST(SystemFileReaderTest, TakesExactlyOneMebibyteAndNoMore) {
  const test::TempDir dir;
  write_file(dir.file("full"), std::string(kMebibyte, 'x'));
  EXPECT_EQ(SystemFileReader().read(dir.file("full")).value().size(), kMebibyte);
  write_file(dir.file("over"), std::string(kMebibyte + 1, 'x'));
  const auto over = SystemFileReader().read(dir.file("over"));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::too_large);
  EXPECT_NE(over.error().what.find(dir.file("over")), std::string::npos);
}

TEST(SystemFileReaderTest, ReadsFilesWhichReportNoSize) { EXPECT_FALSE(SystemFileReader().read("/proc/self/status").value().empty()); }

TEST(SystemFileReaderTest, EndsAtOnceWithTooLargeOnAnEndlessFile) {
  EXPECT_EQ(SystemFileReader().read("/dev/zero").error().code, Errc::too_large);
}

TEST(SystemFileReaderTest, NamesThePathAndTheReason) {
  const test::TempDir dir;
  const auto missing = SystemFileReader().read(dir.file("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(missing.error().what, "cannot read " + dir.file("missing") + ": No such file or directory");
  write_file(dir.file("f"), "x");
  EXPECT_EQ(SystemFileReader().read(dir.file("f/below")).error().code, Errc::not_found);
  EXPECT_EQ(SystemFileReader().read(dir.str()).error().code, Errc::io) << "a folder is no file";
}

TEST(SystemFileReaderTest, TellsThatAFileMayNotBeRead) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may read everything";
  }
  const test::TempDir dir;
  write_file(dir.file("f"), "x");
  ASSERT_EQ(::chmod(dir.file("f").c_str(), 0), 0);
  EXPECT_EQ(SystemFileReader().read(dir.file("f")).error().code, Errc::denied);
}

TEST(FakeEnvironmentTest, KeepsTheRulesOfTheRealOne) {
  test::FakeEnvironment environment({{"A", "1"}, {"EMPTY", ""}});
  EXPECT_EQ(environment.get("A"), "1");
  EXPECT_EQ(environment.get("EMPTY"), std::nullopt);
  EXPECT_EQ(environment.get("B"), std::nullopt);
  environment.set("B", "2");
  environment.unset("A");
  environment.unset("never there");
  EXPECT_EQ(environment.get("B"), "2");
  EXPECT_EQ(environment.get("A"), std::nullopt);
}

TEST(FakeFileReaderTest, KeepsTheRulesOfTheRealOne) {
  test::FakeFileReader files({{"/a", "text"}});
  EXPECT_EQ(files.read("/a").value(), "text");
  EXPECT_EQ(files.read("/b").error().code, Errc::not_found);
  files.set_error("/a", Errc::denied);
  EXPECT_EQ(files.read("/a").error().code, Errc::denied);
  files.set("/a", "new");
  EXPECT_EQ(files.read("/a").value(), "new");
  files.remove("/a");
  EXPECT_EQ(files.read("/a").error().code, Errc::not_found);
}

}  // namespace
}  // namespace prefixfs

// A local file that is given back is the next one, and nothing of it is left.

#include "spare_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

namespace fs = std::filesystem;

class SpareFilesTest : public testing::Test {
 protected:
  /// A file in use: with a name of its own.
  SpareFiles::File file_named(const std::string& name) {
    auto file = spares_->take();
    EXPECT_TRUE(file);
    fs::rename(file->path, directory_.file(name));
    file->path = directory_.file(name);
    return std::move(*file);
  }
  static void write(const SpareFiles::File& file, const std::string& text) { EXPECT_EQ(::pwrite(file.fd.get(), text.data(), text.size(), 0), ssize_t(text.size())); }
  static ino_t inode_of(const SpareFiles::File& file) {
    struct stat status {};
    EXPECT_EQ(::fstat(file.fd.get(), &status), 0);
    return status.st_ino;
  }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator())); }

  test::TempDir directory_;
  std::optional<SpareFiles> spares_{std::in_place, directory_.path()};
};

TEST_F(SpareFilesTest, what_is_given_is_empty_and_used_again) {
  auto first = file_named("first");
  write(first, "secret of one program");
  const ino_t inode = inode_of(first);
  spares_->give(std::move(first));
  EXPECT_FALSE(fs::exists(directory_.file("first")));
  const auto second = spares_->take();
  ASSERT_TRUE(second);
  EXPECT_EQ(inode_of(*second), inode);
  EXPECT_EQ(fs::file_size(second->path), 0U);
  EXPECT_EQ(fs::status(second->path).permissions(), fs::perms(0600));
}

TEST_F(SpareFilesTest, a_file_with_a_second_name_is_let_alone) {
  auto kept = file_named("staged");
  write(kept, "kept for its owner");
  fs::create_hard_link(kept.path, directory_.file("kept"));
  spares_->give(std::move(kept));
  EXPECT_FALSE(fs::exists(directory_.file("staged")));
  EXPECT_EQ(fs::file_size(directory_.file("kept")), 18U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpareFilesTest, those_of_a_killed_process_are_in_nobodys_way) {
  std::ofstream(directory_.file("0000000000000001.spare")) << "left";
  const auto made = spares_->take();
  ASSERT_TRUE(made);
  EXPECT_EQ(fs::file_size(made->path), 0U);
}

TEST_F(SpareFilesTest, they_do_not_pile_up_and_go_in_the_end) {
  std::vector<SpareFiles::File> many;
  for (int number = 0; number < 100; ++number) {
    many.push_back(file_named(std::to_string(number)));
  }
  for (auto& file : many) {
    spares_->give(std::move(file));
  }
  EXPECT_EQ(files(), 64U);
  spares_.reset();
  EXPECT_EQ(files(), 0U);
}

TEST_F(SpareFilesTest, a_directory_that_is_gone_is_told) {
  fs::remove_all(directory_.path());
  const auto made = spares_->take();
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().what.find(directory_.path().native()), std::string::npos);
}

}  // namespace
}  // namespace prefixfs::stage

#include "data_files.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace prefixfs::devs3 {
namespace {

namespace fs = std::filesystem;

class DataFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "dataXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    open();
  }
  void TearDown() override { fs::remove_all(root_); }
  void open() {
    files_ = std::move(*DataFiles::open(root_));
    files_->remove_unknown();
  }
  std::vector<Extent> write(const std::string& text) {
    SparseWriter writer(*files_);
    EXPECT_TRUE(writer.append(std::as_bytes(std::span(text))));
    return *writer.finish();
  }
  static std::string read(const std::vector<Extent>& extents) {
    std::string out;
    EXPECT_TRUE(for_each_block(extents, [&](std::span<const std::byte> block) -> Result<void> {
      out.append(reinterpret_cast<const char*>(block.data()), block.size());
      return {};
    }));
    return out;
  }
  std::size_t count() const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }

  fs::path root_;
  std::unique_ptr<DataFiles> files_;
};

TEST_F(DataFilesTest, EmptyBodyHasNoFile) {
  EXPECT_TRUE(write("").empty());
  EXPECT_EQ(count(), 0u);
}

TEST_F(DataFilesTest, HolesReadBackAsZeros) {
  const std::string text = std::string(70'000, 'a') + std::string(300'000, '\0') + "end" + std::string(200'000, '\0');
  const auto extents = write(text);
  EXPECT_EQ(read(extents), text);
  struct stat status {};
  ASSERT_EQ(::stat(extents[0].file->path().c_str(), &status), 0);
  EXPECT_EQ(static_cast<std::size_t>(status.st_size), text.size());
  EXPECT_LT(static_cast<std::size_t>(status.st_blocks) * 512, text.size() / 2);
}

TEST_F(DataFilesTest, FileGoesWithItsLastUser) {
  auto extents = write("x");
  auto copy = slice(extents, 0, 1);
  extents.clear();
  EXPECT_EQ(count(), 1u);
  copy.clear();
  EXPECT_EQ(count(), 0u);
}

TEST_F(DataFilesTest, FilesStayWhenTheProgramEnds) {
  auto extents = write("kept");
  const auto id = extents[0].file->id();
  files_->keep_all();
  extents.clear();
  files_ = std::move(*DataFiles::open(root_));
  const std::vector<Extent> adopted{{files_->adopt(id), 0, 4}};
  files_->remove_unknown();
  EXPECT_EQ(read(adopted), "kept");
  EXPECT_NE(write("new")[0].file->id(), id);
}

TEST_F(DataFilesTest, FilesThatNoIndexNamesAreRemoved) {
  auto extents = write("orphan");
  files_->keep_all();
  extents.clear();
  open();
  EXPECT_EQ(count(), 0u);
}

TEST_F(DataFilesTest, SliceOverSeveralExtents) {
  auto extents = write("abcdef");
  const auto more = write("ghij");
  extents.insert(extents.end(), more.begin(), more.end());
  EXPECT_EQ(total_length(extents), 10u);
  EXPECT_EQ(read(slice(extents, 4, 4)), "efgh");
  EXPECT_EQ(read(slice(extents, 6, 4)), "ghij");
  EXPECT_TRUE(slice(extents, 10, 5).empty());
  EXPECT_EQ(read(slice(extents, 8, 100)), "ij");
}

}  // namespace
}  // namespace prefixfs::devs3

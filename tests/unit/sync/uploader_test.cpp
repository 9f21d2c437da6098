#include <gtest/gtest.h>

#include "prefixfs/sync/file_upload.h"
#include "upload_fixture.h"

namespace prefixfs::sync {
namespace {

class UploaderTest : public UploadTest {};

TEST_F(UploaderTest, files_do_not_disturb_each_other) {
  Uploader uploader(store_, pool_, options_, clock_, *log_);
  std::vector<std::shared_ptr<stage::StagedFile>> files;
  std::vector<std::unique_ptr<FileUpload>> uploads;
  for (int i = 0; i < 5; ++i) {
    files.push_back(new_file(std::string(5000, static_cast<char>('a' + i))));
    uploads.push_back(uploader.start(files.back()));
  }
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < files.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto done = uploads[i]->commit({Key("k" + std::to_string(i)), {}, {}, {}}, {}, {});
        EXPECT_TRUE(done) << describe(done.error());
      });
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(memory_.text("k" + std::to_string(i)), std::string(5000, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

}  // namespace
}  // namespace prefixfs::sync

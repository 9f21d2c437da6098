// Bytes of a stored version into its staged file, while other things happen to that file.

#include "fetcher.h"

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

constexpr ByteRange kAll{0, 8192};

class FetcherTest : public VfsTest {
 protected:
  FetcherTest() : etag_(mount.memory.put_text("f", std::string(kAll.length(), 'o'))) {
    auto staged = mount.stage().create(kAll.length());
    EXPECT_TRUE(staged);
    content_ = std::make_shared<Content>(*staged, etag_);
  }
  Result<void> ensure() {
    return fetcher_.ensure(content_, [] { return Key("f"); }, kAll, kAll, {}, {});
  }
  std::string text() {
    std::string read(kAll.length(), '?');
    EXPECT_TRUE(content_->file->read(0, std::as_writable_bytes(std::span(read.data(), read.size()))));
    return read;
  }
  /// A program writes all of it anew, the commit ends, and the cache drops the bytes.
  void commit_and_drop() {
    const std::string now(kAll.length(), 'n');
    ASSERT_OK(content_->file->write(0, bytes_of(now)));
    const ETag stored = mount.memory.put_text("f", now);
    const std::lock_guard lock(content_->mutex);
    ASSERT_TRUE(content_->file->mark_clean(content_->file->change_count()));
    content_->etag = stored;
    content_->file->drop_clean(kAll);
  }

  Mount mount;
  ETag etag_;
  std::shared_ptr<Content> content_;
  ContentCache closed_{1 << 20, 100};
  Room room_{closed_};
  WorkerPool pool_{"fetch", 2};
  Fetcher fetcher_{mount.store, room_, pool_, 64 << 10};
};

TEST_F(FetcherTest, BytesOfTheVersionBeforeFillNoGapOfTheNextOne) {
  mount.memory.before_body([&] { commit_and_drop(); });
  EXPECT_OK(ensure());
  EXPECT_TRUE(text() == std::string(kAll.length(), 'n'));
}

}  // namespace
}  // namespace prefixfs::vfs

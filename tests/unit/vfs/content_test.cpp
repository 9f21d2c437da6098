#include "content.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace prefixfs::vfs {
namespace {

class ContentCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<Content> content(std::string_view version, std::size_t bytes = 4096) {
    auto file = stage_->create(bytes);
    EXPECT_TRUE(file);
    const std::vector<std::byte> data(bytes, std::byte{1});
    EXPECT_TRUE((*file)->fill(0, data));
    auto made = std::make_shared<Content>(*file, ETag::from_wire(version));
    made->opened = true;
    return made;
  }
  static ETag tag(std::string_view text) { return ETag::from_wire(text); }

  test::TempDir directory_;
  std::unique_ptr<stage::StageDirectory> stage_ = std::move(*stage::StageDirectory::open(directory_.path() / "s", 1 << 30));
};

TEST_F(ContentCacheTest, TakeGivesTheVersionAndEmptiesThePlace) {
  ContentCache cache(1 << 20, 10);
  const auto first = content("e1");
  cache.put(1, first);
  EXPECT_EQ(cache.peek(1, tag("e1")), first);
  EXPECT_EQ(cache.peek(1, tag("e2")), nullptr);
  EXPECT_EQ(cache.take(1, tag("e1")), first);
  EXPECT_EQ(cache.take(1, tag("e1")), nullptr);
}

TEST_F(ContentCacheTest, AnotherVersionIsThrownAway) {
  ContentCache cache(1 << 20, 10);
  cache.put(1, content("e1"));
  EXPECT_EQ(cache.take(1, tag("e2")), nullptr);
  EXPECT_EQ(cache.peek(1, tag("e1")), nullptr);
  EXPECT_EQ(stage_->budget().used(), 0u);
}

TEST_F(ContentCacheTest, PutReplaces) {
  ContentCache cache(1 << 20, 10);
  cache.put(1, content("e1"));
  cache.put(1, content("e2"));
  EXPECT_EQ(cache.peek(1, tag("e1")), nullptr);
  EXPECT_NE(cache.peek(1, tag("e2")), nullptr);
  EXPECT_EQ(stage_->budget().used(), 4096u);
}

TEST_F(ContentCacheTest, OldestGoesFirstAtTheLimitOfBytes) {
  ContentCache cache(3 * 4096, 10);
  for (InodeId id = 1; id <= 4; ++id) {
    cache.put(id, content("e"));
  }
  EXPECT_EQ(cache.peek(1, tag("e")), nullptr);
  EXPECT_NE(cache.peek(2, tag("e")), nullptr);
  EXPECT_EQ(stage_->budget().used(), 3u * 4096);
}

TEST_F(ContentCacheTest, WithoutACacheOnlyWhatNobodyHasOpenedYetStays) {
  ContentCache cache(0, 10);
  const auto fetched = content("e1");
  fetched->opened = false;
  cache.put(1, fetched);
  EXPECT_EQ(cache.take(1, tag("e1")), fetched);
  fetched->opened = true;
  cache.put(1, fetched);
  EXPECT_EQ(cache.peek(1, tag("e1")), nullptr);
}

TEST_F(ContentCacheTest, OldestGoesFirstAtTheLimitOfFiles) {
  ContentCache cache(1 << 20, 2);
  for (InodeId id = 1; id <= 3; ++id) {
    cache.put(id, content("e"));
  }
  EXPECT_EQ(cache.peek(1, tag("e")), nullptr);
  EXPECT_NE(cache.peek(3, tag("e")), nullptr);
}

TEST_F(ContentCacheTest, MakesRoomAndDrops) {
  ContentCache cache(4 * 4096, 10);
  for (InodeId id = 1; id <= 4; ++id) {
    cache.put(id, content("e"));
  }
  cache.make_room(2 * 4096);
  EXPECT_EQ(stage_->budget().used(), 2u * 4096);
  cache.drop(4);
  cache.drop(4);
  EXPECT_EQ(stage_->budget().used(), 4096u);
  cache.make_room(100 * 4096);
  EXPECT_EQ(stage_->budget().used(), 0u);
}

}  // namespace
}  // namespace prefixfs::vfs

// What other clients change while the kernel and this mount believe what they know.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;

class OtherClientsTest : public VfsTest {
 protected:
  /// The kernel is told of five bytes; then somebody writes more, and a lookup of some other name lists the directory.
  InodeId told_of_five_bytes_and_listed_with_more() {
    mount.memory.put_text("f", "short");
    EXPECT_ERRC(mount.lookup("unknown"), Errc::not_found);
    mount.window_ends();
    const InodeId id = mount.id("f");
    mount.memory.put_text("f", longer);
    mount.clock.advance(1ms);
    EXPECT_ERRC(mount.lookup("another"), Errc::not_found);
    EXPECT_EQ(mount.nodes().get(id).value()->size, longer.size()) << "the listing has brought it";
    return id;
  }
  static s3::ObjectHeaders mode(const char* permissions) {
    s3::ObjectHeaders headers;
    headers.user_metadata["file-permissions"] = permissions;
    return headers;
  }
  const std::string longer = std::string(1000, 'n');
  Mount mount;
};

TEST_F(OtherClientsTest, AVersionThatOnlyAListingHasBroughtIsToldBeforeItIsOpened) {
  const InodeId id = told_of_five_bytes_and_listed_with_more();
  EXPECT_ERRC(mount.fs().open(id, O_RDONLY, mount.caller()), Errc::stale);
  EXPECT_ERRC(mount.fs().open(id, O_WRONLY | O_APPEND, mount.caller()), Errc::stale);
  EXPECT_EQ(mount.lookup("f")->attributes.size, longer.size());
  const auto opened = mount.fs().open(id, O_RDONLY, mount.caller());
  ASSERT_OK(opened);
  EXPECT_EQ(mount.read(opened->handle).value_or("?"), longer);
}

TEST_F(OtherClientsTest, GetattrTellsToo) {
  const InodeId id = told_of_five_bytes_and_listed_with_more();
  EXPECT_EQ(mount.fs().getattr(id, mount.caller())->attributes.size, longer.size());
  EXPECT_OK(mount.fs().open(id, O_RDONLY, mount.caller()));
}

TEST_F(OtherClientsTest, AListingThatBringsNothingNewIsNoReasonToLookAgain) {
  mount.memory.put_text("f", "short");
  const InodeId id = mount.id("f");
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("unknown"), Errc::not_found);
  EXPECT_OK(mount.fs().open(id, O_RDONLY, mount.caller()));
}

TEST_F(OtherClientsTest, AChmodOfADirectoryIsSeen) {
  mount.memory.put_text("d/", "", mode("0040755"));
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0755u);
  mount.clock.advance(10s);
  mount.memory.put_text("d/", "", mode("0040700"));
  mount.clock.advance(10s);
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  mount.window_ends();
  mount.requests();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/")) << "the marker is read once per version";
}

TEST_F(OtherClientsTest, AChmodOfADirectoryThatWasMadeHereIsSeen) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  mount.window_ends();
  mount.requests();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0755u);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/")) << "which tells the time of the marker, too";
  mount.clock.advance(1s);
  mount.memory.put_text("d/", "", mode("0040700"));
  mount.window_ends();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
}

TEST_F(OtherClientsTest, AChmodOfALargeDirectoryIsSeen) {
  mount.memory.put_text("d/", "", mode("0040755"));
  for (int file = 0; file < 1100; ++file) {
    mount.memory.put_text("d/" + std::to_string(file), "");
  }
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0755u);
  mount.clock.advance(2min);
  mount.memory.put_text("d/", "", mode("0040700"));
  mount.clock.advance(2min);
  mount.requests();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/", "HeadObject d/"));
}

TEST_F(OtherClientsTest, AChmodOfADirectoryIsSeenWhereListingIsNotAllowed) {
  mount.memory.set_rights({.list = false});
  mount.memory.put_text("d/", "", mode("0040755"));
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0755u);
  mount.clock.advance(2s);
  mount.memory.put_text("d/", "", mode("0040700"));
  mount.clock.advance(2s);
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
}

}  // namespace
}  // namespace prefixfs::vfs

#include "directory_handles.h"

#include <gtest/gtest.h>

namespace prefixfs::vfs {
namespace {

TEST(DirectoryHandlesTest, FoundUntilClosed) {
  DirectoryHandles handles;
  const HandleId first = handles.open(7);
  const HandleId second = handles.open(7);
  EXPECT_NE(first, second);
  ASSERT_NE(handles.find(first), nullptr);
  EXPECT_EQ(handles.find(first)->directory, 7u);
  EXPECT_NE(handles.find(first), handles.find(second));
  handles.close(first);
  EXPECT_EQ(handles.find(first), nullptr);
  EXPECT_NE(handles.find(second), nullptr);
  handles.close(first);
}

TEST(DirectoryHandleTest, RemembersNamesUpToALimit) {
  DirectoryHandle handle(7);
  for (InodeId id = 1; id <= 16385; ++id) {
    handle.remember(id, "n" + std::to_string(id));
  }
  EXPECT_FALSE(handle.given.contains(1));
  EXPECT_EQ(handle.given.at(2), "n2");
  EXPECT_EQ(handle.given.size(), handle.order.size());
  handle.remember(2, "renamed");
  EXPECT_EQ(handle.given.at(2), "renamed");
  EXPECT_EQ(handle.given.size(), handle.order.size());
}

}  // namespace
}  // namespace prefixfs::vfs

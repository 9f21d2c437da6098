// What happens here, or on another host, while a request is under way: its answer must not undo it.

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

class MeanwhileTest : public VfsTest {
 protected:
  MeanwhileTest() { mount.memory.set_part_bytes_min(16 << 10); }

  Result<Entry> truncate(InodeId id, std::optional<HandleId> handle, std::uint64_t size) {
    return mount.fs().setattr(id, handle, {.size = size}, mount.caller());
  }
  /// Once: the store has done that operation, and its answer is on its way.
  void once_after(std::string operation, std::function<void()> work) {
    auto done = std::make_shared<std::atomic<bool>>(false);
    mount.store.after_each([=](const test::FaultyStore::Call& call) {
      if (call.operation == operation && !done->exchange(true)) {
        work();
      }
    });
  }

  Mount mount{small_parts()};
};

TEST_F(MeanwhileTest, CutToNothingDuringACommit) {
  const auto h = mount.create(kRoot, "f", O_RDWR);
  ASSERT_OK(h);
  ASSERT_OK(mount.write(*h, 0, "hello world"));
  const InodeId id = mount.id("f");
  once_after("PutObject", [&] { EXPECT_OK(truncate(id, *h, 0)); });
  EXPECT_OK(mount.fs().flush(*h, mount.caller()));
  EXPECT_OK(mount.close(*h));
  EXPECT_EQ(mount.memory.text("f").value_or("?"), "");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("f")->attributes.size, 0u);
}

TEST_F(MeanwhileTest, OpenedWithTruncDuringACommit) {
  const auto h = mount.create(kRoot, "f", O_WRONLY);
  ASSERT_OK(mount.write(*h, 0, "hello world"));
  std::optional<HandleId> h2;
  once_after("PutObject", [&] {
    const auto opened = mount.open("f", O_WRONLY | O_TRUNC);
    ASSERT_OK(opened);
    h2 = *opened;
  });
  EXPECT_OK(mount.close(*h));
  EXPECT_OK(mount.close(*h2));
  EXPECT_EQ(mount.memory.text("f").value_or("?"), "");
  mount.window_ends();
  EXPECT_EQ(mount.read_file("f").value_or("?"), "");
}

TEST_F(MeanwhileTest, CutBackToTheStoredSizeDuringACommit) {
  mount.memory.put_text("f", "0123456789");
  const auto h = mount.open("f", O_RDWR);
  ASSERT_OK(h);
  const InodeId id = mount.id("f");
  ASSERT_OK(mount.write(*h, 10, "more"));
  once_after("PutObject", [&] { EXPECT_OK(truncate(id, *h, 10)); });
  EXPECT_OK(mount.fs().fsync(*h, mount.caller()));
  EXPECT_OK(mount.close(*h));
  EXPECT_EQ(mount.memory.text("f").value_or("?"), "0123456789");
}

TEST_F(MeanwhileTest, ReadDuringARename) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("big", text);
  const auto h = mount.open("big", O_RDONLY);
  ASSERT_OK(h);
  std::jthread reader;
  once_after("DeleteObject", [&] { reader = std::jthread([&] { EXPECT_OK(mount.read(*h, 300'000, 1000)); }); });
  EXPECT_OK(mount.fs().rename(kRoot, "big", kRoot, "big2", 0, mount.caller()));
  reader.join();
  EXPECT_TRUE(mount.read(*h, 100'000, 1000).value_or("") == text.substr(100'000, 1000));
}

TEST_F(MeanwhileTest, ReadDuringACommit) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("log", text);
  const auto w = mount.open("log", O_WRONLY | O_APPEND);
  ASSERT_OK(w);
  const auto r = mount.open("log", O_RDONLY);
  ASSERT_OK(r);
  ASSERT_OK(mount.write(*w, 0, "one more line"));
  std::jthread reader;
  once_after("CompleteMultipartUpload", [&] { reader = std::jthread([&] { EXPECT_OK(mount.read(*r, 200'000, 1000)); }); });
  EXPECT_OK(mount.close(*w));
  reader.join();
  EXPECT_OK(mount.read(*r, 100, 1000));
}

TEST_F(MeanwhileTest, OpenedDuringARename) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("big", text);
  ASSERT_OK(mount.lookup("big"));
  std::optional<HandleId> h;
  once_after("CopyObject", [&] {
    const auto opened = mount.open("big", O_RDONLY);
    ASSERT_OK(opened);
    h = *opened;
  });
  EXPECT_OK(mount.fs().rename(kRoot, "big", kRoot, "big2", 0, mount.caller()));
  ASSERT_TRUE(h);
  EXPECT_OK(mount.read(*h, 300'000, 1000));
}

TEST_F(MeanwhileTest, OpenedForWritingDuringARename) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("big", text);
  ASSERT_OK(mount.lookup("big"));
  std::optional<HandleId> h;
  once_after("CopyObject", [&] {
    const auto opened = mount.open("big", O_WRONLY);
    ASSERT_OK(opened);
    h = *opened;
  });
  EXPECT_OK(mount.fs().rename(kRoot, "big", kRoot, "big2", 0, mount.caller()));
  ASSERT_TRUE(h);
  ASSERT_OK(mount.write(*h, 5, "XXX"));
  EXPECT_OK(mount.close(*h));
  EXPECT_EQ(mount.memory.keys(), std::vector<std::string>{"big2"});
  EXPECT_EQ(mount.memory.text("big2")->substr(5, 3), "XXX");
}

TEST_F(MeanwhileTest, UnlinkedDuringALookup) {
  mount.memory.put_text("f", "one");
  ASSERT_OK(mount.read_file("f"));
  mount.window_ends();
  once_after("GetObject", [&] {
    mount.clock.advance(1ms);
    EXPECT_OK(mount.fs().unlink(kRoot, "f", mount.caller()));
    mount.clock.advance(1ms);
  });
  (void)mount.lookup("f");
  EXPECT_ERRC(mount.lookup("f"), Errc::not_found);
  EXPECT_OK(mount.create(kRoot, "f", O_WRONLY | O_EXCL));
}

TEST_F(MeanwhileTest, OverwrittenDuringALookup) {
  mount.memory.put_text("f", "one");
  ASSERT_OK(mount.read_file("f"));
  mount.window_ends();
  once_after("GetObject", [&] {
    mount.clock.advance(1ms);
    const auto o = mount.fs().open(mount.nodes().find(kRoot, "f")->value().id, O_WRONLY | O_TRUNC, mount.caller());
    ASSERT_OK(o);
    ASSERT_OK(mount.write(o->handle, 0, "a much longer text"));
    ASSERT_OK(mount.close(o->handle));
    mount.clock.advance(1ms);
  });
  (void)mount.lookup("f");
  EXPECT_EQ(mount.lookup("f")->attributes.size, 18u);
  EXPECT_EQ(mount.read_file("f").value_or("?"), "a much longer text");
}

TEST_F(MeanwhileTest, RenamedDuringALookup) {
  mount.memory.put_text("f", "one");
  ASSERT_OK(mount.read_file("f"));
  mount.window_ends();
  once_after("GetObject", [&] {
    mount.clock.advance(1ms);
    EXPECT_OK(mount.fs().rename(kRoot, "f", kRoot, "g", 0, mount.caller()));
    mount.clock.advance(1ms);
  });
  (void)mount.lookup("f");
  EXPECT_ERRC(mount.lookup("f"), Errc::not_found);
  EXPECT_EQ(mount.read_file("g").value_or("?"), "one");
}

TEST_F(MeanwhileTest, UnlinkAfterALostAnswerRemovesTheObject) {
  const auto h = mount.create(kRoot, "f", O_WRONLY);
  ASSERT_OK(mount.write(*h, 0, "x"));
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  EXPECT_FALSE(mount.fs().fsync(*h, mount.caller()));
  EXPECT_OK(mount.fs().unlink(kRoot, "f", mount.caller()));
  (void)mount.close(*h);
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("f"), Errc::not_found);
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(MeanwhileTest, RenameAfterALostAnswerLeavesOneObject) {
  const auto h = mount.create(kRoot, "f", O_WRONLY);
  ASSERT_OK(mount.write(*h, 0, "x"));
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  EXPECT_FALSE(mount.fs().fsync(*h, mount.caller()));
  EXPECT_OK(mount.fs().rename(kRoot, "f", kRoot, "g", 0, mount.caller()));
  EXPECT_OK(mount.close(*h));
  EXPECT_EQ(mount.memory.keys(), std::vector<std::string>{"g"});
}

TEST_F(MeanwhileTest, OpenedForWritingDuringAChmod) {
  // A copy gives an object that was uploaded in parts another ETag.
  ASSERT_OK(mount.create_file(kRoot, "big", pattern(500'000)));
  mount.window_ends();
  ASSERT_OK(mount.lookup("big"));
  const InodeId id = mount.id("big");
  std::optional<HandleId> h;
  mount.store.before_each([&](const test::FaultyStore::Call& c) {
    if (c.operation == "CopyObject" && !h) {
      const auto opened = mount.open("big", O_WRONLY);
      ASSERT_OK(opened);
      h = *opened;
    }
  });
  EXPECT_OK(mount.fs().setattr(id, {}, {.mode = 0600}, mount.caller()));
  ASSERT_TRUE(h);
  ASSERT_OK(mount.write(*h, 0, "changed"));
  EXPECT_OK(mount.close(*h));
  EXPECT_EQ(mount.memory.text("big")->substr(0, 7), "changed");
  EXPECT_EQ(mount.memory.info("big")->user_metadata.at("file-permissions"), "0100600");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(MeanwhileTest, ReadDuringAChmod) {
  const std::string text = pattern(500'000);
  ASSERT_OK(mount.create_file(kRoot, "big", text));
  mount.restart();
  mount.clock.advance(1h);
  const auto h = mount.open("big", O_RDONLY);
  ASSERT_OK(h);
  const InodeId id = mount.id("big");
  std::jthread reader;
  once_after("CopyObject", [&] { reader = std::jthread([&] { EXPECT_OK(mount.read(*h, 300'000, 1000)); }); });
  EXPECT_OK(mount.fs().setattr(id, {}, {.mode = 0600}, mount.caller()));
  reader.join();
  EXPECT_OK(mount.read(*h, 100'000, 1000));
}

TEST_F(MeanwhileTest, AStaleFileThatIsRewrittenIsReadAgain) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("f", text);
  const auto h = mount.open("f", O_RDWR);
  ASSERT_OK(h);
  mount.memory.put_text("f", pattern(500'000, 2));
  EXPECT_ERRC(mount.read(*h, 300'000, 10), Errc::stale);
  ASSERT_OK(truncate(mount.nodes().find(kRoot, "f")->value().id, *h, 0));
  ASSERT_OK(mount.write(*h, 0, "new"));
  ASSERT_OK(mount.fs().fsync(*h, mount.caller()));
  EXPECT_EQ(mount.read(*h).value_or("?"), "new");
}

TEST_F(MeanwhileTest, WrittenByAnotherHostDuringARename) {
  mount.memory.put_text("a", "one");
  ASSERT_OK(mount.lookup("a"));
  once_after("CopyObject", [&] { mount.memory.put_text("a", "written by another host"); });
  (void)mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller());
  const auto a = mount.memory.text("a");
  const auto b = mount.memory.text("b");
  EXPECT_TRUE(a.value_or("") == "written by another host" || b.value_or("") == "written by another host");
}

TEST_F(MeanwhileTest, TheFinalNameSaysTheContentType) {
  ASSERT_OK(mount.create_file(kRoot, ".photo.jpg.Xa12", "JFIF"));
  ASSERT_OK(mount.fs().rename(kRoot, ".photo.jpg.Xa12", kRoot, "photo.jpg", 0, mount.caller()));
  EXPECT_EQ(mount.memory.info("photo.jpg")->content_type, "image/jpeg");
}

TEST_F(MeanwhileTest, UnlinkedDuringAnOpen) {
  mount.memory.put_text("f", "one");
  ASSERT_OK(mount.names(kRoot));
  const InodeId id = mount.nodes().find(kRoot, "f")->value().id;
  std::promise<void> unlinked;
  once_after("GetObject", [&] {
    mount.clock.advance(1ms);
    EXPECT_OK(mount.fs().unlink(kRoot, "f", mount.caller()));
    unlinked.set_value();
  });
  (void)mount.fs().open(id, O_RDONLY, mount.caller());
  unlinked.get_future().wait();  // the fetch that it follows is another thread's
  EXPECT_ERRC(mount.lookup("f"), Errc::not_found);
}

TEST_F(MeanwhileTest, RemovedDuringALookupOfTheDirectory) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  mount.window_ends();
  once_after("ListObjectsV2", [&] {
    mount.clock.advance(1ms);
    EXPECT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
  });
  (void)mount.lookup("d");
  EXPECT_ERRC(mount.lookup("d"), Errc::not_found);
}

}  // namespace
}  // namespace prefixfs::vfs

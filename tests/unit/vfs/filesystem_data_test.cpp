// read and write: which bytes, of which version.

#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DataTest : public VfsTest {
 protected:
  DataTest() { mount.memory.set_part_bytes_min(16 << 10); }
  Mount mount{small_parts()};
};

TEST_F(DataTest, LargeFileIsReadWholeAndAtRandom) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("big", text);
  EXPECT_TRUE(mount.read_file("big").value_or("") == text);
  mount.restart();
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  std::mt19937 engine(7);
  for (int i = 0; i < 200; ++i) {
    const std::size_t at = engine() % text.size();
    const std::size_t size = engine() % 20'000;
    const auto piece = mount.read(*handle, at, size);
    ASSERT_OK(piece);
    EXPECT_TRUE(*piece == text.substr(at, size));
  }
  EXPECT_EQ(mount.read(*handle, text.size()).value_or("?"), "");
  EXPECT_EQ(mount.read(*handle, text.size() + 100).value_or("?"), "");
  EXPECT_OK(mount.close(*handle));
}

TEST_F(DataTest, LargeFileIsWrittenInOrderAsAMultipartUpload) {
  const std::string text = pattern(500'000);
  const auto handle = mount.create(kRoot, "big");
  ASSERT_OK(handle);
  for (std::size_t at = 0; at < text.size(); at += 10'000) {
    ASSERT_OK(mount.write(*handle, at, std::string_view(text).substr(at, 10'000)));
  }
  EXPECT_OK(mount.close(*handle));
  EXPECT_TRUE(mount.memory.text("big") == text);
  EXPECT_EQ(mount.memory.open_uploads(), 0u);
  EXPECT_EQ(mount.store.count("PutObject"), 0);
  EXPECT_EQ(mount.store.count("CompleteMultipartUpload"), 1);
  EXPECT_TRUE(mount.read_file("big").value_or("") == text);
}

TEST_F(DataTest, LargeFileMayBeWrittenInAnyOrder) {
  const std::string text = pattern(300'000);
  const auto handle = mount.create(kRoot, "big");
  ASSERT_OK(handle);
  for (std::size_t at = 290'000; at < text.size(); at -= 10'000) {
    ASSERT_OK(mount.write(*handle, at, std::string_view(text).substr(at, 10'000)));
  }
  ASSERT_OK(mount.write(*handle, 5, "again"));
  EXPECT_OK(mount.close(*handle));
  std::string expected = text;
  expected.replace(5, 5, "again");
  EXPECT_TRUE(mount.memory.text("big") == expected);
  EXPECT_EQ(mount.memory.open_uploads(), 0u);
}

TEST_F(DataTest, ChangeInTheMiddleOfALargeFileSendsLittleAndReadsNothing) {
  std::string text = pattern(1'000'000);
  mount.memory.put_text("big", text);
  ASSERT_OK(mount.lookup("big"));
  mount.requests();
  ASSERT_OK(mount.change_file("big", O_WRONLY, 500'000, "changed"));
  text.replace(500'000, 7, "changed");
  EXPECT_TRUE(mount.memory.text("big") == text);
  const auto requests = mount.requests();
  EXPECT_LE(std::ranges::count(requests, "UploadPart big"), 2);
  EXPECT_TRUE(mount.read_file("big").value_or("") == text);
}

TEST_F(DataTest, AppendToALargeFile) {
  const std::string text = pattern(1'000'000);
  mount.memory.put_text("big", text);
  ASSERT_OK(mount.change_file("big", O_WRONLY | O_APPEND, 0, "the end"));
  EXPECT_TRUE(mount.memory.text("big") == text + "the end");
}

TEST_F(DataTest, AppendIgnoresTheOffset) {
  ASSERT_OK(mount.create_file(kRoot, "log", "one\n"));
  ASSERT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "two\n"));
  ASSERT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 1, "three\n"));
  EXPECT_EQ(mount.memory.text("log"), "one\ntwo\nthree\n");
}

TEST_F(DataTest, GapsReadAsZeros) {
  const auto handle = mount.create(kRoot, "sparse", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 5, "x"));
  EXPECT_EQ(mount.read(*handle).value_or(""), std::string("\0\0\0\0\0x", 6));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("sparse"), std::string("\0\0\0\0\0x", 6));
}

TEST_F(DataTest, ReadersSeeTheirVersionWhileItIsOverwrittenElsewhere) {
  mount.memory.put_text("a", "first version");
  const auto old = mount.open("a", O_RDONLY);
  ASSERT_OK(old);
  const InodeId before = mount.id("a");
  mount.memory.put_text("a", "the second version");
  mount.window_ends();
  const auto now = mount.lookup("a");
  ASSERT_OK(now);
  EXPECT_NE(now->attributes.id, before) << "pages of two versions never meet in one inode";
  EXPECT_EQ(now->attributes.size, 18u);
  EXPECT_EQ(mount.read_file("a").value_or(""), "the second version");
  EXPECT_EQ(mount.read(*old).value_or(""), "first version");
  EXPECT_EQ(mount.fs().getattr(before, mount.caller())->attributes.size, 13u);
  EXPECT_OK(mount.close(*old));
  EXPECT_ERRC(mount.fs().getattr(before, mount.caller()), Errc::stale);
  EXPECT_ERRC(mount.fs().open(before, O_RDONLY, mount.caller()), Errc::stale);
}

TEST_F(DataTest, VersionThatIsGoneIsStaleNeverAMixture) {
  const std::string first = pattern(500'000, 1);
  const std::string second = pattern(500'000, 2);
  mount.memory.put_text("big", first);
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_EQ(mount.read(*handle, 0, 100).value_or(""), first.substr(0, 100));
  mount.memory.put_text("big", second);
  EXPECT_ERRC(mount.read(*handle, 400'000, 100), Errc::stale);
  EXPECT_ERRC(mount.read(*handle, 0, 100), Errc::stale) << "from then on";
  EXPECT_TRUE(mount.read_file("big").value_or("") == second) << "the next open finds the new version at once";
  EXPECT_OK(mount.close(*handle));
}

TEST_F(DataTest, VersionThatIsGoneIsAskedForOnce) {
  mount.memory.put_text("big", pattern(500'000));
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  mount.memory.erase("big");
  mount.requests();
  EXPECT_ERRC(mount.read(*handle, 400'000, 100), Errc::stale);
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject big"));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(DataTest, StaleOpenIsAskedAgainByTheNextLookup) {
  mount.memory.put_text("a", "first");
  ASSERT_OK(mount.names(kRoot));  // known, and no byte of it here
  mount.memory.put_text("a", "second");
  EXPECT_ERRC(mount.open_once("a", O_RDONLY), Errc::stale);
  EXPECT_EQ(mount.read_file("a").value_or(""), "second") << "what the kernel does after ESTALE";
}

TEST_F(DataTest, KernelKeepsPagesOnlyOfTheVersionItHasThemOf) {
  mount.memory.put_text("a", "first");
  const InodeId inode = mount.id("a");
  const auto open = [&] {
    const auto opened = mount.fs().open(mount.id("a"), O_RDONLY, mount.caller());
    EXPECT_OK(opened);
    mount.fs().release(opened->handle);
    return opened->keep_cache;
  };
  EXPECT_FALSE(open());
  EXPECT_TRUE(open());
  mount.window_ends();
  EXPECT_TRUE(open()) << "S3 has confirmed the version";
  mount.memory.put_text("a", "other");
  mount.window_ends();
  EXPECT_EQ(mount.id("a"), inode) << "nobody had it open";
  EXPECT_FALSE(open()) << "the kernel's pages are those of the first version";
  EXPECT_TRUE(open());
}

TEST_F(DataTest, PagesOfAWriteThatFailedAreDropped) {
  ASSERT_OK(mount.create_file(kRoot, "a", "old"));
  mount.store.add({.operation = "PutObject", .count = 1});
  EXPECT_FALSE(mount.change_file("a", O_WRONLY, 0, "new"));
  const auto opened = mount.fs().open(mount.id("a"), O_RDONLY, mount.caller());
  ASSERT_OK(opened);
  EXPECT_FALSE(opened->keep_cache);
  EXPECT_EQ(mount.read(opened->handle).value_or(""), "old");
  EXPECT_OK(mount.close(opened->handle));
}

TEST_F(DataTest, FailedGetIsToldAndTheNextReadTriesAgain) {
  const std::string text = pattern(500'000);
  mount.memory.put_text("big", text);
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  mount.store.add({.operation = "GetObject", .count = 1});
  EXPECT_ERRC(mount.read(*handle, 400'000, 100), Errc::unavailable);
  EXPECT_EQ(mount.read(*handle, 400'000, 100).value_or(""), text.substr(400'000, 100));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(DataTest, InterruptedReadIsCancelled) {
  mount.memory.put_text("big", pattern(500'000));
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  std::stop_source stop;
  const auto asked = std::make_shared<std::promise<void>>();
  std::promise<void> go_on;
  // The fetch outlives the read, so its hook owns what it uses.
  mount.store.before_each([asked, wait = go_on.get_future().share(), once = std::make_shared<std::once_flag>()](const auto&) {
    std::call_once(*once, [&] { asked->set_value(); });
    wait.wait();
  });
  std::jthread reader([&] {
    Caller caller = mount.caller();
    caller.context.cancel = stop.get_token();
    std::string buffer(100, '\0');
    EXPECT_ERRC(mount.fs().read(*handle, 400'000, std::as_writable_bytes(std::span(buffer.data(), 100)), caller), Errc::cancelled);
  });
  asked->get_future().wait();
  stop.request_stop();
  reader.join();
  go_on.set_value();
  mount.store.before_each({});
  EXPECT_OK(mount.close(*handle));
}

TEST_F(DataTest, CacheOfContentsStaysWithinItsLimit) {
  MountSettings given = small_parts();
  given.settings.cache_bytes_max = 256 << 10;
  Mount bounded(given);
  for (unsigned i = 0; i < 20; ++i) {
    bounded.memory.put_text(fmt::format("f{}", i), pattern(100'000, i));
  }
  for (unsigned i = 0; i < 20; ++i) {
    ASSERT_TRUE(bounded.read_file(fmt::format("f{}", i)).value_or("") == pattern(100'000, i));
    EXPECT_LE(bounded.stage().budget().used(), 512u << 10);
  }
}

TEST_F(DataTest, FileLargerThanTheCacheIsReadCorrectly) {
  MountSettings given = small_parts();
  given.settings.cache_bytes_max = 256 << 10;
  Mount bounded(given);
  const std::string text = pattern(2 << 20);
  bounded.memory.put_text("big", text);
  const auto handle = bounded.open("big", O_RDONLY);
  ASSERT_OK(handle);
  for (std::size_t at = 0; at < text.size(); at += 32 << 10) {
    ASSERT_TRUE(bounded.read(*handle, at, 32 << 10).value_or("") == text.substr(at, 32 << 10)) << at;
    EXPECT_LE(bounded.stage().budget().used(), 1u << 20);
  }
  EXPECT_EQ(bounded.read(*handle, 0, 1000).value_or(""), text.substr(0, 1000));
  EXPECT_OK(bounded.close(*handle));
}

TEST_F(DataTest, StagedFilesGoWithTheLastHandle) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_EQ(mount.staged_files(), 0u);
}

}  // namespace
}  // namespace prefixfs::vfs

// The price list: which requests each thing that programs do costs, exactly.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RequestsTest : public VfsTest {
 protected:
  std::uint32_t count(const std::vector<std::string>& requests, std::string_view operation) {
    const auto matches = [&](const std::string& line) { return line.starts_with(operation); };
    return static_cast<std::uint32_t>(std::ranges::count_if(requests, matches));
  }
};

TEST_F(RequestsTest, NewFileInAKnownDirectoryIsOnePut) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  EXPECT_ERRC(mount.lookup("a.pdf"), Errc::not_found);
  ASSERT_OK(mount.create_file(kRoot, "a.pdf", "hello"));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject a.pdf"));
  EXPECT_EQ(mount.memory.text("a.pdf"), "hello");
}

TEST_F(RequestsTest, NewFileInADirectoryNeverSeenCostsOneListMoreForEachDirectory) {
  Mount mount;
  mount.memory.put_text("uploads/old", "x");
  const InodeId uploads = mount.id("uploads");
  EXPECT_ERRC(mount.lookup("uploads/a.pdf"), Errc::not_found);
  ASSERT_OK(mount.create_file(uploads, "a.pdf", "hello"));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 ", "ListObjectsV2 uploads/", "PutObject uploads/a.pdf"));
}

TEST_F(RequestsTest, TwoHundredNewFilesAreTwoHundredPutsAndAtMostTwoMore) {
  Mount mount;
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  const InodeId directory = mount.id("d");
  mount.requests();
  for (int i = 0; i < 200; ++i) {
    const std::string name = fmt::format("f{}", i);
    EXPECT_ERRC(mount.lookup("d/" + name), Errc::not_found);
    ASSERT_OK(mount.create_file(directory, name, "x"));
  }
  const auto requests = mount.requests();
  EXPECT_EQ(count(requests, "PutObject"), 200u);
  EXPECT_LE(requests.size(), 202u);
}

TEST_F(RequestsTest, ADirectoryThatFilesAreStoredIntoIsAskedForEveryTenWindows) {
  Mount mount;
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  const InodeId directory = mount.id("d");
  mount.requests();
  for (int i = 0; i < 199; ++i) {
    EXPECT_OK(mount.lookup("d"));
    ASSERT_OK(mount.create_file(directory, fmt::format("f{}", i), "x"));
    mount.clock.advance(100ms);
  }
  EXPECT_EQ(count(mount.requests(), "ListObjectsV2"), 1u) << "20 s";
  mount.window_ends();
  EXPECT_OK(mount.lookup("d"));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/")) << "nothing was stored for a window";
}

TEST_F(RequestsTest, NamesThatAreLookedAtInOrderLongAfterTheyWereListedAreConfirmedByThePage) {
  constexpr int kNames = 5000;
  Mount mount;
  for (int i = 0; i < kNames; ++i) {
    mount.memory.put_text(fmt::format("big/{:05}", i), "x");
  }
  const InodeId big = mount.id("big");
  ASSERT_OK(mount.names(big, 1000));
  mount.clock.advance(30s);
  mount.memory.put_text("big/03000", "more");
  mount.memory.erase("big/03001");
  mount.requests();
  for (int i = 0; i < kNames; ++i) {
    const auto seen = mount.fs().lookup(big, fmt::format("{:05}", i), mount.caller());
    ASSERT_EQ(seen.has_value(), i != 3001) << i;
    EXPECT_TRUE(!seen || seen->attributes.size == (i == 3000 ? 4u : 1u)) << i;
    mount.clock.advance(300us);
  }
  const auto requests = mount.requests();
  EXPECT_LE(requests.size(), 10u) << "two alone, a name that is gone, and pages";
}

TEST_F(RequestsTest, NewFileInALargeDirectoryIsOnePutAndOneQuestion) {
  Mount mount;
  for (int i = 0; i < 5000; ++i) {
    mount.memory.put_text(fmt::format("big/{:05}", i), "x");
  }
  const InodeId big = mount.id("big");
  EXPECT_ERRC(mount.lookup("big/first"), Errc::not_found);  // learns that it is large
  mount.window_ends();
  mount.id("big");
  mount.requests();
  EXPECT_ERRC(mount.fs().lookup(big, "new.pdf", mount.caller()), Errc::not_found);
  ASSERT_OK(mount.create_file(big, "new.pdf", "x"));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 big/new.pdf", "PutObject big/new.pdf"));
}

TEST_F(RequestsTest, LargeDirectoryThatWasListedOnceIsAskedForTheNameAlone) {
  Mount mount;
  for (int i = 0; i < 4500; ++i) {
    mount.memory.put_text(fmt::format("big/{:05}", i), "x");
  }
  const InodeId big = mount.id("big");
  ASSERT_OK(mount.names(big, 1000));
  mount.window_ends();
  mount.requests();
  EXPECT_ERRC(mount.fs().lookup(big, "new.pdf", mount.caller()), Errc::not_found);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 big/new.pdf"));
}

TEST_F(RequestsTest, StatOfAnotherClientsFileIsOneRequest) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.memory.put_text("listed", "hello");
  mount.window_ends();
  ASSERT_OK(mount.names(kRoot));
  mount.memory.put_text("listed", "hello!");
  mount.clock.advance(1h);
  mount.requests();
  const auto entry = mount.lookup("listed");
  ASSERT_OK(entry);
  EXPECT_EQ(entry->attributes.size, 6u);
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject listed"));
}

TEST_F(RequestsTest, OpenReadCloseOfAnUnknownSmallFileIsOneGetOncePredicted) {
  Mount mount;
  mount.memory.put_text("d/a.txt", "hello");
  const InodeId directory = mount.id("d");
  mount.memory.put_text("d/a2.txt", "hello");
  mount.window_ends();
  ASSERT_OK(mount.fs().lookup(directory, "a2.txt", mount.caller()));  // unknown names here are other clients' files
  mount.memory.put_text("d/b.txt", "world");
  mount.window_ends();
  mount.requests();
  const auto entry = mount.fs().lookup(directory, "b.txt", mount.caller());
  ASSERT_OK(entry);
  const auto opened = mount.fs().open(entry->attributes.id, O_RDONLY, mount.caller());
  ASSERT_OK(opened);
  EXPECT_EQ(mount.read(opened->handle).value_or(""), "world");
  EXPECT_OK(mount.close(opened->handle));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject d/b.txt"));
}

TEST_F(RequestsTest, KnownFileReadAfterTheWindowIsOneGet) {
  Mount mount;
  mount.memory.put_text("a.txt", "hello");
  ASSERT_OK(mount.names(kRoot));
  mount.window_ends();
  mount.requests();
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject a.txt"));
}

TEST_F(RequestsTest, UnchangedFileAgainIsNothingWithinTheWindowAndOneConditionalGetAfterwards) {
  Mount mount;
  mount.memory.put_text("a.txt", "hello");
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  mount.requests();
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  EXPECT_THAT(mount.requests(), IsEmpty());
  mount.window_ends();
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject a.txt"));
}

TEST_F(RequestsTest, ImmutableFilesAreNeverAskedForAgain) {
  MountSettings given;
  given.settings.immutable = true;
  Mount mount(given);
  mount.memory.put_text("a.txt", "hello");
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  mount.clock.advance(1h);
  mount.requests();
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  EXPECT_THAT(mount.requests(), IsEmpty());
}

TEST_F(RequestsTest, MissingNameIsAskedForOnceInTheWindow) {
  Mount mount;
  EXPECT_ERRC(mount.lookup("nothing"), Errc::not_found);
  EXPECT_LE(mount.requests().size(), 1u);
  EXPECT_ERRC(mount.lookup("nothing"), Errc::not_found);
  EXPECT_THAT(mount.requests(), IsEmpty());
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("nothing"), Errc::not_found);
  EXPECT_EQ(mount.requests().size(), 1u);
}

TEST_F(RequestsTest, ListingWithAttributesIsOneListForEachThousand) {
  Mount mount;
  for (int i = 0; i < 2500; ++i) {
    mount.memory.put_text(fmt::format("d/{:04}", i), "12345");
  }
  const InodeId directory = mount.id("d");
  mount.requests();
  const auto names = mount.names(directory);
  ASSERT_OK(names);
  EXPECT_EQ(names->size(), 2500u);
  for (const std::string& name : *names) {
    ASSERT_OK(mount.fs().lookup(directory, name, mount.caller()));
  }
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/", "ListObjectsV2 d/", "ListObjectsV2 d/"));
}

TEST_F(RequestsTest, SequentialReadOfALargeFileIsOneGetForEachPart) {
  MountSettings given;
  given.settings.read_part_bytes = 2 << 20;
  Mount mount(given);
  const std::string text(8 << 20, 'x');
  mount.memory.put_text("big", text);
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  std::string got;
  while (got.size() < text.size()) {
    const auto piece = mount.read(*handle, got.size(), 128 << 10);
    ASSERT_OK(piece);
    ASSERT_FALSE(piece->empty());
    got += *piece;
  }
  EXPECT_TRUE(got == text);
  EXPECT_OK(mount.close(*handle));
  const auto requests = mount.requests();
  EXPECT_LE(count(requests, "GetObject"), 4u + 1u);  // parts, and the first block
}

TEST_F(RequestsTest, RenameIsOneCopyAndOneDelete) {
  Mount mount;
  mount.memory.put_text("a", "hello");
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  ASSERT_OK(mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("CopyObject b", "DeleteObject a"));
}

TEST_F(RequestsTest, ChmodOfAFileWrittenHereIsOneCopy) {
  Mount mount;
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  mount.requests();
  ASSERT_OK(mount.fs().setattr(mount.id("a"), std::nullopt, {.mode = 0600}, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("a"), std::nullopt, {.mode = 0640}, mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("CopyObject a", "CopyObject a"));
  EXPECT_EQ(mount.read_file("a").value_or(""), "hello");
  EXPECT_THAT(mount.requests(), IsEmpty());
}

TEST_F(RequestsTest, UnlinkMkdirRmdirAreOneOrTwo) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject d/"));
  ASSERT_OK(mount.create_file(mount.id("d"), "f", "x"));
  mount.requests();
  ASSERT_OK(mount.fs().unlink(mount.id("d"), "f", mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("DeleteObject d/f"));
  ASSERT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 d/", "DeleteObject d/"));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(RequestsTest, OverwriteKeepingHeadersAsksForThemOnce) {
  Mount mount;
  mount.memory.put_text("a", "hello");
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "world!"));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject a", "PutObject a"));
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "again"));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject a"));
}

}  // namespace
}  // namespace prefixfs::vfs

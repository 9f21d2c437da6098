// copy_file_range: one copy within S3, or nothing.

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kAll = 1 << 30;

/// As cp does it: opens both, copies, and closes; what cannot be copied within S3 by reading and writing, as the kernel does then.
class Copying {
 public:
  explicit Copying(Mount& mount) : mount_(mount) {}
  Result<bool> copy(HandleId from, HandleId to) {
    TRY_ASSIGN(const auto copied, mount_.fs().copy_range({from, 0}, {to, 0}, kAll, mount_.caller()));
    if (copied) {
      return true;
    }
    TRY_ASSIGN(const std::string text, mount_.read(from));
    TRY(mount_.write(to, 0, text));
    return false;
  }
  /// Whether it was done within S3.
  Result<bool> copy(std::string_view from, std::string_view to, int flags = O_WRONLY | O_EXCL) {
    TRY_ASSIGN(const HandleId source, mount_.open(from, O_RDONLY));
    auto target = (flags & O_TRUNC) != 0 ? mount_.open(to, flags) : mount_.create(meta::kRootInode, to, flags);
    if (!target) {
      return fail(target.error());
    }
    auto within = copy(source, *target);
    const auto closed = mount_.close(*target);
    TRY(mount_.close(source));
    return closed ? within : fail(closed.error());
  }

 private:
  Mount& mount_;
};

class CopyTest : public VfsTest {
 protected:
  static MountSettings large() {
    MountSettings given;
    given.settings.max_file_bytes = 100 << 10;
    return given;
  }
  Mount mount{large()};
  Copying cp{mount};
};

TEST_F(CopyTest, AStoredFileIsCopiedWithinS3) {
  s3::ObjectHeaders headers;
  headers.content_type = "text/plain";
  headers.user_metadata = {{"file-permissions", "0600"}, {"theirs", "x"}};
  mount.memory.put_text("a.txt", "content", headers);
  ASSERT_OK(mount.lookup("a.txt"));
  mount.requests();
  const auto within = cp.copy("a.txt", "b.jpg");
  ASSERT_OK(within);
  EXPECT_TRUE(*within);
  const auto requests = mount.requests();
  EXPECT_THAT(requests, Contains("CopyObject b.jpg"));
  EXPECT_EQ(std::ranges::count_if(requests, [](const std::string& line) { return line.ends_with("b.jpg"); }), 1) << "and nothing else of it";
  EXPECT_EQ(mount.memory.text("b.jpg"), "content");
  const auto info = mount.memory.info("b.jpg");
  EXPECT_EQ(info->content_type, "image/jpeg") << "by its own name";
  EXPECT_FALSE(info->user_metadata.contains("theirs"));
  EXPECT_EQ(mount.lookup("b.jpg")->attributes.posix.mode, 0644u) << "as the new file was made";
  EXPECT_EQ(mount.lookup("b.jpg")->attributes.size, 7u);
  EXPECT_EQ(mount.read_file("b.jpg").value_or("?"), "content");
}

TEST_F(CopyTest, TagsOfTheSourceStayWithIt) {
  s3::ObjectHeaders headers;
  headers.tagging = "project=x";
  mount.memory.put_text("a", "content", headers);
  ASSERT_OK(cp.copy("a", "b"));
  EXPECT_EQ(mount.memory.tagging(Key("a"), {}).value_or("?"), "project=x");
  EXPECT_EQ(mount.memory.tagging(Key("b"), {}).value_or("?"), "");
}

TEST_F(CopyTest, AFileThatIsOverwrittenKeepsItsOwnHeaders) {
  s3::ObjectHeaders headers;
  headers.user_metadata = {{"own", "kept"}};
  mount.memory.put_text("a", "content");
  mount.memory.put_text("b", "before", headers);
  const auto within = cp.copy("a", "b", O_WRONLY | O_TRUNC);
  ASSERT_OK(within);
  EXPECT_TRUE(*within);
  EXPECT_EQ(mount.memory.text("b"), "content");
  EXPECT_EQ(mount.memory.info("b")->user_metadata.at("own"), "kept");
  EXPECT_EQ(mount.store.count("PutObject"), 0);
}

TEST_F(CopyTest, WhatIsWrittenAfterwardsGoesOnFromTheCopy) {
  mount.memory.put_text("a", "content");
  const auto source = mount.open("a", O_RDONLY);
  const auto target = mount.create(kRoot, "b", O_RDWR);
  ASSERT_OK(source);
  ASSERT_OK(target);
  ASSERT_OK(cp.copy(*source, *target));
  EXPECT_EQ(mount.read(*target).value_or("?"), "content");
  ASSERT_OK(mount.write(*target, 3, "XY"));
  EXPECT_OK(mount.close(*target));
  EXPECT_EQ(mount.memory.text("b"), "conXYnt");
  EXPECT_EQ(mount.memory.text("a"), "content");
}

TEST_F(CopyTest, WhatIsNotTheWholeIsNotCopied) {
  mount.memory.put_text("a", "content");
  const auto source = mount.open("a", O_RDONLY);
  const auto target = mount.create(kRoot, "b", O_RDWR);
  ASSERT_OK(source);
  ASSERT_OK(target);
  const auto copied = [&](std::uint64_t from, std::uint64_t to, std::uint64_t length) {
    const auto result = mount.fs().copy_range({*source, from}, {*target, to}, length, mount.caller());
    EXPECT_OK(result);
    return result && result->has_value();
  };
  EXPECT_FALSE(copied(1, 0, kAll));
  EXPECT_FALSE(copied(0, 1, kAll));
  EXPECT_FALSE(copied(0, 0, 6));
  ASSERT_OK(mount.write(*target, 0, "x"));
  EXPECT_FALSE(copied(0, 0, kAll)) << "something is there already";
  EXPECT_EQ(mount.store.count("CopyObject"), 0);
  EXPECT_OK(mount.close(*target));
  EXPECT_EQ(mount.memory.text("b"), "x");
}

TEST_F(CopyTest, WhatS3DoesNotHaveIsCopiedHere) {
  const auto source = mount.create(kRoot, "a", O_RDWR);
  ASSERT_OK(source);
  ASSERT_OK(mount.write(*source, 0, "not stored"));
  const auto target = mount.create(kRoot, "b", O_RDWR);
  ASSERT_OK(target);
  EXPECT_FALSE(cp.copy(*source, *target).value_or(true));
  EXPECT_OK(mount.close(*target));
  EXPECT_EQ(mount.memory.text("b"), "not stored");
  EXPECT_OK(mount.close(*source));
}

TEST_F(CopyTest, ALargerFileThanAllowedIsRefusedAsAWriteIs) {
  mount.memory.put_text("a", pattern(101 << 10));
  EXPECT_ERRC(cp.copy("a", "b"), Errc::too_large);
  EXPECT_FALSE(mount.memory.text("b"));
}

TEST_F(CopyTest, ASourceThatHasChangedIsNotCopied) {
  mount.memory.put_text("a", pattern(90 << 10, 1));
  const auto source = mount.open("a", O_RDONLY);
  const auto target = mount.create(kRoot, "b", O_WRONLY);
  ASSERT_OK(source);
  ASSERT_OK(target);
  mount.memory.put_text("a", pattern(90 << 10, 2));
  EXPECT_FALSE(mount.fs().copy_range({*source, 0}, {*target, 0}, kAll, mount.caller())->has_value());
  EXPECT_FALSE(mount.memory.text("b"));
  EXPECT_OK(mount.close(*target));
}

TEST_F(CopyTest, AnotherClientsNewFileIsNotReplaced) {
  mount.memory.put_text("a", "content");
  const auto source = mount.open("a", O_RDONLY);
  const auto target = mount.create(kRoot, "b", O_WRONLY | O_EXCL);
  ASSERT_OK(source);
  ASSERT_OK(target);
  mount.memory.put_text("b", "another client's");
  EXPECT_FALSE(cp.copy(*source, *target).value_or(true));
  EXPECT_ERRC(mount.close(*target), Errc::stale);
  EXPECT_EQ(mount.memory.text("b"), "another client's");
}

TEST_F(CopyTest, WhereACopyCannotBeExclusiveTheBytesAreSent) {
  mount.memory.put_text("a", "content");
  auto capabilities = mount.memory.capabilities();
  capabilities.conditional_copy = s3::Support::no;
  mount.memory.set_capabilities(capabilities);
  EXPECT_FALSE(cp.copy("a", "b").value_or(true));
  EXPECT_TRUE(cp.copy("a", "c", O_WRONLY).value_or(false)) << "nobody asked for that";
  EXPECT_EQ(mount.memory.text("b"), "content");
  EXPECT_EQ(mount.memory.text("c"), "content");
}

TEST_F(CopyTest, ACopyWhoseAnswerIsLostIsFoundAgain) {
  mount.memory.put_text("a", "content");
  mount.store.add({.operation = "CopyObject", .after_the_work = true});
  const auto source = mount.open("a", O_RDONLY);
  const auto target = mount.create(kRoot, "b", O_WRONLY | O_EXCL);
  ASSERT_OK(source);
  ASSERT_OK(target);
  EXPECT_FALSE(mount.fs().copy_range({*source, 0}, {*target, 0}, kAll, mount.caller())->has_value());
  EXPECT_TRUE(cp.copy(*source, *target).value_or(false)) << "as the kernel asks again after a death";
  EXPECT_OK(mount.close(*target));
  EXPECT_EQ(mount.memory.text("b"), "content");
  EXPECT_EQ(mount.store.count("PutObject"), 0);
}

TEST_F(CopyTest, BytesThatFollowALostAnswerFindTheirOwnCopy) {
  mount.memory.put_text("a", "content");
  mount.store.add({.operation = "CopyObject", .count = -1, .after_the_work = true});
  EXPECT_FALSE(cp.copy("a", "b").value_or(true));
  EXPECT_EQ(mount.memory.text("b"), "content");
}

TEST_F(CopyTest, AfterADeathTheCopyIsThereOrStillToBeMade) {
  mount.memory.put_text("a", "content");
  for (const char* moment : {"before", "after"}) {
    const std::string name = std::string("b-") + moment;
    const auto source = mount.open("a", O_RDONLY);
    const auto target = mount.create(kRoot, name, O_WRONLY | O_EXCL);
    ASSERT_OK(source);
    ASSERT_OK(target);
    const InodeId from = mount.id("a");
    const InodeId to = mount.id(name);
    OpenState from_state = *mount.fs().open_state(from);
    OpenState to_state = *mount.fs().open_state(to);
    const auto hook = [&](const test::FaultyStore::Call& call) {
      if (call.operation == "CopyObject") {
        mount.remember_state();
      }
    };
    std::string(moment) == "before" ? mount.store.before_each(hook) : mount.store.after_each(hook);
    EXPECT_TRUE(cp.copy(*source, *target).value_or(false));
    mount.store.before_each({});
    mount.store.after_each({});
    mount.reopen = [&] {
      EXPECT_OK(mount.fs().reopen({.handle = *source, .inode = from, .flags = O_RDONLY, .state = from_state}));
      EXPECT_OK(mount.fs().reopen({.handle = *target, .inode = to, .flags = O_WRONLY, .state = to_state}));
    };
    mount.die_there();
    EXPECT_OK(cp.copy(*source, *target)) << "the kernel asks again";
    EXPECT_OK(mount.close(*target)) << moment;
    EXPECT_OK(mount.close(*source));
    EXPECT_EQ(mount.memory.text(name), "content") << moment;
    EXPECT_THAT(mount.kept(), IsEmpty());
    EXPECT_EQ(mount.store.count("PutObject"), 0) << moment;
  }
}

class OwedCopyTest : public WriteBackTest {
 protected:
  Copying cp{mount};
};

TEST_F(OwedCopyTest, ASourceThatIsOwedIsCopiedByItsBytes) {
  outage();
  ASSERT_OK(mount.create_file(kRoot, "a", "content"));
  EXPECT_FALSE(cp.copy("a", "b").value_or(true));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("b"), "content");
}

TEST_F(OwedCopyTest, ANameWhoseRemovalIsOwedIsWrittenBehindIt) {
  mount.memory.put_text("a", "content");
  mount.memory.put_text("b", "before");
  ASSERT_OK(mount.lookup("a"));
  ASSERT_OK(mount.lookup("b"));
  outage();
  ASSERT_OK(mount.fs().unlink(kRoot, "b", mount.caller()));
  answers();
  mount.clock.hold_naps(true);
  EXPECT_OK(cp.copy("a", "b"));
  mount.clock.hold_naps(false);
  delivered();
  EXPECT_EQ(mount.memory.text("b"), "content");
}

TEST_F(OwedCopyTest, WhileS3DoesNotAnswerTheBytesAreCopiedAndOwed) {
  mount.memory.put_text("a", "content");
  ASSERT_OK(mount.read_file("a"));
  outage();
  EXPECT_FALSE(cp.copy("a", "b").value_or(true));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("b"), "content");
}

}  // namespace
}  // namespace prefixfs::vfs

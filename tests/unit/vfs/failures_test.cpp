// Every request of every operation fails once, with and without having done its work: what is in S3 afterwards is the old or the new,
// the caller was told, and trying again works.

#include <set>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

constexpr InodeId kRoot = meta::kRootInode;
constexpr int kRequestsMax = 40;

struct Case {
  std::string name;
  std::function<void(Mount&)> prepare;
  std::function<bool(Mount&)> operate;                 ///< true: success was reported
  std::function<void(Mount&, bool reported)> examine;  ///< what S3 may hold then
};

/// Prints the name of a failing case instead of its bytes.
void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

std::string large(char letter) { return std::string(300'000, letter); }

/// Old or new, as a whole; after a success only the new.
void expect_old_or_new(Mount& mount, const std::string& key, const std::optional<std::string>& old, const std::optional<std::string>& now,
                       bool reported) {
  const auto text = mount.memory.text(key);
  if (reported) {
    EXPECT_TRUE(text == now) << key << " was reported as stored";
  } else {
    EXPECT_TRUE(text == old || text == now) << key << " is neither the old nor the new";
  }
}

std::vector<Case> cases() {
  return {
      {"create", [](Mount&) {},
       [](Mount& mount) {
         static_cast<void>(mount.lookup("a"));  // as the kernel does
         return mount.create_file(kRoot, "a", "new").has_value();
       },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", std::nullopt, "new", reported); }},
      {"create_large", [](Mount&) {}, [](Mount& mount) { return mount.create_file(kRoot, "a", large('n')).has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", std::nullopt, large('n'), reported); }},
      {"overwrite", [](Mount& mount) { mount.memory.put_text("a", "old"); },
       [](Mount& mount) { return mount.change_file("a", O_WRONLY | O_TRUNC, 0, "new").has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", "old", "new", reported); }},
      {"overwrite_large", [](Mount& mount) { mount.memory.put_text("a", large('o')); },
       [](Mount& mount) { return mount.change_file("a", O_WRONLY | O_TRUNC, 0, large('n')).has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", large('o'), large('n'), reported); }},
      {"append", [](Mount& mount) { mount.memory.put_text("a", "old"); },
       [](Mount& mount) { return mount.change_file("a", O_WRONLY | O_APPEND, 0, "new").has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", "old", "oldnew", reported); }},
      {"append_large", [](Mount& mount) { mount.memory.put_text("a", large('o')); },
       [](Mount& mount) { return mount.change_file("a", O_WRONLY | O_APPEND, 0, "new").has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", large('o'), large('o') + "new", reported); }},
      {"truncate", [](Mount& mount) { mount.memory.put_text("a", "0123456789"); },
       [](Mount& mount) {
         const auto entry = mount.lookup("a");
         return entry && mount.fs().setattr(entry->attributes.id, std::nullopt, {.size = 4}, mount.caller());
       },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", "0123456789", "0123", reported); }},
      {"chmod", [](Mount& mount) { mount.memory.put_text("a", "old", {.user_metadata = {{"title", "t"}}}); },
       [](Mount& mount) {
         const auto entry = mount.lookup("a");
         return entry && mount.fs().setattr(entry->attributes.id, std::nullopt, {.mode = 0600}, mount.caller());
       },
       [](Mount& mount, bool reported) {
         expect_old_or_new(mount, "a", "old", "old", reported);
         const auto metadata = mount.memory.info("a")->user_metadata;
         EXPECT_EQ(metadata.at("title"), "t");
         EXPECT_TRUE(!reported || metadata.contains("file-permissions"));
       }},
      {"rename", [](Mount& mount) { mount.memory.put_text("a", "text"); },
       [](Mount& mount) { return mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()).has_value(); },
       [](Mount& mount, bool reported) {
         expect_old_or_new(mount, "a", "text", std::nullopt, reported);
         expect_old_or_new(mount, "b", std::nullopt, "text", reported);
         EXPECT_FALSE(mount.memory.keys().empty()) << "the file is lost";
       }},
      {"rename_over",
       [](Mount& mount) {
         mount.memory.put_text("a", "text");
         mount.memory.put_text("b", "other");
       },
       [](Mount& mount) { return mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()).has_value(); },
       [](Mount& mount, bool reported) {
         expect_old_or_new(mount, "a", "text", std::nullopt, reported);
         expect_old_or_new(mount, "b", "other", "text", reported);
         EXPECT_TRUE(mount.memory.text("a") || mount.memory.text("b") == "text") << "the file is lost";
       }},
      {"unlink", [](Mount& mount) { mount.memory.put_text("a", "text"); },
       [](Mount& mount) { return mount.fs().unlink(kRoot, "a", mount.caller()).has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "a", "text", std::nullopt, reported); }},
      {"mkdir", [](Mount&) {}, [](Mount& mount) { return mount.fs().mkdir(kRoot, "d", 0755, mount.caller()).has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "d/", std::nullopt, "", reported); }},
      {"rmdir", [](Mount& mount) { mount.memory.put_text("d/", ""); },
       [](Mount& mount) { return mount.fs().rmdir(kRoot, "d", mount.caller()).has_value(); },
       [](Mount& mount, bool reported) { expect_old_or_new(mount, "d/", "", std::nullopt, reported); }},
  };
}

class FailuresTest : public ::testing::TestWithParam<std::tuple<Case, bool>> {};

TEST_P(FailuresTest, OldOrNewAndTold) {
  const auto& [operation, after_the_work] = GetParam();
  bool untouched = false;
  for (int request = 0; request < kRequestsMax && !untouched; ++request) {
    SCOPED_TRACE(fmt::format("request {} fails{}", request + 1, after_the_work ? " after its work" : ""));
    Mount mount(small_parts());
    mount.memory.set_part_bytes_min(16 << 10);
    operation.prepare(mount);
    mount.store.add({.operation = "", .skip = request, .count = 1, .after_the_work = after_the_work});
    const bool reported = operation.operate(mount);
    untouched = mount.store.count() <= request;
    // Writing parts ahead, read-ahead and aborts may fail without anybody's harm; everything else is told.
    operation.examine(mount, reported);
    EXPECT_EQ(mount.memory.open_uploads() > 0 && mount.store.count("AbortMultipartUpload") == 0 && !after_the_work, false)
        << "an upload is left open, and nobody has tried to abort it";
    if (untouched) {
      EXPECT_TRUE(reported);
    }
    // The mount goes on: whatever it tells now is what S3 has.
    mount.store.clear_faults();
    mount.window_ends();
    for (const std::string& name : mount.names(kRoot).value_or(std::vector<std::string>{"?"})) {
      const auto entry = mount.lookup(name);
      ASSERT_OK(entry);
      if (entry->attributes.kind == NodeKind::file) {
        EXPECT_TRUE(mount.read_file(name).value_or("?") == mount.memory.text(name)) << name;
      }
    }
  }
  EXPECT_TRUE(untouched) << "more requests than expected";
}

INSTANTIATE_TEST_SUITE_P(All, FailuresTest, ::testing::Combine(::testing::ValuesIn(cases()), ::testing::Bool()), [](const auto& parameter) {
  return std::get<0>(parameter.param).name + (std::get<1>(parameter.param) ? "_answer_lost" : "_refused");
});

}  // namespace
}  // namespace prefixfs::vfs

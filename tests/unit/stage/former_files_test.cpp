#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "prefixfs/stage/staged_file.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

namespace fs = std::filesystem;
using Ranges = std::vector<ByteRange>;
using Names = std::vector<std::string>;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string read(const StagedFile& file, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  const auto n = file.read(offset, std::as_writable_bytes(std::span(text)));
  return n ? text.substr(0, *n) : describe(n.error());
}

std::string contents_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A process ends and the next begins: open() again.
class FormerFilesTest : public ::testing::Test {
 protected:
  void open(std::uint64_t bytes_max = 1 << 20) {
    stage_.reset();
    auto stage = StageDirectory::open(temp_.path(), bytes_max);
    ASSERT_TRUE(stage) << describe(stage.error());
    stage_ = std::move(*stage);
  }
  void SetUp() override { open(); }

  /// 10,000 bytes of which the first block is fetched, 5000 to 5004 and what is beyond 8000 are written.
  FileState leave_a_file() {
    const auto file = std::move(*stage_->create(8000));
    EXPECT_TRUE(file->fill(0, bytes(std::string(4096, 'o'))));
    EXPECT_TRUE(file->write(5000, bytes("mine")));
    EXPECT_TRUE(file->write(8000, bytes(std::string(2000, 'n'))));
    EXPECT_TRUE(file->sync());
    file->retain(true);
    return file->state();
  }
  /// As the next process does it.
  Result<std::shared_ptr<StagedFile>> adopt_anew(const FileState& state) {
    open();
    return stage_->adopt(state);
  }
  fs::path path_of(const std::string& name) const { return temp_.path() / "stage" / name; }

  test::TempDir temp_;
  std::unique_ptr<StageDirectory> stage_;
};

TEST_F(FormerFilesTest, state_is_what_a_record_must_hold) {
  const FileState state = leave_a_file();
  EXPECT_EQ(state.name, "0000000000000001");
  EXPECT_EQ(state.size, 10000U);
  EXPECT_EQ(state.base_size, 8000U);
  EXPECT_EQ(state.valid, (Ranges{{0, 4096}, {5000, 5004}, {8000, 10000}}));
  EXPECT_EQ(state.dirty, (Ranges{{5000, 5004}, {8000, 10000}}));
  EXPECT_EQ(state.change_count, 2U);
}

TEST_F(FormerFilesTest, only_a_retained_file_stays) {
  auto file = std::move(*stage_->create(0));
  const fs::path path = file->path();
  file->retain(true);
  file.reset();
  EXPECT_TRUE(fs::exists(path));
  EXPECT_EQ(stage_->budget().used(), 0U);
  file = std::move(*stage_->create(0));
  const fs::path second = file->path();
  file->retain(true);
  file->retain(false);
  file.reset();
  EXPECT_FALSE(fs::exists(second));
}

TEST_F(FormerFilesTest, an_adopted_file_is_as_it_was_left) {
  const FileState state = leave_a_file();
  const auto adopted = adopt_anew(state);
  ASSERT_TRUE(adopted) << describe(adopted.error());
  StagedFile& file = **adopted;
  EXPECT_EQ(file.path(), path_of(state.name));
  EXPECT_EQ(file.state().valid, state.valid);
  EXPECT_EQ(file.state().dirty, state.dirty);
  EXPECT_EQ(file.size(), 10000U);
  EXPECT_EQ(file.base_size(), 8000U);
  EXPECT_TRUE(file.changed());
  EXPECT_EQ(file.evict().error().code, Errc::busy);
  EXPECT_EQ(file.take_moment().touched, state.dirty) << "nothing of it was taken in this process";
  EXPECT_EQ(file.allocated_bytes(), 3U * 4096);
  EXPECT_EQ(stage_->budget().used(), 3U * 4096);
  EXPECT_EQ(read(file, 0, 4096), std::string(4096, 'o'));
  EXPECT_EQ(read(file, 5000, 4), "mine");
  EXPECT_EQ(read(file, 8000, 9000), std::string(2000, 'n'));
  EXPECT_EQ(file.missing({0, 10000}), (Ranges{{4096, 5000}, {5004, 8000}}));
  ASSERT_TRUE(file.fill(4096, bytes(std::string(4000, 'l'))));
  EXPECT_EQ(read(file, 4998, 8), "llminell");
  EXPECT_TRUE(file.mark_clean(file.change_count()));
}

TEST_F(FormerFilesTest, an_adopted_file_stays_until_it_is_released) {
  const FileState state = leave_a_file();
  auto file = std::move(*adopt_anew(state));
  file.reset();
  EXPECT_TRUE(fs::exists(path_of(state.name)));
  EXPECT_EQ(stage_->budget().used(), 0U);
  file = std::move(*adopt_anew(state));
  file->retain(false);
  file.reset();
  EXPECT_FALSE(fs::exists(path_of(state.name)));
}

TEST_F(FormerFilesTest, bytes_behind_the_end_were_not_acknowledged_and_go) {
  const FileState state = leave_a_file();
  std::ofstream(path_of(state.name), std::ios::app) << "more";
  const auto file = std::move(*adopt_anew(state));
  EXPECT_EQ(fs::file_size(file->path()), 10000U);
  ASSERT_TRUE(file->resize(10010));
  EXPECT_EQ(read(*file, 9999, 100), "n" + std::string(10, '\0'));
}

TEST_F(FormerFilesTest, a_file_that_is_shorter_than_its_record_is_corrupt_and_left) {
  const FileState state = leave_a_file();
  fs::resize_file(path_of(state.name), 9999);
  EXPECT_EQ(adopt_anew(state).error().code, Errc::corrupt);
  EXPECT_EQ(stage_->budget().used(), 0U);
  ASSERT_TRUE(stage_->remove_unclaimed(false));
  EXPECT_EQ(fs::file_size(path_of(state.name)), 9999U) << "a record names it: whoever has written it may want what is left";
}

TEST_F(FormerFilesTest, a_file_that_is_gone_is_not_found_and_its_name_is_not_given_again) {
  EXPECT_EQ(stage_->adopt({.name = "0000000000000009", .size = 0, .base_size = 0, .valid = {}, .dirty = {}}).error().code, Errc::not_found);
  EXPECT_EQ((*stage_->create(0))->path().filename(), "000000000000000a");
}

TEST_F(FormerFilesTest, only_names_of_staged_files_are_adopted) {
  std::ofstream(temp_.path() / "kept/precious") << "x";
  for (const char* name : {"", ".", "..", "../kept/precious", "/etc/passwd", "1", "000000000000001", "00000000000000001", "000000000000000A",
                           "000000000000000g", "+000000000000001", "0x00000000000001", "ffffffffffffffff"}) {
    EXPECT_EQ(stage_->adopt({.name = name, .size = 0, .base_size = 0, .valid = {}, .dirty = {}}).error().code, Errc::corrupt) << name;
  }
  EXPECT_EQ(contents_of(temp_.path() / "kept/precious"), "x");
}

TEST_F(FormerFilesTest, a_record_that_contradicts_itself_is_corrupt) {
  const FileState good = leave_a_file();
  const auto refused = [&](auto change) {
    FileState state = good;
    change(state);
    const auto adopted = adopt_anew(state);
    return !adopted && adopted.error().code == Errc::corrupt;
  };
  EXPECT_FALSE(refused([](FileState&) {}));
  EXPECT_TRUE(refused([](FileState& state) { state.base_size = state.size + 1; }));
  EXPECT_TRUE(refused([](FileState& state) { state.base_size = 7999; })) << "a byte beyond the base that is not dirty";
  EXPECT_TRUE(refused([](FileState& state) { state.valid.back().end = 10001; })) << "beyond the end";
  EXPECT_TRUE(refused([](FileState& state) { state.dirty.back().end = 10001; }));
  EXPECT_TRUE(refused([](FileState& state) { std::swap(state.valid[0], state.valid[1]); })) << "out of order";
  EXPECT_TRUE(refused([](FileState& state) { state.valid[0].end = 5001; })) << "overlapping";
  EXPECT_TRUE(refused([](FileState& state) { state.valid.insert(state.valid.begin(), {0, 0}); })) << "empty";
  EXPECT_TRUE(refused([](FileState& state) { state.dirty[0] = {4999, 5004}; })) << "dirty and not valid";
  EXPECT_TRUE(refused([](FileState& state) { state.dirty.pop_back(); })) << "beyond the base and clean";
  EXPECT_TRUE(refused([](FileState& state) { state.size = ~0ULL; }));
  EXPECT_EQ(contents_of(path_of(good.name)).size(), 10000U);
}

TEST_F(FormerFilesTest, two_records_do_not_share_a_file) {
  const FileState state = leave_a_file();
  const auto first = adopt_anew(state);
  ASSERT_TRUE(first);
  EXPECT_EQ(stage_->adopt(state).error().code, Errc::corrupt);
}

TEST_F(FormerFilesTest, what_is_no_regular_file_is_not_opened) {
  const auto adopt = [&](const std::string& name) {
    return stage_->adopt({.name = name, .size = 0, .base_size = 0, .valid = {}, .dirty = {}}).error().code;
  };
  std::ofstream(temp_.path() / "victim") << "victim";
  fs::create_symlink(temp_.path() / "victim", path_of("0000000000000001"));
  EXPECT_EQ(adopt("0000000000000001"), Errc::denied);
  EXPECT_EQ(contents_of(temp_.path() / "victim"), "victim");
  fs::create_directory(path_of("0000000000000002"));
  EXPECT_EQ(adopt("0000000000000002"), Errc::denied);
  ASSERT_EQ(::mkfifo(path_of("0000000000000003").c_str(), 0600), 0);
  EXPECT_EQ(adopt("0000000000000003"), Errc::denied);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path_of("0000000000000004").native().copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(adopt("0000000000000004"), Errc::denied);
  ::close(listener);
}

TEST_F(FormerFilesTest, what_was_acknowledged_is_adopted_above_the_budget) {
  const FileState state = leave_a_file();
  open(4096);
  auto file = std::move(*stage_->adopt(state));
  EXPECT_EQ(stage_->budget().used(), 3U * 4096);
  const auto other = std::move(*stage_->create(0));
  EXPECT_EQ(other->write(0, bytes("x")).error().code, Errc::no_space);
  EXPECT_EQ(file->write(0, bytes("x")).has_value(), true) << "what is there already costs nothing";
  file.reset();
  EXPECT_TRUE(other->write(0, bytes("x")));
}

TEST_F(FormerFilesTest, what_no_record_names_is_removed) {
  const FileState claimed = leave_a_file();
  const FileState other = leave_a_file();
  const auto file = std::move(*adopt_anew(claimed));
  const auto unclaimed = stage_->remove_unclaimed(false);
  ASSERT_TRUE(unclaimed);
  EXPECT_EQ(unclaimed->removed, Names{other.name});
  EXPECT_TRUE(unclaimed->foreign.empty());
  EXPECT_TRUE(fs::exists(path_of(claimed.name)));
  EXPECT_FALSE(fs::exists(path_of(other.name)));
  EXPECT_TRUE(fs::is_empty(temp_.path() / "kept"));
  EXPECT_EQ((*stage_->create(0))->path().filename(), "0000000000000003") << "a name is not given again by the same process";
}

TEST_F(FormerFilesTest, our_own_files_are_kept_where_a_record_could_not_be_read) {
  const FileState state = leave_a_file();
  const std::string before = contents_of(path_of(state.name));
  open();
  const auto unclaimed = stage_->remove_unclaimed(true);
  ASSERT_TRUE(unclaimed);
  EXPECT_EQ(unclaimed->removed, Names{state.name});
  EXPECT_TRUE(fs::is_empty(temp_.path() / "stage"));
  const fs::directory_iterator kept(temp_.path() / "kept");
  ASSERT_NE(kept, fs::directory_iterator());
  EXPECT_TRUE(kept->path().native().ends_with("-" + state.name)) << kept->path();
  EXPECT_EQ(contents_of(kept->path()), before);
}

TEST_F(FormerFilesTest, what_was_never_ours_is_left_alone_and_named) {
  std::ofstream(temp_.path() / "victim") << "victim";
  fs::create_symlink(temp_.path() / "victim", path_of("0000000000000001"));
  fs::create_directories(path_of("0000000000000002") / "below");
  std::ofstream(path_of("notes.txt")) << "x";
  std::ofstream(path_of("ffffffffffffffff")) << "x";
  for (const bool keep_own : {false, true}) {
    const auto unclaimed = stage_->remove_unclaimed(keep_own);
    ASSERT_TRUE(unclaimed);
    EXPECT_TRUE(unclaimed->removed.empty());
    EXPECT_EQ(unclaimed->foreign, (Names{"0000000000000001", "0000000000000002", "ffffffffffffffff", "notes.txt"}));
  }
  EXPECT_TRUE(fs::is_symlink(path_of("0000000000000001")));
  EXPECT_TRUE(fs::exists(path_of("0000000000000002") / "below"));
  EXPECT_EQ(contents_of(temp_.path() / "victim"), "victim");
  EXPECT_TRUE(fs::is_empty(temp_.path() / "kept"));
}

TEST_F(FormerFilesTest, a_log_goes_once_a_record_names_the_file) {
  const FileState state = leave_a_file();
  const fs::path log = temp_.path() / "open" / state.name;
  std::ofstream(log) << "as a process leaves it that dies between its record and the end of the log";
  const auto file = std::move(*adopt_anew(state));
  ASSERT_TRUE(stage_->remove_unclaimed(false));
  EXPECT_FALSE(fs::exists(log));
}

TEST_F(FormerFilesTest, what_was_kept_before_its_record_ended_is_decided_anew) {
  FileState state;
  const fs::path kept = temp_.path() / "kept/20261121T090000Z-2-a";
  {
    auto file = std::move(*stage_->create(0));
    ASSERT_TRUE(file->write(0, bytes("precious")));
    file->retain(true);
    state = file->state();
    ASSERT_TRUE(file->keep(kept));
    ASSERT_TRUE(StageDirectory::note_kept(kept, "key=a\n"));
    std::ofstream(temp_.path() / "kept/another") << "x";
  }
  auto file = std::move(*adopt_anew(state));
  EXPECT_FALSE(fs::exists(kept));
  EXPECT_FALSE(fs::exists(kept.native() + ".why"));
  EXPECT_TRUE(fs::exists(temp_.path() / "kept/another"));
  ASSERT_TRUE(stage_->remove_unclaimed(false));
  EXPECT_EQ(read(*file, 0, 100), "precious");
  ASSERT_TRUE(file->keep(kept));
  file->retain(false);
  file.reset();
  EXPECT_EQ(contents_of(kept), "precious");
  EXPECT_TRUE(fs::is_empty(temp_.path() / "stage"));
}

TEST_F(FormerFilesTest, what_was_kept_and_has_no_record_stays_there_alone) {
  const fs::path kept = temp_.path() / "kept/20261121T090000Z-2-a";
  {
    const auto file = std::move(*stage_->create(0));
    ASSERT_TRUE(file->write(0, bytes("precious")));
    file->retain(true);  // as if the process had died here
    ASSERT_TRUE(file->keep(kept));
  }
  open();
  ASSERT_TRUE(stage_->remove_unclaimed(true));
  EXPECT_TRUE(fs::is_empty(temp_.path() / "stage"));
  EXPECT_EQ(contents_of(kept), "precious");
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path() / "kept"), fs::directory_iterator()), 1);
}

TEST_F(FormerFilesTest, a_clean_file_is_adopted_without_a_dirty_byte) {
  FileState state;
  {
    const auto file = std::move(*stage_->create(100));
    ASSERT_TRUE(file->resize(50));
    file->retain(true);
    state = file->state();
  }
  const auto file = adopt_anew(state);
  ASSERT_TRUE(file) << describe(file.error());
  EXPECT_TRUE((*file)->changed()) << "by size alone";
  EXPECT_EQ((*file)->missing({0, 100}), (Ranges{{0, 50}}));
  EXPECT_TRUE((*file)->take_moment().dirty.empty());
}

}  // namespace
}  // namespace prefixfs::stage

#include "prefixfs/stage/staged_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "support/seed.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

using Ranges = std::vector<ByteRange>;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

class StagedFileTest : public ::testing::Test {
 protected:
  std::shared_ptr<StagedFile> create(std::uint64_t base_size) {
    auto file = stage_->create(base_size);
    EXPECT_TRUE(file);
    return *file;
  }
  static std::string read(const StagedFile& file, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    const auto n = file.read(offset, std::as_writable_bytes(std::span(text)));
    if (!n) {
      return describe(n.error());
    }
    text.resize(*n);
    return text;
  }

  test::TempDir temp_;
  std::unique_ptr<StageDirectory> stage_ = std::move(*StageDirectory::open(temp_.path(), 1 << 20));
};

TEST_F(StagedFileTest, a_new_file_holds_what_is_written) {
  const auto file = create(0);
  EXPECT_FALSE(file->changed());
  ASSERT_TRUE(file->write(0, bytes("hello")));
  ASSERT_TRUE(file->write(5, bytes(" world")));
  EXPECT_EQ(file->size(), 11U);
  EXPECT_EQ(read(*file, 0, 100), "hello world");
  EXPECT_EQ(read(*file, 11, 5), "");
  EXPECT_EQ(read(*file, 500, 5), "");
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{0, 11}}));
  EXPECT_EQ(file->change_count(), 2U);
  ASSERT_TRUE(file->write(100, {}));
  EXPECT_EQ(file->size(), 11U) << "a write of nothing does not extend";
}

TEST_F(StagedFileTest, a_gap_behind_the_end_reads_as_zeros_and_is_dirty) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(4, bytes("x")));
  EXPECT_EQ(read(*file, 0, 9), std::string("\0\0\0\0x", 5));
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{0, 5}}));
  EXPECT_TRUE(file->missing({0, 100}).empty());
}

TEST_F(StagedFileTest, bytes_of_the_stored_version_are_missing_until_filled) {
  const auto file = create(10);
  EXPECT_EQ(file->missing({0, 100}), (Ranges{{0, 10}}));
  std::string out(4, '?');
  const auto early = file->read(0, std::as_writable_bytes(std::span(out)));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::internal);
  ASSERT_TRUE(file->fill(2, bytes("cdef")));
  EXPECT_EQ(file->missing({0, 10}), (Ranges{{0, 2}, {6, 10}}));
  EXPECT_EQ(read(*file, 2, 4), "cdef");
  EXPECT_FALSE(file->changed());
}

TEST_F(StagedFileTest, fill_never_overwrites_what_was_written) {
  const auto file = create(10);
  ASSERT_TRUE(file->write(3, bytes("XYZ")));
  ASSERT_TRUE(file->fill(0, bytes("0123456789abc")));
  EXPECT_EQ(read(*file, 0, 20), "012XYZ6789");
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{3, 6}}));
  EXPECT_EQ(file->size(), 10U) << "a fill does not extend";
}

TEST_F(StagedFileTest, a_late_fill_does_not_bring_back_an_older_version) {
  const auto file = create(4);
  ASSERT_TRUE(file->write(0, bytes("new!")));
  ASSERT_TRUE(file->mark_clean(file->change_count()));
  ASSERT_TRUE(file->fill(0, bytes("old!")));
  EXPECT_EQ(read(*file, 0, 4), "new!");
}

TEST_F(StagedFileTest, shrinking_and_extending_again_reads_zeros) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("0123456789")));
  ASSERT_TRUE(file->resize(4));
  ASSERT_TRUE(file->resize(8));
  EXPECT_EQ(read(*file, 0, 20), std::string("0123\0\0\0\0", 8));
}

TEST_F(StagedFileTest, base_size_sinks_with_shrinking_and_comes_back_with_a_commit) {
  const auto file = create(100);
  ASSERT_TRUE(file->resize(10));
  EXPECT_TRUE(file->changed()) << "by size alone";
  EXPECT_TRUE(file->dirty_ranges().empty());
  ASSERT_TRUE(file->resize(100));
  EXPECT_EQ(file->base_size(), 10U);
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{10, 100}}));
  EXPECT_EQ(file->missing({0, 100}), (Ranges{{0, 10}}));
  ASSERT_TRUE(file->fill(0, bytes(std::string(100, 'o'))));
  EXPECT_EQ(read(*file, 8, 4), std::string("oo\0\0", 4)) << "bytes of the base do not come back behind a truncate";
  ASSERT_TRUE(file->mark_clean(file->change_count()));
  EXPECT_EQ(file->base_size(), 100U);
  EXPECT_FALSE(file->changed());
}

TEST_F(StagedFileTest, mark_clean_refuses_when_more_came_meanwhile) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("one")));
  const std::uint64_t state = file->change_count();
  ASSERT_TRUE(file->write(3, bytes("two")));
  EXPECT_FALSE(file->mark_clean(state));
  EXPECT_TRUE(file->changed());
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{0, 6}}));
  EXPECT_TRUE(file->mark_clean(file->change_count()));
  const std::uint64_t clean = file->change_count();
  ASSERT_TRUE(file->resize(6));
  EXPECT_EQ(file->change_count(), clean) << "the present size is no change";
}

TEST_F(StagedFileTest, touched_ranges_are_those_since_they_were_last_taken) {
  const auto file = create(100);
  ASSERT_TRUE(file->write(10, bytes("abc")));
  ASSERT_TRUE(file->write(200, bytes("x")));
  const Moment moment = file->take_moment();
  EXPECT_EQ(moment.change_count, 2U);
  EXPECT_EQ(moment.size, 201U);
  EXPECT_EQ(moment.base_size, 100U);
  EXPECT_EQ(moment.dirty, (Ranges{{10, 13}, {100, 201}}));
  EXPECT_EQ(moment.touched, moment.dirty);
  EXPECT_TRUE(file->take_touched().empty());
  ASSERT_TRUE(file->resize(50));
  ASSERT_TRUE(file->resize(60));
  ASSERT_TRUE(file->fill(0, bytes("0123456789")));
  EXPECT_EQ(file->take_touched(), (Ranges{{50, 201}}));
  EXPECT_EQ(file->take_moment().dirty, (Ranges{{10, 13}, {50, 60}}));
}

TEST_F(StagedFileTest, budget_counts_valid_bytes_by_blocks) {
  const auto file = create(1 << 30);
  EXPECT_EQ(file->allocated_bytes(), 0U) << "holes cost nothing";
  ASSERT_TRUE(file->fill(0, bytes("x")));
  EXPECT_EQ(file->allocated_bytes(), 4096U);
  ASSERT_TRUE(file->fill(2, bytes("x")));
  EXPECT_EQ(file->allocated_bytes(), 8192U);
  ASSERT_TRUE(file->fill(1, bytes("x")));
  EXPECT_EQ(file->allocated_bytes(), 4096U) << "three ranges became one";
  ASSERT_TRUE(file->write(0, bytes(std::string(4097, 'y'))));
  EXPECT_EQ(file->allocated_bytes(), 8192U);
  EXPECT_EQ(stage_->budget().used(), 8192U);
}

TEST_F(StagedFileTest, every_call_fails_cleanly_when_the_budget_is_gone) {
  const auto file = create(1 << 20);
  ASSERT_TRUE(file->write(0, bytes("keep")));
  const std::uint64_t all = stage_->budget().bytes_max() - stage_->budget().used();
  ASSERT_TRUE(stage_->budget().take(all));
  const std::uint64_t used = stage_->budget().used();

  EXPECT_EQ(file->write(8192, bytes("more")).error().code, Errc::no_space);
  EXPECT_EQ(file->fill(8192, bytes("more")).error().code, Errc::no_space);
  EXPECT_EQ(file->resize(2 << 20).error().code, Errc::no_space);
  EXPECT_EQ(file->write(1, bytes("EE")).has_value(), true) << "what is there already costs nothing";
  EXPECT_EQ(read(*file, 0, 4), "kEEp");
  EXPECT_EQ(file->size(), 1U << 20);
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{0, 4}}));
  EXPECT_EQ(file->missing({0, 1 << 20}), (Ranges{{4, 1 << 20}}));
  EXPECT_EQ(stage_->budget().used(), used);

  stage_->budget().give_back(all);
  EXPECT_TRUE(file->write(8192, bytes("more")));
}

TEST_F(StagedFileTest, fails_at_each_byte_of_budget_without_a_trace) {
  // The same run with a little more budget each time, until it passes.
  const std::string block(4096, 'b');
  for (std::uint64_t budget = 0;; budget += 4096) {
    ASSERT_LT(budget, 1U << 20);
    const test::TempDir temp;
    const auto stage = std::move(*StageDirectory::open(temp.path(), budget));
    const auto file = std::move(*stage->create(4 * 4096));
    const bool passed = file->write(0, bytes(block)) && file->fill(8192, bytes(block)) && file->write(3 * 4096, bytes(block + block)) &&
                        file->resize(8 * 4096);
    EXPECT_LE(stage->budget().used(), budget);
    EXPECT_EQ(stage->budget().used(), file->allocated_bytes());
    for (const ByteRange& dirty : file->dirty_ranges()) {
      EXPECT_TRUE(file->missing(dirty).empty());
    }
    if (passed) {
      EXPECT_EQ(budget, 7U * 4096);
      break;
    }
  }
}

TEST_F(StagedFileTest, gives_its_budget_and_name_back) {
  auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("x")));
  const auto path = file->path();
  EXPECT_TRUE(std::filesystem::exists(path));
  file.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(stage_->budget().used(), 0U);
}

TEST_F(StagedFileTest, evict_gives_disk_space_back_but_never_unsent_bytes) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes(std::string(10000, 'x'))));
  EXPECT_EQ(file->evict().error().code, Errc::busy);
  EXPECT_EQ(read(*file, 9999, 5), "x");
  ASSERT_TRUE(file->mark_clean(file->change_count()));
  ASSERT_TRUE(file->evict());
  EXPECT_EQ(file->size(), 10000U);
  EXPECT_EQ(file->missing({0, 10000}), (Ranges{{0, 10000}}));
  EXPECT_EQ(stage_->budget().used(), 0U);
  EXPECT_EQ(std::filesystem::file_size(file->path()), 10000U);
  ASSERT_TRUE(file->resize(5));
  EXPECT_EQ(file->evict().error().code, Errc::busy) << "changed by size";
}

TEST_F(StagedFileTest, what_a_record_names_stays_where_it_is) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes(std::string(10000, 'x'))));
  file->retain(true);
  ASSERT_TRUE(file->mark_clean(file->change_count())) << "S3 has it, and the record is still there";
  file->drop_clean({0, 10000});
  EXPECT_TRUE(file->missing({0, 10000}).empty());
  EXPECT_EQ(file->evict().error().code, Errc::busy);
  EXPECT_EQ(read(*file, 0, 10000), std::string(10000, 'x'));
  file->retain(false);
  file->drop_clean({0, 10000});
  EXPECT_EQ(file->missing({0, 10000}), (Ranges{{0, 8192}}));
}

TEST_F(StagedFileTest, refuses_offsets_that_cannot_be) {
  const auto file = create(0);
  EXPECT_EQ(file->write(~0ULL - 1, bytes("abc")).error().code, Errc::too_large);
  EXPECT_EQ(file->resize(~0ULL).error().code, Errc::too_large);
  EXPECT_EQ(file->size(), 0U);
}

/// Lets the kernel refuse to write beyond `bytes`, as a full disk would, until destruction.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(StagedFileTest, a_write_that_fails_half_way_leaves_no_bytes_behind) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("0123")));
  {
    const FileSizeLimit limit(8192);
    EXPECT_EQ(file->write(4000, bytes(std::string(8000, 'x'))).error().code, Errc::too_large);
  }
  EXPECT_EQ(file->size(), 4U);
  EXPECT_EQ(file->allocated_bytes(), 4096U);
  ASSERT_TRUE(file->resize(9000));
  EXPECT_EQ(read(*file, 0, 9000), "0123" + std::string(8996, '\0')) << "the bytes of the failed write must not show";
}

TEST_F(StagedFileTest, clean_bytes_under_a_failed_write_must_be_fetched_again) {
  const auto file = create(9000);
  ASSERT_TRUE(file->fill(0, bytes(std::string(9000, 'o'))));
  {
    const FileSizeLimit limit(8192);
    EXPECT_EQ(file->write(8000, bytes(std::string(1000, 'x'))).error().code, Errc::too_large);
  }
  EXPECT_FALSE(file->changed());
  EXPECT_EQ(file->missing({0, 9000}), (Ranges{{8000, 8192}}));
  ASSERT_TRUE(file->fill(0, bytes(std::string(9000, 'o'))));
  EXPECT_EQ(read(*file, 0, 9000), std::string(9000, 'o'));
}

TEST_F(StagedFileTest, keep_moves_the_bytes_and_overwrites_nothing) {
  auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("precious")));
  ASSERT_TRUE(file->sync());
  const auto taken = temp_.path() / "kept/taken";
  std::ofstream(taken) << "older";
  EXPECT_EQ(file->keep(taken).error().code, Errc::exists);
  const auto destination = temp_.path() / "kept/mine";
  ASSERT_TRUE(file->keep(destination));
  EXPECT_EQ(read(*file, 0, 100), "precious") << "still open for whoever reads it";
  file.reset();
  std::ifstream in(destination);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "precious");
  EXPECT_TRUE(std::filesystem::is_empty(temp_.path() / "stage"));
  EXPECT_EQ(stage_->budget().used(), 0U);
}

TEST_F(StagedFileTest, a_body_is_a_range_of_the_file) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("0123456789")));
  const StagedBody body(*file, {2, 8});
  EXPECT_EQ(body.size(), 6U);
  std::string out(3, '?');
  ASSERT_TRUE(body.read_at(3, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(out, "567");
  ASSERT_TRUE(file->resize(6));
  EXPECT_EQ(body.read_at(3, std::as_writable_bytes(std::span(out))).error().code, Errc::stale);
}

TEST_F(StagedFileTest, a_concurrent_write_wins_over_every_fill) {
  constexpr std::size_t kBytes = 256 << 10;
  const std::string stored(kBytes, 'o');
  const auto file = create(kBytes);
  {
    std::jthread filler([&] {
      for (std::size_t at = 0; at < kBytes; at += 1024) {
        ASSERT_TRUE(file->fill(at, bytes(stored).subspan(at, 1024)));
      }
    });
    for (std::size_t at = 512; at < kBytes; at += 1024) {
      ASSERT_TRUE(file->write(at, bytes("W")));
    }
  }
  const std::string all = read(*file, 0, kBytes);
  ASSERT_EQ(all.size(), kBytes);
  for (std::size_t at = 0; at < kBytes; ++at) {
    ASSERT_EQ(all[at], at % 1024 == 512 ? 'W' : 'o') << "at " << at;
  }
}

TEST_F(StagedFileTest, a_concurrent_cut_wins_over_every_fill) {
  constexpr std::size_t kBytes = 512 << 10;
  constexpr std::size_t kPieceBytes = 32 << 10;
  const std::string stored(kBytes, 'o');
  for (int round = 0; round < 20; ++round) {
    const auto file = create(kBytes);
    {
      std::jthread filler([&] {
        for (std::size_t at = 0; at < kBytes; at += kPieceBytes) {
          ASSERT_TRUE(file->fill(at, bytes(stored).subspan(at, kPieceBytes)));
        }
      });
      for (std::size_t end = kBytes; end > kBytes / 2; end -= 5000) {
        ASSERT_TRUE(file->resize(end));
        ASSERT_TRUE(file->resize(kBytes));
        file->drop_clean({0, kBytes / 4});
      }
    }
    const std::uint64_t cut = file->base_size();
    for (const ByteRange& gap : file->missing({0, kBytes})) {
      ASSERT_LE(gap.end, cut);
      ASSERT_TRUE(file->fill(gap.begin, bytes(stored).subspan(gap.begin, gap.length())));
    }
    ASSERT_EQ(read(*file, 0, kBytes), std::string(cut, 'o') + std::string(kBytes - cut, '\0'));
    ASSERT_EQ(stage_->budget().used(), file->allocated_bytes());
  }
}

TEST_F(StagedFileTest, fills_and_reads_beside_each_other_count_each_byte_once) {
  constexpr std::size_t kBytes = 512 << 10;
  const std::string stored(kBytes, 'o');
  const auto file = create(kBytes);
  {
    std::vector<std::jthread> fillers;
    for (std::size_t step : {1000U, 1000U, 3000U, 7000U}) {
      fillers.emplace_back([&, step] {
        for (std::size_t at = 0; at < kBytes; at += step) {
          ASSERT_TRUE(file->fill(at, bytes(stored).subspan(at, std::min(step, kBytes - at))));
          const std::string there = read(*file, at, std::min(step, kBytes - at));
          ASSERT_EQ(there, std::string(there.size(), 'o'));
        }
      });
    }
  }
  EXPECT_TRUE(file->missing({0, kBytes}).empty());
  EXPECT_EQ(file->allocated_bytes(), kBytes);
  EXPECT_EQ(stage_->budget().used(), kBytes);
}

TEST_F(StagedFileTest, agrees_with_a_string) {
  const test::Seed seed;
  auto random = seed.engine();
  std::string stored(5000, 'o');
  std::string model = stored;
  const auto file = create(stored.size());
  for (int step = 0; step < 3000; ++step) {
    const std::size_t at = random() % 6000;
    const std::string text(1 + random() % 500, static_cast<char>('a' + random() % 26));
    switch (random() % 5) {
      case 4:
        ASSERT_TRUE(file->zero({at, at + text.size()}));
        if (at < model.size()) {
          model.replace(at, text.size(), std::string(std::min(text.size(), model.size() - at), '\0'));
        }
        break;
      case 0:
        ASSERT_TRUE(file->write(at, bytes(text)));
        model.resize(std::max(model.size(), at + text.size()));
        model.replace(at, text.size(), text);
        break;
      case 1:
        ASSERT_TRUE(file->resize(at));
        model.resize(at);
        break;
      case 2:
        if (random() % 20 == 0) {
          ASSERT_TRUE(file->mark_clean(file->change_count()) );
          for (const ByteRange& gap : file->missing({0, file->size()})) {
            ASSERT_LE(gap.end, file->base_size());
          }
          stored = model;
        }
        break;
      default:
        for (const ByteRange& gap : file->missing({at, at + text.size()})) {
          ASSERT_LE(gap.end, stored.size());
          ASSERT_TRUE(file->fill(gap.begin, bytes(stored).subspan(gap.begin, gap.length())));
        }
        ASSERT_EQ(read(*file, at, text.size()), at < model.size() ? model.substr(at, text.size()) : "");
    }
    ASSERT_EQ(file->size(), model.size());
    ASSERT_EQ(stage_->budget().used(), file->allocated_bytes());
  }
}

}  // namespace
}  // namespace prefixfs::stage

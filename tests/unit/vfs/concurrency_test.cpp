// Several programs at once. What counts is that every file is, at every moment, one of the texts that were written as a whole;
// run it with the thread sanitizer, too.

#include <random>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 40;

/// All of one size, so that two programs that write one file at once cannot make a mixture by themselves.
std::string text_of(int thread, int round) { return std::string(2000, static_cast<char>('a' + (thread + round) % 26)); }

bool is_whole(std::string_view text) { return text.size() == 2000 && text.find_first_not_of(text.front()) == std::string_view::npos; }

/// Errors that a program may see when another one takes the file away.
bool is_expected(Errc code) {
  return code == Errc::not_found || code == Errc::stale || code == Errc::exists;
}

class ConcurrencyTest : public VfsTest {
 protected:
  template <class Work>
  void run(Work work) {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([=] {
        for (int round = 0; round < kRounds; ++round) {
          work(thread, round);
        }
      });
    }
  }
  Mount mount;
};

TEST_F(ConcurrencyTest, DifferentFiles) {
  run([this](int thread, int round) {
    const std::string name = fmt::format("f{}-{}", thread, round);
    ASSERT_OK(mount.create_file(kRoot, name, text_of(thread, round)));
    ASSERT_TRUE(mount.read_file(name).value_or("") == text_of(thread, round));
    ASSERT_OK(mount.fs().rename(kRoot, name, kRoot, name + "r", 0, mount.caller()));
    ASSERT_TRUE(mount.read_file(name + "r").value_or("") == text_of(thread, round));
    if (round % 2 == 0) {
      ASSERT_OK(mount.fs().unlink(kRoot, name + "r", mount.caller()));
    }
  });
  EXPECT_EQ(mount.memory.keys().size(), static_cast<std::size_t>(kThreads * kRounds / 2));
  EXPECT_EQ(mount.names(kRoot)->size(), static_cast<std::size_t>(kThreads * kRounds / 2));
}

TEST_F(ConcurrencyTest, ReplacingOneFileByRename) {
  ASSERT_OK(mount.create_file(kRoot, "shared", text_of(0, 0)));
  run([this](int thread, int round) {
    const std::string name = fmt::format("tmp{}-{}", thread, round);
    ASSERT_OK(mount.create_file(kRoot, name, text_of(thread, round)));
    const auto renamed = mount.fs().rename(kRoot, name, kRoot, "shared", 0, mount.caller());
    ASSERT_TRUE(renamed || is_expected(renamed.error().code)) << describe(renamed.error());
    const auto text = mount.read_file("shared");
    ASSERT_TRUE(text ? is_whole(*text) : is_expected(text.error().code)) << (text ? text->substr(0, 10) : describe(text.error()));
  });
  EXPECT_TRUE(is_whole(mount.memory.text("shared").value_or("")));
}

TEST_F(ConcurrencyTest, SeveralHandlesOfOneFile) {
  const auto first = mount.create(kRoot, "shared", O_RDWR);
  ASSERT_OK(first);
  ASSERT_OK(mount.write(*first, 0, std::string(kThreads * 1000, '-')));
  run([&](int thread, int round) {
    const auto handle = mount.open("shared", O_RDWR);
    ASSERT_OK(handle);
    const std::string mine(1000, static_cast<char>('a' + round % 26));
    ASSERT_OK(mount.write(*handle, static_cast<std::uint64_t>(thread) * 1000, mine));
    ASSERT_TRUE(mount.read(*handle, static_cast<std::uint64_t>(thread) * 1000, 1000).value_or("") == mine);
    ASSERT_OK(mount.close(*handle));
  });
  EXPECT_OK(mount.close(*first));
  std::string expected;
  for (int thread = 0; thread < kThreads; ++thread) {
    expected += std::string(1000, static_cast<char>('a' + (kRounds - 1) % 26));
  }
  EXPECT_TRUE(mount.memory.text("shared") == expected);
}

TEST_F(ConcurrencyTest, EverythingAtOnceWhileAnotherClientWrites) {
  std::jthread other([this](std::stop_token stop) {
    for (int round = 0; !stop.stop_requested(); ++round) {
      mount.memory.put_text(fmt::format("n{}", round % 5), text_of(25, round % 50));
      mount.window_ends();
      std::this_thread::yield();
    }
  });
  run([this](int thread, int round) {
    std::mt19937 engine(static_cast<unsigned>(thread * 1000 + round));
    const std::string name = fmt::format("n{}", engine() % 5);
    const std::string to = fmt::format("n{}", engine() % 5);
    Result<void> outcome;
    switch (engine() % 6) {
      case 0: outcome = mount.create_file(kRoot, name, text_of(thread, round), O_WRONLY | O_EXCL); break;
      case 1: outcome = mount.change_file(name, O_WRONLY | O_TRUNC, 0, text_of(thread, round)); break;
      case 2: outcome = mount.fs().rename(kRoot, name, kRoot, to, 0, mount.caller()); break;
      case 3: outcome = mount.fs().unlink(kRoot, name, mount.caller()); break;
      case 4: ASSERT_OK(mount.names(kRoot)); break;
      default: {
        const auto text = mount.read_file(name);
        ASSERT_TRUE(text ? text->empty() || is_whole(*text) : is_expected(text.error().code))
            << name << ": " << (text ? fmt::format("{} bytes", text->size()) : describe(text.error()));
      }
    }
    ASSERT_TRUE(outcome || is_expected(outcome.error().code)) << describe(outcome.error());
  });
  other.request_stop();
  other.join();
  mount.window_ends();
  const auto names = mount.names(kRoot);
  ASSERT_OK(names);
  for (const std::string& name : *names) {
    const auto text = mount.read_file(name);
    ASSERT_OK(text);
    EXPECT_TRUE(*text == mount.memory.text(name)) << name;
  }
}

}  // namespace
}  // namespace prefixfs::vfs

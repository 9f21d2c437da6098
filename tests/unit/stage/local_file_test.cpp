#include "local_file.h"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "prefixfs/base/unique_fd.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

TEST(LocalFile, errno_becomes_a_decision_and_a_sentence) {
  EXPECT_EQ(file_error(ENOSPC, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(file_error(EDQUOT, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(file_error(EFBIG, "write to", "/x").code, Errc::too_large);
  EXPECT_EQ(file_error(EACCES, "open", "/x").code, Errc::denied);
  EXPECT_EQ(file_error(EEXIST, "make", "/x").code, Errc::exists);
  EXPECT_EQ(file_error(EIO, "read", "/x").code, Errc::io);
  EXPECT_EQ(file_error(ENOSPC, "write to", "/x/y").what,
            "cannot write to /x/y: No space left on device; free space there, or choose a cache_dir on another disk");
}

std::string contents_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LocalFile, both_ways_of_copying_copy_the_same) {
  const test::TempDir temp;
  std::string text(3 << 20, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * 2654435761U >> 13);
  }
  std::ofstream(temp.file("from")) << text;
  const UniqueFd from(::open(temp.file("from").c_str(), O_RDONLY | O_CLOEXEC));
  for (const auto copy : {copy_bytes, copy_through_memory}) {
    const UniqueFd to(::open(temp.file("to").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    EXPECT_EQ(copy(from.get(), to.get(), 5, (2 << 20) + 100), 0);
    EXPECT_EQ(contents_of(temp.file("to")), std::string(5, '\0') + text.substr(5, (2 << 20) + 100));
    EXPECT_EQ(copy(from.get(), to.get(), text.size() - 1, 2), EIO) << "the source is shorter";
    EXPECT_EQ(copy(from.get(), from.get(), 0, 1), EBADF) << "not open for writing";
    EXPECT_EQ(copy(from.get(), to.get(), 0, 0), 0);
  }
}

TEST(LocalFile, reads_are_whole_wherever_the_memory_lies) {
  const test::TempDir temp;
  std::string text((100 << 10) + 77, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * 2654435761U >> 13);
  }
  std::ofstream(temp.file("a")) << text;
  const UniqueFd fd(::open(temp.file("a").c_str(), O_RDONLY | O_CLOEXEC));
  constexpr std::size_t kPage = 4096;
  alignas(kPage) static std::array<std::byte, (128 << 10) + kPage> memory;
  for (const std::size_t place : {0, 1, 16, 31, 32, 100, 4095}) {
    for (const std::uint64_t offset : {0, 5, 4080, 8192}) {
      for (const std::size_t wanted : {10, 40'000, 127 << 10}) {
        const auto out = std::span(memory).subspan(place, wanted);
        const std::size_t there = std::min<std::size_t>(wanted, text.size() - offset);
        ASSERT_EQ(read_all(fd.get(), offset, out), static_cast<std::int64_t>(there)) << place << ' ' << offset;
        ASSERT_EQ(std::string_view(reinterpret_cast<const char*>(out.data()), there), std::string_view(text).substr(offset, there));
      }
    }
  }
  const UniqueFd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(read_all(directory.get(), 0, std::span(memory).subspan(16, 40'000)), -1);
}

TEST(LocalFile, a_move_overwrites_nothing) {
  const test::TempDir temp;
  std::ofstream(temp.file("a")) << "a";
  std::ofstream(temp.file("b")) << "b";
  EXPECT_EQ(move_file(temp.file("a"), temp.file("b")), EEXIST);
  EXPECT_EQ(contents_of(temp.file("b")), "b");
  EXPECT_EQ(move_file(temp.file("a"), temp.file("c")), 0);
  EXPECT_EQ(contents_of(temp.file("c")), "a");
  EXPECT_EQ(move_file(temp.file("a"), temp.file("d")), ENOENT);
}

TEST(LocalFile, names_come_in_byte_order) {
  const test::TempDir temp;
  for (const char* name : {"b", "B", "a"}) {
    std::ofstream(temp.file(name)) << "x";
  }
  EXPECT_EQ(*names_in(temp.path()), (std::vector<std::string>{"B", "a", "b"}));
  EXPECT_EQ(names_in(temp.path() / "missing").error().code, Errc::io);
}

TEST(LocalFile, a_directory_that_is_not_there_cannot_be_synced) {
  EXPECT_EQ(sync_directory("/nonexistent/prefixfs").error().code, Errc::io);
}

}  // namespace
}  // namespace prefixfs::stage

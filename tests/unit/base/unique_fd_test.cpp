#include "prefixfs/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace prefixfs {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
int open_one() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFdTest, ClosesWhatItOwns) {
  const int raw = open_one();
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), raw);
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFdTest, OwnsNothingAtFirstOrAfterAMove) {
  UniqueFd empty;
  EXPECT_FALSE(empty);
  UniqueFd first(open_one());
  const int raw = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), raw);
  empty = std::move(second);
  EXPECT_FALSE(second);
  EXPECT_TRUE(is_open(raw));
  empty.reset();
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFdTest, AssignmentClosesTheOneBefore) {
  UniqueFd target(open_one());
  const int before = target.get();
  UniqueFd source(open_one());
  const int after = source.get();
  target = std::move(source);
  EXPECT_FALSE(is_open(before));
  EXPECT_TRUE(is_open(after));
}

}  // namespace
}  // namespace prefixfs

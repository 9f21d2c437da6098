#include <gtest/gtest.h>

#include <cerrno>
#include <map>

#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {
namespace {

/// One row for each value of Errc: what a program sees.
const std::map<Errc, int> kTable = {
    {Errc::not_found, ENOENT},
    {Errc::exists, EEXIST},
    {Errc::no_attribute, ENODATA},
    {Errc::not_dir, ENOTDIR},
    {Errc::is_dir, EISDIR},
    {Errc::not_empty, ENOTEMPTY},
    {Errc::denied, EACCES},
    {Errc::read_only, EROFS},
    {Errc::not_permitted, EPERM},
    {Errc::conflict, ESTALE},
    {Errc::stale, ESTALE},
    {Errc::throttled, EIO},
    {Errc::unavailable, EIO},
    {Errc::timeout, EIO},
    {Errc::credentials, EACCES},
    {Errc::wrong_region, EIO},
    {Errc::no_space, ENOSPC},
    {Errc::too_large, EFBIG},
    {Errc::name_too_long, ENAMETOOLONG},
    {Errc::bad_name, EILSEQ},
    {Errc::corrupt, EIO},
    {Errc::cancelled, EINTR},
    {Errc::unsupported, EOPNOTSUPP},
    {Errc::invalid, EINVAL},
    {Errc::past_end, ENXIO},
    {Errc::busy, EBUSY},
    {Errc::too_many_open, EMFILE},
    {Errc::cross_device, EXDEV},
    {Errc::io, EIO},
    {Errc::internal, EIO},
};

TEST(ErrnoTest, EveryErrcHasItsErrno) {
  for (int value = 0; value <= static_cast<int>(Errc::internal); ++value) {
    const auto code = static_cast<Errc>(value);
    ASSERT_TRUE(kTable.contains(code)) << to_string(code);
    EXPECT_EQ(errno_of(code), kTable.at(code)) << to_string(code);
  }
}

TEST(ErrnoTest, LockCallsHaveTheirOwnWordsForTwoOfThem) {
  EXPECT_EQ(errno_of_lock({Errc::busy, "", {}}), EAGAIN);
  EXPECT_EQ(errno_of_lock({Errc::unsupported, "", {}}), ENOLCK);
  EXPECT_EQ(errno_of_lock({Errc::cancelled, "", {}}), EINTR);
}

TEST(ErrnoTest, AValueFromNowhereIsAnInputOutputError) { EXPECT_EQ(errno_of(static_cast<Errc>(200)), EIO); }

}  // namespace
}  // namespace prefixfs::fuse

#include "option_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fixtures.h"

namespace prefixfs::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(OptionEntries, SetWhatTheySay) {
  const auto parsed = parse_list(
      "endpoint=http://127.0.0.1:9000,region=eu-central-1,path_style,profile=resumes,cache_dir=/c,cache_size=2G,stage_size=20G,"
      "outage_timeout=30,"
      "coherence=immutable,unlisted=known,posix_metadata=s3fs,sse=aws:kms,storage_class=STANDARD_IA,part_size=16M,max_file_size=10M,"
      "attrs=exact,acls=keep,size=10T,uid=33,gid=0,"
      "umask=027,ro,allow_other,check,log_level=debug,log_file=l/x.log");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
  EXPECT_EQ(parsed->endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(parsed->region, "eu-central-1");
  EXPECT_TRUE(parsed->path_style);
  EXPECT_EQ(parsed->profile, "resumes");
  EXPECT_EQ(parsed->cache_dir, "/c");
  EXPECT_EQ(parsed->cache_size_bytes, 2ULL << 30);
  EXPECT_EQ(parsed->stage_size_bytes, 20ULL << 30);
  EXPECT_EQ(parsed->outage_timeout, 30s);
  EXPECT_EQ(parsed->coherence, Coherence::immutable);
  EXPECT_EQ(parsed->unlisted, Unlisted::known);
  EXPECT_EQ(parsed->posix_metadata, PosixMetadata::s3fs);
  EXPECT_EQ(parsed->sse, "aws:kms");
  EXPECT_EQ(parsed->storage_class, "STANDARD_IA");
  EXPECT_EQ(parsed->part_size_bytes, 16ULL << 20);
  EXPECT_EQ(parsed->max_file_size_bytes, 10ULL << 20);
  EXPECT_EQ(parsed->attrs, Attrs::exact);
  EXPECT_TRUE(parsed->keep_acls);
  EXPECT_EQ(parsed->size_bytes, 10ULL << 40);
  EXPECT_EQ(parsed->uid, 33);
  EXPECT_EQ(parsed->gid, 0);
  EXPECT_EQ(parsed->umask, 027);
  EXPECT_TRUE(parsed->read_only);
  EXPECT_TRUE(parsed->allow_other);
  EXPECT_TRUE(parsed->check);
  EXPECT_EQ(parsed->log_level, "debug");
  EXPECT_EQ(parsed->log_file, "/home/u/l/x.log");
}

TEST(OptionEntries, TtlComesInTwoSpellings) {
  EXPECT_EQ(parse_list("coherence=ttl=5")->coherence, Coherence::ttl);
  EXPECT_EQ(parse_list("coherence=ttl=5")->freshness, 5s);
  EXPECT_EQ(parse_list("ttl=500ms")->coherence, Coherence::ttl);
  EXPECT_EQ(parse_list("ttl=500ms")->freshness, 500ms);
  EXPECT_EQ(parse_list("coherence=ttl,ttl=2")->freshness, 2s);
  EXPECT_EQ(parse_list("coherence=open")->freshness, 1s);
}

TEST(OptionEntries, WhatIsTheDefaultAnywayIsAccepted) {
  const auto parsed = parse_list("commit=close,outage=error,attrs=listing,excl=close,unlink=close,unlisted=deny,posix_metadata=aws,rw");
  EXPECT_TRUE(parsed.has_value()) << parsed.error().what;
}

TEST(OptionEntries, WhoAcknowledges) {
  const Options usual = *parse_list("");
  EXPECT_EQ(usual.commit, Acknowledge::s3);
  EXPECT_EQ(usual.unlink, std::nullopt);
  EXPECT_EQ(usual.outage, Outage::queue);
  const Options journal = *parse_list("commit=journal,unlink=close,outage=error");
  EXPECT_EQ(journal.commit, Acknowledge::journal);
  EXPECT_EQ(journal.unlink, Acknowledge::s3);
  EXPECT_EQ(journal.outage, Outage::error);
}

TEST(OptionEntries, AmongWhomLocksHold) {
  const Options usual = *parse_list("");
  EXPECT_EQ(usual.locks, LockScope::local);
  EXPECT_EQ(usual.lock_lease, 30s);
  const Options shared = *parse_list("locks=s3,lock_lease=90");
  EXPECT_EQ(shared.locks, LockScope::s3);
  EXPECT_EQ(shared.lock_lease, 90s);
  for (const char* wrong : {"locks=none", "lock_lease=500ms", "lock_lease=2h", "lock_lease=soon"}) {
    EXPECT_FALSE(parse_list(wrong)) << wrong;
  }
}

class NotBuilt : public testing::TestWithParam<const char*> {};
TEST_P(NotBuilt, IsRefusedByName) {
  const auto parsed = parse_list(GetParam());
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, Errc::unsupported);
  EXPECT_THAT(parsed.error().what, HasSubstr(GetParam()));
  EXPECT_THAT(parsed.error().what, HasSubstr("not built"));
}
INSTANTIATE_TEST_SUITE_P(Words, NotBuilt,
                         testing::Values("allow_root"));

class OutOfRange : public testing::TestWithParam<const char*> {};
TEST_P(OutOfRange, IsRefused) { EXPECT_EQ(parse_list(GetParam()).error().code, Errc::invalid); }
INSTANTIATE_TEST_SUITE_P(Words, OutOfRange,
                         testing::Values("part_size=4M", "part_size=6G", "part_size=5368709121", "max_file_size=0", "stage_size=1K",
                                         "coherence=sometimes",
                                         "coherence=ttl=", "coherence=ttl=x", "commit=never", "unlisted=all", "posix_metadata=rclone",
                                         "umask=9",
                                         "log_level=loud", "outage_timeout=soon", "uid=no-such-user"));

TEST(OptionEntries, ACacheMayBeNone) { EXPECT_EQ(parse_list("cache_size=0")->cache_size_bytes, 0U); }

TEST(OptionEntries, PartSizeTakesBothEnds) {
  EXPECT_EQ(parse_list("part_size=5M")->part_size_bytes, 5ULL << 20);
  EXPECT_EQ(parse_list("part_size=5G")->part_size_bytes, 5ULL << 30);
}

TEST(OptionEntries, ReadOnlyIsHandedToTheKernelAndTheLaterWordWins) {
  EXPECT_THAT(parse_list("ro")->fuse_options, testing::Contains("ro"));
  EXPECT_FALSE(parse_list("ro,rw")->read_only);
  EXPECT_THAT(parse_list("ro,rw")->fuse_options, testing::Not(testing::Contains("ro")));
}

TEST(OptionTable, HasEachWordOnce) {
  std::set<std::string> names;
  for (const OptionRow& row : option_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.meaning.empty()) << row.name;
  }
}

TEST(AbsolutePath, JoinsAndCleans) {
  EXPECT_EQ(absolute_path("mnt", "/home/u"), "/home/u/mnt");
  EXPECT_EQ(absolute_path("./mnt//", "/home/u"), "/home/u/mnt");
  EXPECT_EQ(absolute_path("../mnt", "/home/u"), "/home/mnt");
  EXPECT_EQ(absolute_path("/a/b/", "/home/u"), "/a/b");
  EXPECT_EQ(absolute_path("/", "/home/u"), "/");
  EXPECT_EQ(absolute_path(".", "/home/u"), "/home/u");
}

}  // namespace
}  // namespace prefixfs::config

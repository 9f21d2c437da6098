// What is learnt of an endpoint and kept: CapabilityBook, RegionBook.

#include <gtest/gtest.h>

#include "capabilities.h"
#include "region.h"
#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

class KnowledgeTest : public testing::Test {
 protected:
  std::unique_ptr<EndpointMemory> memory = make_volatile_memory();
  test::ListLog log;
};

TEST_F(KnowledgeTest, NothingIsKnownOfAStranger) {
  const CapabilityBook book("http://x", false, *memory, log);
  EXPECT_EQ(book.get().conditional_put, Support::unknown);
  EXPECT_EQ(book.get().part_copy, Support::unknown);
  EXPECT_FALSE(book.multipart_checksums());
}

TEST_F(KnowledgeTest, WhatIsLearntSurvivesARestart) {
  CapabilityBook("http://x", false, *memory, log).learn(&Capabilities::conditional_put, Support::no);
  CapabilityBook("http://x", false, *memory, log).learn(&Capabilities::crc64nvme, Support::yes);
  EXPECT_EQ(log.count(LogLevel::warn), 1);
  const CapabilityBook again("http://x", false, *memory, log);
  EXPECT_EQ(again.get().conditional_put, Support::no);
  EXPECT_EQ(again.get().crc64nvme, Support::yes);
  EXPECT_EQ(CapabilityBook("http://y", false, *memory, log).get().crc64nvme, Support::unknown);
}

TEST_F(KnowledgeTest, TrialStandsAboveWhatAServerSays) {
  CapabilityBook book("http://x", false, *memory, log);
  book.learn(&Capabilities::conditional_put, Support::no);
  book.see(test::answer(200, {{"server", "MinIO"}}));
  EXPECT_EQ(book.get().crc64nvme, Support::unknown);
  book.see(test::answer(200, {{"server", "AmazonS3"}}));
  EXPECT_EQ(book.get().conditional_put, Support::no);
  EXPECT_EQ(book.get().crc64nvme, Support::yes);
  EXPECT_TRUE(book.multipart_checksums());
}

TEST_F(KnowledgeTest, TheRegionIsWhatIsConfiguredElseRememberedElseInTheHost) {
  const auto first = [&](const std::string& configured, const std::string& by_host) {
    return RegionBook("bkt", "aws", configured, by_host, *memory, log).current();
  };
  EXPECT_EQ(first("", ""), "us-east-1");
  EXPECT_EQ(first("", "eu-north-1"), "eu-north-1");
  RegionBook book("bkt", "aws", "", "", *memory, log);
  EXPECT_FALSE(book.learn("us-east-1", "us-east-1"));
  EXPECT_FALSE(book.learn("not/a/region", "us-east-1"));
  EXPECT_TRUE(book.learn("eu-west-3", "us-east-1"));
  EXPECT_TRUE(book.learn("eu-west-3", "us-east-1"));  // another thread was slower
  EXPECT_EQ(log.count(LogLevel::warn), 1);
  EXPECT_EQ(first("", "eu-north-1"), "eu-west-3");
  EXPECT_EQ(first("sa-east-1", ""), "sa-east-1");
  memory->remember("region aws bkt", "evil.example");
  EXPECT_EQ(first("", ""), "us-east-1");
}

}  // namespace prefixfs::s3

#include "store_stack.h"

#include <gtest/gtest.h>

namespace prefixfs::daemon {
namespace {

TEST(SourceNameTest, TellsMountsApart) {
  config::Options options;
  options.bucket = "bucket";
  options.prefix = Prefix::from("uploads");
  EXPECT_EQ(source_name(options), "aws s3://bucket/uploads/");
  options.endpoint = "http://127.0.0.1:9000";
  EXPECT_EQ(source_name(options), "http://127.0.0.1:9000 s3://bucket/uploads/");
  options.prefix = Prefix();
  EXPECT_EQ(source_name(options), "http://127.0.0.1:9000 s3://bucket/");
}

}  // namespace
}  // namespace prefixfs::daemon

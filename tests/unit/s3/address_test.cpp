#include "address.h"

#include <gtest/gtest.h>

#include "support/store_calls.h"

namespace prefixfs::s3 {

using test::code_of;

namespace {

std::string url(const std::string& endpoint, const std::string& bucket, const std::string& region = "eu-west-1", bool path_style = false) {
  const auto parsed = parse_endpoint(endpoint);
  EXPECT_TRUE(parsed) << endpoint;
  const Address address = address_of(*parsed, bucket, region, path_style);
  return address.scheme_and_host + address.path_of_key("a b/c+d%.txt");
}

}  // namespace

TEST(Address, AwsHostsFollowFromTheRegion) {
  EXPECT_EQ(url("", "b-1"), "https://b-1.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("", "b-1", "cn-north-1"), "https://b-1.s3.cn-north-1.amazonaws.com.cn/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("", "b-1", "eu-west-1", true), "https://s3.eu-west-1.amazonaws.com/b-1/a%20b/c%2Bd%25.txt");
}

TEST(Address, DotsInABucketNameDoNotFitAWildcardCertificate) {
  EXPECT_EQ(url("", "my.bucket"), "https://s3.eu-west-1.amazonaws.com/my.bucket/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://storage.example.com", "my.bucket"), "http://my.bucket.storage.example.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("https://storage.example.com", "Old_Bucket"), "https://storage.example.com/Old_Bucket/a%20b/c%2Bd%25.txt");
}

TEST(Address, AddressesAndSingleLabelsTakeTheBucketInThePath) {
  EXPECT_EQ(url("http://127.0.0.1:9000", "bkt"), "http://127.0.0.1:9000/bkt/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://[::1]:9000", "bkt"), "http://[::1]:9000/bkt/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://localhost", "bkt"), "http://localhost/bkt/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://minio:9000", "bkt"), "http://minio:9000/bkt/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("https://s3.example.com", "bkt"), "https://bkt.s3.example.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("https://s3.example.com/base/", "bkt", "x1", true), "https://s3.example.com/base/bkt/a%20b/c%2Bd%25.txt");
}

TEST(Address, TheDefaultPortIsNoPartOfTheHost) {
  EXPECT_EQ(url("https://s3.example.com:443", "bkt"), "https://bkt.s3.example.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://s3.example.com:80", "bkt"), "http://bkt.s3.example.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("http://s3.example.com:443", "bkt"), "http://bkt.s3.example.com:443/a%20b/c%2Bd%25.txt");
}

TEST(Address, TheBucketItselfHasAPath) {
  EXPECT_EQ(address_of(Endpoint{}, "bkt", "eu-west-1", false).path_of_bucket(), "/");
  EXPECT_EQ(address_of(Endpoint{}, "bkt", "eu-west-1", true).path_of_bucket(), "/bkt");
}

TEST(Address, StandardAwsHostsMeanAwsByRegion) {
  const auto plain = parse_endpoint("https://s3.amazonaws.com");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->aws());
  EXPECT_EQ(plain->region, "us-east-1");
  const auto regional = parse_endpoint("https://s3.eu-central-1.amazonaws.com/");
  ASSERT_TRUE(regional);
  EXPECT_TRUE(regional->aws());
  EXPECT_EQ(regional->region, "eu-central-1");
  const auto vpc = parse_endpoint("https://bucket.vpce-1a2b-3c4d.s3.us-east-1.vpce.amazonaws.com");
  ASSERT_TRUE(vpc);
  EXPECT_FALSE(vpc->aws());
  EXPECT_TRUE(is_aws_host(vpc->host));
  EXPECT_FALSE(is_aws_host("s3.amazonaws.com.evil.example"));
  EXPECT_FALSE(is_aws_host("evilamazonaws.com"));
}

TEST(Address, EveryPartitionHasItsSuffix) {
  EXPECT_EQ(url("", "b-1", "eusc-de-east-1"), "https://b-1.s3.eusc-de-east-1.amazonaws.eu/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(dns_suffix_of("us-gov-west-1"), "amazonaws.com");
  EXPECT_EQ(dns_suffix_of("us-iso-east-1"), "c2s.ic.gov");
  EXPECT_EQ(dns_suffix_of("us-isob-east-1"), "sc2s.sgov.gov");
  EXPECT_TRUE(is_aws_host("b-1.s3.eusc-de-east-1.amazonaws.eu"));
  EXPECT_FALSE(is_aws_host("evilamazonaws.eu"));
}

TEST(Address, FipsAndDualstackHostsKeepTheirKindInEveryRegion) {
  EXPECT_EQ(url("https://s3.dualstack.us-east-1.amazonaws.com", "b-1"), "https://b-1.s3.dualstack.eu-west-1.amazonaws.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("https://s3-fips.us-east-1.amazonaws.com", "b-1", "us-west-2"), "https://b-1.s3-fips.us-west-2.amazonaws.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(url("https://s3-fips.dualstack.us-east-1.amazonaws.com", "b-1", "us-west-2"),
            "https://b-1.s3-fips.dualstack.us-west-2.amazonaws.com/a%20b/c%2Bd%25.txt");
  EXPECT_EQ(parse_endpoint("https://s3.dualstack.cn-north-1.amazonaws.com.cn")->region, "cn-north-1");
  for (const char* fixed : {"https://s3.cn-north-1.amazonaws.com", "https://s3.dualstack.amazonaws.com", "https://s3x.us-east-1.amazonaws.com",
                            "https://s3.us-east-1.amazonaws.com.evil.example", "https://s3.us-east-1.vpce.amazonaws.com"}) {
    EXPECT_FALSE(parse_endpoint(fixed)->aws()) << fixed;
  }
}

TEST(Address, BrokenEndpointsAreRefused) {
  for (const char* text : {"s3.example.com", "ftp://x", "https://", "https://a:0", "https://a:99999", "https://a:b", "https://user@host",
                           "https://host/?x", "https://ho st", "http://[::1", "http://[::1]x", "https://host:80:80"}) {
    EXPECT_EQ(code_of(parse_endpoint(text)), "invalid") << text;
  }
}

TEST(Address, BucketNamesCannotEscapeFromHostOrPath) {
  for (const char* good : {"abc", "my-bucket.1", "Old_Bucket"}) {
    EXPECT_EQ(code_of(check_bucket_name(good)), "") << good;
  }
  for (const char* bad : {"", "ab", "a/b", "a..b", ".abc", "abc.", "a b", "a@b", "a:b", "b\xC3\xBC" "cket", "a?b", "a%2f"}) {
    EXPECT_EQ(code_of(check_bucket_name(bad)), "invalid") << bad;
  }
}

TEST(Address, RegionNamesAreHarmless) {
  EXPECT_TRUE(is_region_name("eu-central-1"));
  EXPECT_TRUE(is_region_name("garage"));
  for (const char* bad : {"", "x", "eu.evil.com", "EU", "eu west", "-a1", "a1-", "evil.example/"}) {
    EXPECT_FALSE(is_region_name(bad)) << bad;
  }
}

}  // namespace prefixfs::s3

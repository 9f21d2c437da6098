// Who is granted what: kept with each version, and told.

#include <gmock/gmock.h>

#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kAll = "http://acs.amazonaws.com/groups/global/AllUsers";
const std::string kSomebody(64, 'a');

class Acls : public EndpointTest {
 protected:
  void SetUp() override {
    settings_.buckets = {{.name = "bucket", .region = {}, .require_sse = {}, .acls = true}, {.name = "enforced", .region = {}, .require_sse = {}}};
    EndpointTest::SetUp();
  }
  std::string acl(const std::string& key) { return send({.target = "/bucket/" + key + "?acl"}).body; }
};

TEST_F(Acls, TheDefaultIsTheOwnersAlone) {
  put("a", "x");
  EXPECT_THAT(acl("a"), HasSubstr("<Owner><ID>devs3</ID></Owner>"));
  EXPECT_THAT(acl("a"), HasSubstr("xsi:type=\"CanonicalUser\"><ID>devs3</ID></Grantee><Permission>FULL_CONTROL</Permission>"));
  EXPECT_THAT(acl("a"), Not(HasSubstr("URI")));
  EXPECT_EQ(send({.target = "/bucket/none?acl"}).code(), "NoSuchKey");
}

TEST_F(Acls, AreSaidByAWordOrByGrantsAndOnlyOfTheNewVersion) {
  put("a", "x", {{"x-amz-acl", "public-read"}});
  EXPECT_THAT(acl("a"), HasSubstr("xsi:type=\"Group\"><URI>" + kAll + "</URI></Grantee><Permission>READ</Permission>"));
  put("a", "x", {{"x-amz-grant-read", "id=\"" + kSomebody + "\", uri=" + kAll}, {"x-amz-grant-full-control", "id=devs3"}});
  restart();
  EXPECT_THAT(acl("a"), HasSubstr("<ID>" + kSomebody + "</ID></Grantee><Permission>READ</Permission>"));
  EXPECT_THAT(acl("a"), HasSubstr("<URI>" + kAll + "</URI></Grantee><Permission>READ</Permission>"));
  put("b", "", {{"x-amz-copy-source", "/bucket/a"}});
  EXPECT_THAT(acl("b"), Not(HasSubstr("READ"))) << "S3 copies no ACL";
  put("b", "", {{"x-amz-copy-source", "/bucket/a"}, {"x-amz-grant-read", "uri=" + kAll}});
  EXPECT_THAT(acl("b"), HasSubstr("READ"));
  EXPECT_THAT(acl("b"), Not(HasSubstr("FULL_CONTROL"))) << "grants replace the default";
  put("a", "x");
  EXPECT_THAT(acl("a"), Not(HasSubstr("READ")));
}

TEST_F(Acls, AreChangedBesideTheVersion) {
  const auto before = put("a", "x").headers.at("etag");
  EXPECT_EQ(send({.method = "PUT", .target = "/bucket/a?acl", .headers = {{"x-amz-acl", "public-read"}}}).status, 200);
  EXPECT_THAT(acl("a"), HasSubstr(kAll));
  EXPECT_EQ(head("a").headers.at("etag"), before);
  EXPECT_EQ(send({.method = "PUT", .target = "/bucket/a?acl", .body = "<AccessControlPolicy/>"}).status, 501);
}

TEST_F(Acls, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(put("a", "x", {{"x-amz-acl", "public"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a", "x", {{"x-amz-acl", "public-read"}, {"x-amz-grant-read", "id=devs3"}}).code(), "InvalidRequest");
  EXPECT_EQ(put("a", "x", {{"x-amz-grant-read", "id=nobody"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a", "x", {{"x-amz-grant-read", "uri=http://elsewhere"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a", "x", {{"x-amz-grant-write", "id=devs3"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a", "x", {{"x-amz-grant-read", "emailAddress=a@b.c"}}).code(), "UnresolvableGrantByEmailAddress");
  EXPECT_EQ(get("a").status, 404);
}

TEST_F(Acls, ABucketMayHaveNone) {
  const auto write = [&](HeaderList headers) { return send({.method = "PUT", .target = "/enforced/a", .headers = std::move(headers), .body = "x"}); };
  EXPECT_EQ(write({{"x-amz-acl", "public-read"}}).code(), "AccessControlListNotSupported");
  EXPECT_EQ(write({{"x-amz-grant-read", "uri=" + kAll}}).code(), "AccessControlListNotSupported");
  EXPECT_EQ(write({{"x-amz-acl", "bucket-owner-full-control"}}).status, 200);
  EXPECT_THAT(send({.target = "/enforced/a?acl"}).body, HasSubstr("FULL_CONTROL"));
}

TEST_F(Acls, AreNotToldOnceTheyAreTurnedOff) {
  put("a", "x", {{"x-amz-acl", "public-read"}});
  settings_.buckets = {};
  restart();
  EXPECT_THAT(acl("a"), HasSubstr("<ID>devs3</ID></Grantee><Permission>FULL_CONTROL</Permission>"));
  EXPECT_THAT(acl("a"), Not(HasSubstr("READ")));
}

}  // namespace
}  // namespace prefixfs::devs3

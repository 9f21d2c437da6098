// What an ACL grants: read, and sent along with the next version.

#include <gmock/gmock.h>

#include "unit/s3/fake_engine.h"
#include "xml_acl.h"

namespace prefixfs::s3 {

using test::answer;
using test::ClientBench;
using test::code_of;
using test::error_xml;
using test::put_text;
using test::SentRequest;
using test::why;
using testing::HasSubstr;

namespace {

const std::string kUri = "http://acs.amazonaws.com/groups/global/AllUsers";

std::string grant(const std::string& grantee, const std::string& permission) {
  return "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">" + grantee + "</Grantee>"
         "<Permission>" + permission + "</Permission></Grant>";
}

std::string policy(const std::string& grants) {
  return "<?xml version=\"1.0\"?><AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>me</ID><DisplayName>I</DisplayName></Owner>"
         "<AccessControlList>" + grants + "</AccessControlList></AccessControlPolicy>";
}

const std::string kMine = grant("<ID>me</ID><DisplayName>I</DisplayName>", "FULL_CONTROL");
const std::string kPublic = grant("<URI>" + kUri + "</URI>", "READ");

const Grants kPublicRead{.full_control = "id=\"me\"", .read = "uri=\"" + kUri + "\"", .read_acp = {}, .write_acp = {}};

ObjectHeaders with_grants() {
  ObjectHeaders headers;
  headers.grants = kPublicRead;
  return headers;
}

CopyOptions with_the_same() { return {.replace = {}, .storage = {}, .condition = {}, .grants = kPublicRead}; }

int told(const ClientBench& bench, std::string_view text) {
  return static_cast<int>(std::ranges::count_if(bench.log.lines, [&](const auto& line) { return line.second.contains(text); }));
}

http::Response denied(const std::string& right) {
  return answer(403, {}, error_xml("AccessDenied", "User: x is not authorized to perform: " + right + " on resource: y"));
}

http::Response written(const SentRequest& sent) {
  return answer(200, {{"etag", "\"e\""}}, sent.header("x-amz-copy-source").empty() ? "" : "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
}

}  // namespace

TEST(ReadAcl, WhatOnlyTheOwnerHasIsNoGrant) {
  EXPECT_EQ(read_acl(policy(kMine)).value(), Grants{});
  EXPECT_EQ(read_acl(policy("")).value(), Grants{});
  EXPECT_EQ(read_acl("<AccessControlPolicy><Owner><ID></ID></Owner><AccessControlList>" + grant("<ID></ID>", "FULL_CONTROL") +
                     "</AccessControlList></AccessControlPolicy>").value(), Grants{}) << "as MinIO says it";
  EXPECT_EQ(read_acl(policy(kMine + grant("<URI>" + kUri + "</URI>", "WRITE"))).value(), Grants{}) << "of no meaning for an object";
}

TEST(ReadAcl, NamesGranteesAsHeadersDo) {
  EXPECT_EQ(read_acl(policy(kMine + kPublic)).value(), kPublicRead);
  EXPECT_EQ(read_acl(policy(kPublic)).value(), kPublicRead) << "the owner does not lose what no grant takes away";
  const auto all = read_acl(policy(kMine + grant("<ID>you</ID>", "FULL_CONTROL") + kPublic + grant("<ID>you</ID>", "READ") + grant("<ID>he</ID>", "READ_ACP") +
                                   grant("<EmailAddress>a@b.c</EmailAddress>", "WRITE_ACP") + grant("<ID>they</ID>", "WRITE")));
  ASSERT_TRUE(all) << why(all);
  EXPECT_EQ(all->full_control, "id=\"me\", id=\"you\"");
  EXPECT_EQ(all->read, "uri=\"" + kUri + "\", id=\"you\"");
  EXPECT_EQ(all->read_acp, "id=\"he\"");
  EXPECT_EQ(all->write_acp, "emailAddress=\"a@b.c\"");
}

TEST(ReadAcl, RefusesWhatCannotBeTrusted) {
  std::string many;
  for (int i = 0; i <= 100; ++i) {
    many += grant("<ID>you</ID>", "READ");
  }
  const std::string long_id = "<ID>" + std::string(2000, 'x') + "</ID>";
  for (const std::string& body : {std::string(), std::string("<Other/>"), policy(kPublic).substr(0, 300), policy(many), policy(grant(long_id, "READ")),
                                  policy(grant("<ID>a\" , uri=\"b</ID>", "READ")), policy(grant("<ID>a\nb</ID>", "READ")), policy(grant("", "READ")),
                                  policy(grant("<ID>you</ID>", "OWN"))}) {
    EXPECT_EQ(code_of(read_acl(body)), "corrupt") << body.substr(0, 400);
  }
}

TEST(GetObjectAcl, IsAskedForOnceWhereThereAreNone) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int number) -> Result<http::Response> {
    EXPECT_THAT(sent.request.url, HasSubstr("/a?acl="));
    return number == 1 ? answer(200, {}, policy(kMine + kPublic)) : answer(501, {}, error_xml("NotImplemented"));
  };
  EXPECT_EQ(bench.client().acl(Key("a"), {}).value(), kPublicRead);
  EXPECT_EQ(bench.client().acl(Key("a"), {}).value(), Grants{});
  EXPECT_EQ(bench.client().acl(Key("a"), {}).value(), Grants{});
  EXPECT_EQ(bench.engine.sent.size(), 2U);
  EXPECT_EQ(told(bench, "there are no ACLs here"), 1);
}

TEST(GetObjectAcl, WhatMakesNoSenseIsCorrupt) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest&, int number) -> Result<http::Response> {
    if (number == 1) {
      return answer(200, {}, policy(grant("<Robot>R2</Robot>", "READ")));
    }
    return fail(Errc::too_large, "more than an answer has: the object itself");
  };
  const auto unknown = bench.client().acl(Key("a"), {});
  EXPECT_EQ(code_of(unknown), "corrupt");
  EXPECT_THAT(why(unknown), HasSubstr("GetObjectAcl of 'a': a grantee of the ACL has no name"));
  EXPECT_EQ(code_of(bench.client().acl(Key("a"), {})), "corrupt");
}

TEST(Grants, GoWithTheWriteItself) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    EXPECT_EQ(sent.header("x-amz-grant-full-control"), kPublicRead.full_control);
    EXPECT_EQ(sent.header("x-amz-grant-read"), kPublicRead.read);
    EXPECT_EQ(sent.header("x-amz-grant-read-acp"), "");
    if (sent.request.method == "POST") {
      return answer(200, {}, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    return written(sent);
  };
  EXPECT_EQ(code_of(put_text(bench.client(), Key("a"), "x", WriteCondition::none(), with_grants())), "");
  EXPECT_EQ(code_of(bench.client().create_upload(Key("a"), with_grants(), {})), "");
  EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("b"), with_the_same(), {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);
}

TEST(Grants, ABucketWithoutAclsIsFoundOutOnce) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int number) -> Result<http::Response> {
    EXPECT_EQ(sent.header("x-amz-grant-read").empty(), number > 1);
    return number == 1 ? answer(400, {}, error_xml("AccessControlListNotSupported")) : answer(200, {{"etag", "\"e\""}});
  };
  EXPECT_EQ(code_of(put_text(bench.client(), Key("a"), "x", WriteCondition::none(), with_grants())), "");
  EXPECT_EQ(code_of(put_text(bench.client(), Key("b"), "x", WriteCondition::none(), with_grants())), "");
  EXPECT_EQ(bench.client().acl(Key("a"), {}).value(), Grants{});
  EXPECT_EQ(bench.engine.sent.size(), 3U);
  EXPECT_EQ(told(bench, "there are no ACLs here"), 1);
}

TEST(Grants, ThatMayNotBeSetAreLeftAway) {
  for (const auto& refusal : {denied("s3:PutObjectAcl"), denied("s3:PutObject"), answer(403, {}, error_xml("AccessDenied")),
                              answer(400, {}, error_xml("InvalidArgument", "Invalid id"))}) {
    ClientBench bench;
    bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
      return sent.header("x-amz-grant-read").empty() ? written(sent) : refusal;
    };
    EXPECT_EQ(code_of(put_text(bench.client(), Key("a"), "x", WriteCondition::none(), with_grants())), "");
    EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("b"), with_the_same(), {})), "");
    EXPECT_EQ(told(bench, "sent again without the grants"), 2);
    EXPECT_THAT(bench.log.lines.back().second, HasSubstr("'b' is sent again without the grants of its ACL (x-amz-grant-full-control: id=\"me\"; x-amz-"));
  }
}

TEST(Grants, AreLeftAwayAfterTheTags) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (!sent.header("x-amz-tagging").empty()) {
      return denied("s3:PutObjectTagging");
    }
    return sent.header("x-amz-grant-read").empty() ? written(sent) : denied("s3:PutObjectAcl");
  };
  ObjectHeaders headers = with_grants();
  headers.tagging = "a=b";
  EXPECT_EQ(code_of(put_text(bench.client(), Key("a"), "x", WriteCondition::none(), headers)), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);
  EXPECT_EQ(told(bench, "'a' is written without its tags"), 1);
  EXPECT_EQ(told(bench, "'a' is sent again without the grants"), 1);
}

TEST(Grants, DoNotHideWhatElseIsRefused) {
  for (const auto& [refusal, code, requests] : {std::tuple(answer(400, {}, error_xml("InvalidRequest")), "invalid", 1U),
                                                std::tuple(answer(403, {}, error_xml("KMS.DisabledException")), "denied", 1U),
                                                std::tuple(denied("kms:GenerateDataKey"), "denied", 1U),
                                                std::tuple(answer(403, {}, error_xml("AccessDenied")), "denied", 2U)}) {
    ClientBench bench;
    bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return refusal; };
    EXPECT_EQ(code_of(put_text(bench.client(), Key("a"), "x", WriteCondition::none(), with_grants())), code);
    EXPECT_EQ(bench.engine.sent.size(), requests);
  }
}

TEST(Grants, GoWithACopyThatMayBeTriedAgain) {
  ClientBench bench;
  SystemRandom random;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    EXPECT_EQ(sent.header("x-amz-grant-read"), kPublicRead.read);
    return written(sent);
  };
  const auto retrying = make_retry_store(bench.client(), {}, bench.clock, random, bench.log);
  EXPECT_EQ(code_of(retrying->copy({Key("a"), {}}, Key("b"), with_the_same(), {})), "");
}

}  // namespace prefixfs::s3

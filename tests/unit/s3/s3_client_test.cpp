// The operations against scripted answers: what S3 servers get wrong, and what S3 does only now and then.

#include "s3_client.h"

#include <gmock/gmock.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

using test::answer;
using test::ClientBench;
using test::code_of;
using test::error_xml;
using test::SentRequest;
using test::StringSink;
using test::why;
using testing::HasSubstr;

namespace {

// The CRC64NVME of "123456789".
constexpr const char* kDigits = "123456789";
constexpr const char* kDigitsCrc = "rosUhgp5mIg=";

using Headers = std::vector<http::Header>;

Headers object_headers(Headers more) {
  more.push_back({"etag", "\"e\""});
  return more;
}

std::string get_with(http::Response response, const GetOptions& options = {}, std::string* text = nullptr) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return response; };
  StringSink sink;
  const std::string code = code_of(bench.client().get(Key("a"), options, sink, {}));
  if (text != nullptr) {
    *text = sink.text;
  }
  return code;
}

GetOptions range(std::uint64_t begin, std::uint64_t end) {
  GetOptions options;
  options.range = ByteRange{begin, end};
  return options;
}

}  // namespace

TEST(GetObject, VerifiesTheChecksumOfAWholeObject) {
  std::string text;
  const Headers good = object_headers({{"content-length", "9"}, {"x-amz-checksum-crc64nvme", kDigitsCrc}});
  EXPECT_EQ(get_with(answer(200, good, kDigits), {}, &text), "");
  EXPECT_EQ(text, kDigits);
  EXPECT_EQ(get_with(answer(200, good, "123456780")), "corrupt");
  // Of a part nothing can be said.
  const Headers part =
      object_headers({{"content-length", "3"}, {"content-range", "bytes 0-2/9"}, {"x-amz-checksum-crc64nvme", kDigitsCrc}});
  EXPECT_EQ(get_with(answer(206, part, "123"), range(0, 3)), "");
}

TEST(GetObject, ChecksWhatArrives) {
  EXPECT_EQ(get_with(answer(200, {{"content-length", "3"}}, "abc")), "corrupt");                                        // no ETag
  EXPECT_EQ(get_with(answer(200, object_headers({{"content-length", "5"}}), "abc")), "unavailable");                    // cut short
  EXPECT_EQ(get_with(answer(200, object_headers({{"content-length", "2"}}), "abc")), "corrupt");                        // too much
  EXPECT_EQ(get_with(answer(200, object_headers({}), "abc")), "corrupt");                                               // no length
  EXPECT_EQ(get_with(answer(206, object_headers({{"content-range", "bytes 1-3/9"}}), "bcd"), range(0, 3)), "corrupt");  // another range
  EXPECT_EQ(get_with(answer(206, object_headers({{"content-range", "rubbish"}}), "abc"), range(0, 3)), "corrupt");
  EXPECT_EQ(get_with(answer(200, object_headers({{"content-length", "9"}}), kDigits), range(0, 3)), "corrupt");  // Range ignored
  EXPECT_EQ(get_with(answer(200, object_headers({{"content-length", "9"}}), kDigits), range(0, 100)), "");       // of no matter
  GetOptions other;
  other.if_match = ETag::from_wire("another");
  EXPECT_EQ(get_with(answer(200, object_headers({{"content-length", "3"}}), "abc"), other), "conflict");  // If-Match ignored
}

TEST(GetObject, A416OfAnEmptyObjectIsAnEmptyBody) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    return sent.request.method == "HEAD" ? answer(200, object_headers({{"content-length", "0"}}))
                                         : answer(416, {}, error_xml("InvalidRange"));
  };
  StringSink sink;
  const auto got = bench.client().get(Key("a"), range(0, 4096), sink, {});
  ASSERT_TRUE(got) << why(got);
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(got->info.etag.str(), "e");
  // Where S3 tells the size, nobody needs to ask.
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return answer(416, {{"content-range", "bytes */7"}}, error_xml("InvalidRange"));
  };
  bench.engine.sent.clear();
  EXPECT_EQ(code_of(bench.client().get(Key("a"), range(7, 4096), sink, {})), "invalid");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
}

TEST(GetObject, AnEmptyObjectThatIsFilledBetweenTwoRequestsIsAskedForAgain) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return answer(200, object_headers({{"content-length", "3"}}));
    }
    return bench.engine.sent.size() == 1 ? answer(416, {}, error_xml("InvalidRange"))
                                         : answer(206, object_headers({{"content-length", "3"}, {"content-range", "bytes 0-2/3"}}), "abc");
  };
  StringSink sink;
  const auto got = bench.client().get(Key("a"), range(0, 4096), sink, {});
  ASSERT_TRUE(got) << why(got);
  EXPECT_EQ(sink.text, "abc");
}

TEST(PutObject, SendsAndComparesTheChecksum) {
  ClientBench bench;
  std::string echo = kDigitsCrc;
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> {
    return answer(200, object_headers({{"x-amz-checksum-crc64nvme", echo}, {"x-amz-version-id", "v7"}}));
  };
  const auto put = test::put_text(bench.client(), Key("a"), kDigits);
  ASSERT_TRUE(put) << why(put);
  EXPECT_EQ(put->etag.str(), "e");
  EXPECT_EQ(put->version_id, "v7");
  EXPECT_EQ(put->crc64nvme, 0xae8b14860a799888ULL);
  const SentRequest& sent = bench.engine.sent.at(0);
  EXPECT_EQ(sent.header("x-amz-checksum-crc64nvme"), kDigitsCrc);
  EXPECT_EQ(sent.header("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(sent.header("content-md5"), "");
  EXPECT_EQ(sent.body, kDigits);
  EXPECT_EQ(bench.client().capabilities().crc64nvme, Support::yes);
  echo = "AAAAAAAAAAA=";
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), kDigits)), "corrupt");
}

TEST(PutObject, TagsThatMayNotBeSetAreLeftAway) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (!sent.header("x-amz-tagging").empty()) {
      return answer(403, {}, error_xml("AccessDenied", "User: x is not authorized to perform: s3:PutObjectTagging on resource: y"));
    }
    return sent.request.method == "POST"
               ? answer(200, {}, "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>")
               : answer(200, {{"etag", "\"e\""}});
  };
  ObjectHeaders tagged;
  tagged.tagging = "team=a";
  const auto put = test::put_text(bench.client(), Key("a"), "x", WriteCondition::none(), tagged);
  EXPECT_TRUE(put) << why(put);
  EXPECT_EQ(bench.engine.sent.size(), 2U);
  EXPECT_THAT(bench.log.lines.front().second, HasSubstr("s3:PutObjectTagging"));
  const auto upload = bench.client().create_upload(Key("a"), tagged, {});
  EXPECT_TRUE(upload) << why(upload);
}

TEST(PutObject, FallsBackToContentMd5AndRemembers) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (!sent.header("x-amz-checksum-crc64nvme").empty()) {
      return answer(400, {}, error_xml("InvalidRequest", "Value for x-amz-checksum-crc64nvme header is invalid."));
    }
    EXPECT_EQ(sent.header("content-md5"), "JfnnlDI7RTiF9RgfG2JNCw==");
    return answer(200, object_headers({}));
  };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), kDigits)), "");
  EXPECT_EQ(bench.engine.sent.size(), 2U);
  EXPECT_EQ(bench.client().capabilities().crc64nvme, Support::no);
  bench.store.reset();
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), kDigits)), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);
}

TEST(PutObject, OtherRefusalsDoNotTeachAboutChecksums) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return answer(400, {}, error_xml("InvalidArgument", "no"));
  };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "x")), "invalid");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
  EXPECT_EQ(bench.client().capabilities().crc64nvme, Support::unknown);
}

TEST(PutObject, ProvesConditionsByTheSameBytesAgain) {
  ClientBench bench;
  int puts = 0;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return answer(404);
    }
    EXPECT_EQ(sent.header("if-none-match"), "*");
    EXPECT_EQ(sent.body, "mine");
    return ++puts == 1 ? answer(200, object_headers({})) : answer(412, {}, error_xml("PreconditionFailed"));
  };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "mine", WriteCondition::if_absent())), "");
  EXPECT_EQ(puts, 2);
  EXPECT_EQ(bench.client().capabilities().conditional_put, Support::yes);
  // From now on one request tells all.
  bench.engine.sent.clear();
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "mine", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
}

TEST(PutObject, AnEndpointThatIgnoresConditionsIsAskedByHead) {
  ClientBench bench;
  std::string stored;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return stored.empty() ? answer(404) : answer(200, {{"etag", "\"" + stored + "\""}, {"content-length", "4"}});
    }
    stored = sent.body;
    return answer(200, {{"etag", "\"" + stored + "\""}});
  };
  ObjectStore& client = bench.client();
  EXPECT_EQ(code_of(test::put_text(client, Key("a"), "one", WriteCondition::if_absent())), "");
  EXPECT_EQ(client.capabilities().conditional_put, Support::no);
  EXPECT_EQ(code_of(test::put_text(client, Key("a"), "two", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(stored, "one");
  EXPECT_EQ(code_of(test::put_text(client, Key("a"), "two", WriteCondition::if_match(ETag::from_wire("old")))), "conflict");
  EXPECT_EQ(stored, "one");
  EXPECT_EQ(code_of(test::put_text(client, Key("a"), "two", WriteCondition::if_match(ETag::from_wire("one")))), "");
  EXPECT_EQ(stored, "two");
}

TEST(PutObject, AnEndpointThatRefusesTheHeaderGetsNone) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return answer(404);
    }
    return sent.header("if-none-match").empty() ? answer(200, object_headers({})) : answer(501, {}, error_xml("NotImplemented"));
  };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "x", WriteCondition::if_absent())), "");
  EXPECT_EQ(bench.client().capabilities().conditional_put, Support::no);
}

TEST(PutObject, OnAwsEverythingIsKnownFromTheStart) {
  ClientBench bench("");
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return answer(200, object_headers({})); };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "x", WriteCondition::if_absent())), "");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
  const Capabilities known = bench.client().capabilities();
  EXPECT_EQ(known.conditional_put, Support::yes);
  EXPECT_EQ(known.conditional_copy, Support::yes);
}

TEST(PutObject, IfMatchOnWhatIsGoneIsAConflict) {
  ClientBench bench("");
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return answer(404, {}, error_xml("NoSuchKey")); };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "x", WriteCondition::if_match(ETag::from_wire("e")))), "conflict");
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return answer(404, {}, error_xml("NoSuchBucket")); };
  EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "x", WriteCondition::if_match(ETag::from_wire("e")))), "not_found");
}

TEST(DeleteObject, LearnsConditionsOnAnObjectThatIsToGo) {
  ClientBench bench;
  bool there = true;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return there ? answer(200, object_headers({{"content-length", "1"}})) : answer(404);
    }
    if (sent.header("if-match") != "\"e\"") {
      return answer(412, {}, error_xml("PreconditionFailed"));
    }
    there = false;
    return answer(204);
  };
  EXPECT_EQ(code_of(bench.client().remove(Key("a"), ETag::from_wire("other"), {})), "conflict");
  EXPECT_TRUE(there);
  EXPECT_EQ(code_of(bench.client().remove(Key("a"), ETag::from_wire("e"), {})), "");
  EXPECT_FALSE(there);
  EXPECT_EQ(bench.client().capabilities().conditional_delete, Support::yes);
}

TEST(DeleteObject, WhereTheHeaderIsIgnoredHeadComparesFirst) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    return sent.request.method == "HEAD" ? answer(200, object_headers({{"content-length", "1"}})) : answer(204);
  };
  EXPECT_EQ(code_of(bench.client().remove(Key("a"), ETag::from_wire("e"), {})), "");
  EXPECT_EQ(bench.client().capabilities().conditional_delete, Support::no);
  bench.engine.sent.clear();
  EXPECT_EQ(code_of(bench.client().remove(Key("a"), ETag::from_wire("other"), {})), "conflict");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
}

TEST(DeleteObjects, TellsOfEveryKey) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "DELETE") {
      return answer(204);
    }
    EXPECT_NE(sent.header("content-md5"), "");
    return answer(200, {},
                  "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>");
  };
  const std::vector<RemoveTarget> keys{{Key("a")}, {Key("b")}, {Key("forgotten")}, {Key("line\nbreak")}};
  const auto outcomes = bench.client().remove_many(keys, {});
  ASSERT_TRUE(outcomes) << why(outcomes);
  std::map<std::string, std::string> codes;
  for (const DeleteOutcome& outcome : *outcomes) {
    codes[outcome.key.str()] = outcome.error ? std::string(to_string(outcome.error->code)) : "";
  }
  EXPECT_EQ(codes, (std::map<std::string, std::string>{{"a", ""}, {"b", "denied"}, {"forgotten", "unavailable"}, {"line\nbreak", ""}}));
  EXPECT_EQ(bench.engine.sent.size(), 2U);  // XML cannot carry a line break, so that key went alone
  EXPECT_EQ(code_of(bench.client().remove_many(std::vector<RemoveTarget>(1001, {Key("x")}), {})), "invalid");
}

TEST(CopyObject, AnErrorInsideA200IsAnError) {
  ClientBench bench;
  std::string body = "\n\n<?xml version=\"1.0\"?>" + std::string("<Error><Code>InternalError</Code><Message>m</Message></Error>");
  body = body.substr(0, 2) + body.substr(2);
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return answer(200, {}, body); };
  const auto copied = bench.client().copy({Key("a"), {}}, Key("b"), {}, {});
  EXPECT_EQ(code_of(copied), "unavailable");
  EXPECT_EQ(copied.error().origin.s3_code, "InternalError");
  EXPECT_EQ(copied.error().origin.http_status, 200);
  for (const char* cut : {"", "<CopyObjectResult><ETag>", "<CopyObjectResult/>", "<html/>"}) {
    body = cut;
    EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("b"), {}, {})), "unavailable") << cut;
  }
}

TEST(CopyObject, EncodesItsSourceAndStatesItsDirective) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> {
    return answer(200, {}, "<CopyObjectResult><ETag>\"n\"</ETag></CopyObjectResult>");
  };
  EXPECT_EQ(code_of(bench.client().copy({Key("a b/\xC3\xBC+"), ETag::from_wire("e")}, Key("b"), {}, {})), "");
  const SentRequest first = bench.engine.sent.at(0);
  EXPECT_EQ(first.header("x-amz-copy-source"), "bucket/a%20b/%C3%BC%2B");
  EXPECT_EQ(first.header("x-amz-copy-source-if-match"), "\"e\"");
  EXPECT_EQ(first.header("x-amz-metadata-directive"), "COPY");
  EXPECT_EQ(first.header("x-amz-server-side-encryption"), "AES256");
  CopyOptions options;
  options.replace = ObjectHeaders{};
  options.replace->user_metadata = {{"k", "v"}};
  EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("a"), options, {})), "");
  EXPECT_EQ(bench.engine.sent.at(1).header("x-amz-metadata-directive"), "REPLACE");
  EXPECT_EQ(bench.engine.sent.at(1).header("x-amz-meta-k"), "v");
}

/// How an endpoint takes copies with a condition, and what is learnt of that.
struct ConditionalCopies {
  bool honours = true;
  bool refuses_the_header = false;
  bool source_changes = false;
  std::vector<std::string> seen{};
  ClientBench bench{};

  Support copy_once() {
    bool there = false;
    bench.engine.handler = [&, this](const SentRequest& sent, int) -> Result<http::Response> {
      seen.push_back(sent.request.method);
      const bool source = sent.request.url.find("/source") != std::string::npos;
      if (sent.request.method == "HEAD") {
        return source || there ? answer(200, source && source_changes ? Headers{{"content-length", "1"}, {"etag", "\"other\""}} : object_headers({{"content-length", "1"}})) : answer(404);
      }
      const bool conditional = !sent.header("if-none-match").empty();
      if (conditional && refuses_the_header) {
        return answer(501, {}, error_xml("NotImplemented"));
      }
      if ((conditional && there && honours) || (there && source_changes)) {
        return answer(412, {}, error_xml("PreconditionFailed"));
      }
      there = true;
      return answer(200, {}, "<CopyObjectResult><ETag>\"n\"</ETag></CopyObjectResult>");
    };
    CopyOptions options;
    options.condition = WriteCondition::if_absent();
    EXPECT_EQ(code_of(bench.client().copy({Key("source"), ETag::from_wire("e")}, Key("new"), options, {})), "");
    return bench.client().capabilities().conditional_copy;
  }
};

TEST(CopyObject, WhetherConditionsAreHonouredIsLearntFromTheFirst) {
  ConditionalCopies honouring;
  EXPECT_EQ(honouring.copy_once(), Support::yes);
  EXPECT_EQ(honouring.seen, (std::vector<std::string>{"HEAD", "PUT", "PUT", "HEAD"}));
  honouring.seen.clear();
  EXPECT_EQ(honouring.copy_once(), Support::yes);
  EXPECT_EQ(honouring.seen, (std::vector<std::string>{"PUT"})) << "it is known by now";
  EXPECT_EQ(ConditionalCopies{.honours = false}.copy_once(), Support::no);
  EXPECT_EQ(ConditionalCopies{.refuses_the_header = true}.copy_once(), Support::no);
  EXPECT_EQ(ConditionalCopies{.source_changes = true}.copy_once(), Support::unknown) << "the other condition has failed, perhaps";
}

TEST(CopyObject, TagsAreTheSourcesUnlessOnesOwnAreGiven) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> {
    return answer(200, {}, "<CopyObjectResult><ETag>\"n\"</ETag></CopyObjectResult>");
  };
  CopyOptions options;
  options.replace = ObjectHeaders{};
  options.replace->tagging = "a=b";
  EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("b"), options, {})), "");
  EXPECT_EQ(bench.engine.sent.at(0).header("x-amz-tagging-directive"), "");
  EXPECT_EQ(bench.engine.sent.at(0).header("x-amz-tagging"), "");
  options.own_tags = true;
  EXPECT_EQ(code_of(bench.client().copy({Key("a"), {}}, Key("b"), options, {})), "");
  EXPECT_EQ(bench.engine.sent.at(1).header("x-amz-tagging-directive"), "REPLACE");
  EXPECT_EQ(bench.engine.sent.at(1).header("x-amz-tagging"), "a=b");
}

TEST(Multipart, OnAwsTheWholeObjectsChecksumIsSentAndCompared) {
  ClientBench bench("");
  std::string whole;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "PUT") {
      EXPECT_EQ(sent.header("x-amz-server-side-encryption"), "");
      return answer(200, object_headers({{"x-amz-checksum-crc64nvme", sent.header("x-amz-checksum-crc64nvme")}}));
    }
    if (sent.request.url.find("uploads=") != std::string::npos) {
      EXPECT_EQ(sent.header("x-amz-checksum-algorithm"), "CRC64NVME");
      EXPECT_EQ(sent.header("x-amz-checksum-type"), "FULL_OBJECT");
      EXPECT_EQ(sent.header("x-amz-server-side-encryption"), "AES256");
      return answer(200, {}, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    EXPECT_EQ(sent.header("x-amz-checksum-crc64nvme"), kDigitsCrc);
    EXPECT_THAT(sent.body, HasSubstr("<ChecksumCRC64NVME>"));
    return answer(200, {}, whole);
  };
  ObjectStore& client = bench.client();
  const auto id = client.create_upload(Key("a"), {}, {});
  ASSERT_TRUE(id) << why(id);
  std::vector<UploadedPart> parts;
  for (const auto& [number, text] : {std::pair{1, "1234"}, {2, "56789"}}) {
    const auto part = client.upload_part(Key("a"), *id, number, test::TextSource(text), {});
    ASSERT_TRUE(part) << why(part);
    parts.push_back(*part);
  }
  whole = std::string("<CompleteMultipartUploadResult><ETag>\"w-2\"</ETag><ChecksumCRC64NVME>") + kDigitsCrc +
          "</ChecksumCRC64NVME></CompleteMultipartUploadResult>";
  const auto done = client.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {});
  ASSERT_TRUE(done) << why(done);
  EXPECT_EQ(done->etag.str(), "w-2");
  EXPECT_EQ(done->crc64nvme, 0xae8b14860a799888ULL);
  whole =
      "<CompleteMultipartUploadResult><ETag>\"w-2\"</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></"
      "CompleteMultipartUploadResult>";
  EXPECT_EQ(code_of(client.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "corrupt");
  whole = " <Error><Code>InternalError</Code></Error>";
  EXPECT_EQ(code_of(client.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "unavailable");
  whole = "";
  EXPECT_EQ(code_of(client.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "unavailable");
}

TEST(ListObjectsV2, AListingThatTurnsInACircleIsCorrupt) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    EXPECT_THAT(sent.request.url, HasSubstr("encoding-type=url"));
    return answer(200, {},
                  "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>");
  };
  ListOptions options;
  EXPECT_EQ(code_of(bench.client().list(options, {})), "");
  options.continuation_token = "t";
  EXPECT_EQ(code_of(bench.client().list(options, {})), "corrupt");
}

TEST(ListMultipartUploads, FollowsThePages) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int number) -> Result<http::Response> {
    if (number == 1) {
      return answer(
          200, {},
          "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>p/a</NextKeyMarker>"
          "<NextUploadIdMarker>1</NextUploadIdMarker><Upload><Key>p/a</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>");
    }
    EXPECT_THAT(sent.request.url, HasSubstr("key-marker=p%2Fa&"));
    return answer(200, {},
                  "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>p/b</Key><UploadId>2</UploadId></Upload></"
                  "ListMultipartUploadsResult>");
  };
  const auto uploads = bench.client().list_uploads("p/", {});
  ASSERT_TRUE(uploads) << why(uploads);
  ASSERT_EQ(uploads->size(), 2U);
  EXPECT_EQ((*uploads)[1].id, "2");
}

}  // namespace prefixfs::s3

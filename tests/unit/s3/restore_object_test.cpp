#include <gmock/gmock.h>

#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

using test::answer;
using test::ClientBench;
using test::code_of;
using test::error_xml;
using test::SentRequest;
using test::why;
using testing::HasSubstr;

namespace {

Result<RestoreState> restore_with(http::Response response) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> { return response; };
  return bench.client().restore(Key("a"), {}, {});
}

}  // namespace

TEST(RestoreObject, AsksForTheDaysAndTheTier) {
  ClientBench bench;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    EXPECT_EQ(sent.request.method, "POST");
    EXPECT_THAT(sent.request.url, HasSubstr("/a?restore="));
    EXPECT_THAT(sent.body, HasSubstr("<Days>2</Days><GlacierJobParameters><Tier>Expedited</Tier>"));
    EXPECT_NE(sent.header("content-md5"), "");
    return answer(202);
  };
  const auto asked = bench.client().restore(Key("a"), {.days = 2, .tier = "Expedited"}, {});
  ASSERT_TRUE(asked) << why(asked);
  EXPECT_EQ(code_of(bench.client().restore(Key("a"), {.days = 0}, {})), "invalid");
  EXPECT_EQ(bench.engine.sent.size(), 1U);
}

TEST(RestoreObject, TellsWhatS3Makes) {
  EXPECT_EQ(restore_with(answer(202)).value(), RestoreState::started);
  EXPECT_EQ(restore_with(answer(200)).value(), RestoreState::restored);
  EXPECT_EQ(restore_with(answer(409, {}, error_xml("RestoreAlreadyInProgress"))).value(), RestoreState::in_progress);
  EXPECT_EQ(restore_with(answer(403, {}, error_xml("InvalidObjectState"))).value(), RestoreState::not_archived);
  EXPECT_EQ(code_of(restore_with(answer(403, {}, error_xml("AccessDenied")))), "denied");
  EXPECT_EQ(code_of(restore_with(answer(404, {}, error_xml("NoSuchKey")))), "not_found");
  EXPECT_EQ(code_of(restore_with(answer(503, {}, error_xml("GlacierExpeditedRetrievalNotAvailable")))), "unsupported");
}

}  // namespace prefixfs::s3

#include "classify.h"

#include <gmock/gmock.h>

namespace prefixfs::s3 {

using testing::HasSubstr;
using testing::Not;

namespace {

struct Case {
  int status;
  const char* s3_code;
  Errc expected;
};

Refusal refusal(int status, const std::string& code, const std::string& message = {}) {
  Refusal r;
  r.operation = "GetObject";
  r.bucket = "bkt";
  r.key = "a/b";
  r.http_status = status;
  r.s3_code = code;
  r.message = message;
  r.signed_for = "us-east-1";
  r.request_id = "REQ";
  return r;
}

}  // namespace

TEST(Classify, OneRowEach) {
  const Case cases[] = {
      {404, "NoSuchKey", Errc::not_found},
      {404, "NoSuchBucket", Errc::not_found},
      {404, "NoSuchUpload", Errc::not_found},
      {404, "NoSuchVersion", Errc::not_found},
      {403, "AccessDenied", Errc::denied},
      {403, "AllAccessDisabled", Errc::denied},
      {403, "AccountProblem", Errc::denied},
      {403, "NotSignedUp", Errc::denied},
      {405, "MethodNotAllowed", Errc::denied},
      {400, "KMS.DisabledException", Errc::denied},
      {400, "KMS.NotFoundException", Errc::denied},
      {400, "KMS.InvalidStateException", Errc::denied},
      {403, "InvalidAccessKeyId", Errc::credentials},
      {403, "SignatureDoesNotMatch", Errc::credentials},
      {400, "ExpiredToken", Errc::credentials},
      {400, "InvalidToken", Errc::credentials},
      {400, "TokenRefreshRequired", Errc::credentials},
      {403, "RequestTimeTooSkewed", Errc::credentials},
      {400, "AuthorizationHeaderMalformed", Errc::credentials},
      {301, "PermanentRedirect", Errc::wrong_region},
      {307, "TemporaryRedirect", Errc::wrong_region},
      {400, "IllegalLocationConstraintException", Errc::wrong_region},
      {412, "PreconditionFailed", Errc::conflict},
      {409, "ConditionalRequestConflict", Errc::conflict},
      {409, "OperationAborted", Errc::conflict},
      {503, "SlowDown", Errc::throttled},
      {503, "ServiceUnavailable", Errc::throttled},
      {400, "RequestLimitExceeded", Errc::throttled},
      {400, "KMS.ThrottlingException", Errc::throttled},
      {500, "InternalError", Errc::unavailable},
      {200, "InternalError", Errc::unavailable},
      {200, "SlowDown", Errc::throttled},
      {400, "RequestTimeout", Errc::unavailable},
      {400, "IncompleteBody", Errc::unavailable},
      {400, "BadDigest", Errc::unavailable},
      {400, "XAmzContentSHA256Mismatch", Errc::unavailable},
      {400, "EntityTooLarge", Errc::too_large},
      {400, "MetadataTooLarge", Errc::too_large},
      {400, "KeyTooLongError", Errc::name_too_long},
      {403, "QuotaExceeded", Errc::no_space},
      {507, "XMinioStorageFull", Errc::no_space},
      {403, "InvalidObjectState", Errc::unsupported},
      {409, "RestoreAlreadyInProgress", Errc::conflict},
      {400, "AccessControlListNotSupported", Errc::unsupported},
      {503, "GlacierExpeditedRetrievalNotAvailable", Errc::unsupported},
      {501, "NotImplemented", Errc::unsupported},
      {400, "InvalidStorageClass", Errc::unsupported},
      {400, "InvalidEncryptionAlgorithmError", Errc::unsupported},
      {400, "InvalidArgument", Errc::invalid},
      {400, "InvalidPart", Errc::invalid},
      {400, "EntityTooSmall", Errc::invalid},
      {416, "InvalidRange", Errc::invalid},
      // Codes nobody has heard of, and none at all.
      {400, "Strange", Errc::invalid},
      {400, "", Errc::invalid},
      {301, "", Errc::wrong_region},
      {401, "", Errc::credentials},
      {403, "", Errc::denied},
      {404, "", Errc::not_found},
      {405, "", Errc::unsupported},
      {408, "", Errc::unavailable},
      {409, "", Errc::conflict},
      {412, "", Errc::conflict},
      {413, "", Errc::too_large},
      {429, "", Errc::throttled},
      {500, "", Errc::unavailable},
      {501, "", Errc::unsupported},
      {502, "", Errc::unavailable},
      {503, "", Errc::throttled},
      {504, "", Errc::unavailable},
      {507, "", Errc::no_space},
      {520, "", Errc::unavailable},
      {200, "Strange", Errc::unavailable},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(to_string(classify(refusal(one.status, one.s3_code)).code), to_string(one.expected)) << one.status << " " << one.s3_code;
  }
}

TEST(Classify, KeepsTheEvidence) {
  Refusal r = refusal(503, "SlowDown", "Please reduce your request rate.");
  r.retry_after_seconds = 7;
  const Error error = classify(r);
  EXPECT_EQ(error.origin.operation, "GetObject");
  EXPECT_EQ(error.origin.key, "a/b");
  EXPECT_EQ(error.origin.http_status, 503);
  EXPECT_EQ(error.origin.s3_code, "SlowDown");
  EXPECT_EQ(error.origin.request_id, "REQ");
  EXPECT_EQ(error.origin.retry_after_seconds, 7);
  EXPECT_THAT(error.what, HasSubstr("s3://bkt/a/b"));
  EXPECT_THAT(error.what, HasSubstr("Please reduce your request rate."));
}

TEST(Classify, NamesTheMissingRight) {
  Refusal r =
      refusal(403, "AccessDenied",
              "User: arn:aws:iam::1:user/app is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::bkt/a/b\" because no "
              "identity-based policy allows the s3:PutObject action");
  r.operation = "PutObject";
  const Error error = classify(r);
  EXPECT_EQ(error.code, Errc::denied);
  EXPECT_THAT(error.what, HasSubstr("the credentials lack the right s3:PutObject"));
  EXPECT_EQ(error.origin.missing_right, "s3:PutObject");
  EXPECT_EQ(classify(refusal(403, "AccessDenied", "Access Denied")).origin.missing_right, "");
  EXPECT_EQ(missing_right("is not authorized to perform: kms:GenerateDataKey on resource"), "kms:GenerateDataKey");
  EXPECT_EQ(missing_right("Access Denied"), "");
}

TEST(Classify, ALackOfListBucketMeansAbsentForEveryOperationOnAKey) {
  const char* message = "User: x is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::bkt\"";
  for (const char* operation : {"GetObject", "HeadObject", "CopyObject", "UploadPartCopy", "PutObject", "CompleteMultipartUpload"}) {
    Refusal absent = refusal(403, "AccessDenied", message);
    absent.operation = operation;
    const Error error = classify(absent);
    EXPECT_EQ(error.code, Errc::not_found) << operation;
    EXPECT_EQ(error.origin.missing_right, "s3:ListBucket");
  }
  Refusal list = refusal(403, "AccessDenied", message);
  list.key.clear();
  list.operation = "ListObjectsV2";
  EXPECT_EQ(classify(list).code, Errc::denied);
}

TEST(Classify, TellsTheRegions) {
  Refusal r = refusal(400, "AuthorizationHeaderMalformed");
  r.region = "eu-west-1";
  const Error error = classify(r);
  EXPECT_EQ(error.code, Errc::wrong_region);
  EXPECT_THAT(error.what, HasSubstr("bucket bkt is in eu-west-1, not us-east-1"));
  r.s3_code = "TemporaryRedirect";
  r.region = "us-east-1";
  EXPECT_EQ(classify(r).code, Errc::unavailable);  // a new bucket whose name is not known everywhere yet
}

TEST(Classify, AHeads400ThatNamesAnotherRegionIsTheWrongRegion) {
  Refusal r = refusal(400, "");
  r.region = "eu-west-1";
  EXPECT_EQ(classify(r).code, Errc::wrong_region);
  r.region = r.signed_for;
  EXPECT_EQ(classify(r).code, Errc::invalid);
}

TEST(Classify, TheServersWordsAreCleanedAndCut) {
  const Error error = classify(refusal(400, "Bad\nCode", "line\x1b[31m\n" + std::string(5000, 'x')));
  EXPECT_THAT(error.what, Not(HasSubstr("\n")));
  EXPECT_THAT(error.what, Not(HasSubstr("\x1b")));
  EXPECT_LT(error.what.size(), 600U);
  EXPECT_EQ(error.origin.s3_code, "Bad Code");
}

}  // namespace prefixfs::s3

#include <gmock/gmock.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/crc64nvme.h"
#include "support/store_calls.h"
#include "xml_answers.h"
#include "xml_listing.h"
#include "xml_parser.h"
#include "xml_writer.h"

namespace prefixfs::s3 {

using test::code_of;
using test::why;
using testing::ElementsAre;

namespace {

std::vector<std::string> parse(std::string_view document) {
  std::vector<std::string> seen;
  XmlCallbacks callbacks;
  callbacks.close = [&](std::string_view path, const std::string& text) { seen.push_back(std::string(path) + "=" + text); };
  const auto root = parse_xml(document, callbacks);
  EXPECT_TRUE(root) << why(root);
  return seen;
}

std::string refusal(std::string_view document) { return code_of(parse_xml(document, {})); }

}  // namespace

TEST(XmlParser, GivesPathsAndTexts) {
  EXPECT_THAT(parse("<?xml version=\"1.0\"?><R xmlns=\"http://x/\"><A><B>1 &amp; 2</B><B><![CDATA[<x>]]></B></A><C/></R>"),
              ElementsAre("A/B=1 & 2", "A/B=<x>", "A=", "C="));
  EXPECT_THAT(parse("\n\n  <?xml version=\"1.0\"?><s:R xmlns:s=\"http://x/\"><s:A>\xC3\xA9&#233;</s:A></s:R>"),
              ElementsAre("A=\xC3\xA9\xC3\xA9"));
}

TEST(XmlParser, RefusesWhatIsNoXml) {
  for (const char* text : {"", "   ", "x", "<a>", "<a></b>", "<a/><b/>", "<a>&nothing;</a>", "<a>\x01</a>", "<a>&#1;</a>",
                           "<html><br></html>", "<a>\xFF</a>"}) {
    EXPECT_EQ(refusal(text), "corrupt") << text;
  }
}

TEST(XmlParser, RefusesADoctypeBeforeAnyEntityIsRead) {
  EXPECT_EQ(refusal("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), "corrupt");
  EXPECT_EQ(refusal("<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>"), "corrupt");
  EXPECT_EQ(refusal("<!DOCTYPE html><a/>"), "corrupt");
}

TEST(XmlParser, RefusesWhatIsTooLarge) {
  EXPECT_EQ(refusal("<a>" + std::string(kXmlTextBytesMax + 1, 'x') + "</a>"), "corrupt");
  EXPECT_EQ(refusal("<a>" + std::string(kXmlTextBytesMax, 'x') + "</a>"), "");
  EXPECT_EQ(refusal("<a>" + std::string(kXmlBytesMax, ' ') + "</a>"), "corrupt");
  std::string deep;
  for (std::size_t i = 0; i <= kXmlDepthMax; ++i) {
    deep += "<a>";
  }
  EXPECT_EQ(refusal(deep), "corrupt");
}

TEST(XmlAnswers, TagsAsAHeaderHasThem) {
  const auto tags = read_tagging("<Tagging xmlns='x'><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag><Tag><Key>empty</Key><Value/></Tag>"
                                 "</TagSet></Tagging>");
  ASSERT_TRUE(tags) << test::why(tags);
  EXPECT_EQ(*tags, "a%20b=1%262&empty=");
  EXPECT_EQ(read_tagging("<Tagging><TagSet/></Tagging>").value_or("?"), "");
  EXPECT_FALSE(read_tagging("<Other/>"));
  EXPECT_FALSE(read_tagging("<Tagging><TagSet>"));
}

TEST(XmlAnswers, ErrorDocumentsOfSeveralServers) {
  // AWS, wrong region.
  auto error = read_error_document(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is "
      "malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region><RequestId>R1</RequestId>"
      "<HostId>H</HostId></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->request_id, "R1");
  // MinIO, with a namespace and other fields.
  error = read_error_document(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Code>NoSuchKey</Code>"
      "<Message>The specified key does not exist.</Message><Key>a</Key><BucketName>b</BucketName><Resource>/b/a</Resource></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "NoSuchKey");
  EXPECT_EQ(error->key, "a");
  EXPECT_EQ(error->bucket, "b");
  // STS and some proxies.
  error = read_error_document(
      "<ErrorResponse><Error><Code>SlowDown</Code><Message>m</Message></Error><RequestId>R</RequestId></ErrorResponse>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "SlowDown");
  EXPECT_FALSE(read_error_document("<html><body>503</body></html>"));
  EXPECT_FALSE(read_error_document("<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"));
  EXPECT_FALSE(read_error_document(""));
}

TEST(XmlAnswers, CopyCompleteAndInitiate) {
  const auto copy = read_copy_result(
      "<CopyObjectResult><LastModified>2026-11-20T10:00:00.000Z</LastModified><ETag>&quot;abc&quot;</ETag></CopyObjectResult>");
  ASSERT_TRUE(copy) << why(copy);
  EXPECT_EQ(copy->etag.str(), "abc");
  EXPECT_EQ(copy->last_modified, parse_iso8601("2026-11-20T10:00:00Z"));
  const auto part =
      read_copy_result("<CopyPartResult><ETag>\"p\"</ETag><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></CopyPartResult>");
  ASSERT_TRUE(part) << why(part);
  EXPECT_EQ(part->crc64nvme, 0xae8b14860a799888ULL);
  EXPECT_EQ(code_of(read_copy_result("<CopyObjectResult/>")), "corrupt");
  EXPECT_EQ(code_of(read_copy_result("<Error><Code>InternalError</Code></Error>")), "corrupt");
  EXPECT_EQ(read_initiate_result("<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>").value_or(""),
            "u-1");
  EXPECT_EQ(code_of(read_initiate_result("<InitiateMultipartUploadResult/>")), "corrupt");
  const auto done = read_complete_result(" \n <CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>");
  ASSERT_TRUE(done) << why(done);
  EXPECT_EQ(done->etag.str(), "e-2");
  EXPECT_FALSE(done->crc64nvme);
}

TEST(XmlAnswers, DeleteResults) {
  const auto result = read_delete_result(
      "<DeleteResult><Deleted><Key>a &amp; b</Key></Deleted><Error><Key>c</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
      "<Error><Key>d</Key><Code>InternalError</Code></Error></DeleteResult>");
  ASSERT_TRUE(result) << why(result);
  EXPECT_THAT(result->deleted, ElementsAre("a & b"));
  ASSERT_EQ(result->refused.size(), 2U);
  EXPECT_EQ(result->refused[0].code, "AccessDenied");
  EXPECT_EQ(result->refused[1].key, "d");
  EXPECT_EQ(result->refused[1].message, "");
}

TEST(XmlListing, ReadsAPageOfAws) {
  const auto page = read_list_page(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
      "<Prefix>p/</Prefix><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken><KeyCount>3</"
      "KeyCount>"
      "<MaxKeys>3</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<Contents><Key>p/with+space%2Bplus%C3%BC</Key><LastModified>2026-11-20T10:11:12.000Z</LastModified><ETag>&quot;e1&quot;</ETag>"
      "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>5497558138880</Size><StorageClass>STANDARD</StorageClass></Contents>"
      "<Contents><Key>p/bell%01</Key><LastModified>2026-11-20T10:11:12.345Z</LastModified><ETag>\"e2-3\"</ETag><Size>0</Size>"
      "<Owner><ID>x</ID></Owner><StorageClass>GLACIER</StorageClass></Contents>"
      "<CommonPrefixes><Prefix>p/sub+dir/</Prefix></CommonPrefixes></ListBucketResult>",
      "p/");
  ASSERT_TRUE(page) << why(page);
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key.str(), "p/bell\x01");
  EXPECT_EQ(page->objects[0].storage_class, "GLACIER");
  EXPECT_EQ(page->objects[1].key.str(), "p/with space+plus\xC3\xBC");
  EXPECT_EQ(page->objects[1].size, 5497558138880U);
  EXPECT_EQ(page->objects[1].etag.str(), "e1");
  EXPECT_EQ(page->objects[1].storage_class, "");
  EXPECT_EQ(page->objects[1].last_modified, parse_iso8601("2026-11-20T10:11:12Z"));
  EXPECT_THAT(page->common_prefixes, ElementsAre("p/sub dir/"));
  EXPECT_EQ(page->next_token, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(XmlListing, TakesKeysRawWhereTheServerDoesNotEncode) {
  const auto page = read_list_page(
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%20c</Key><Size>1</Size><ETag>e</ETag></Contents></"
      "ListBucketResult>",
      "");
  ASSERT_TRUE(page) << why(page);
  EXPECT_EQ(page->objects.at(0).key.str(), "a+b%20c");
  EXPECT_EQ(page->next_token, "");
}

TEST(XmlListing, RefusesWhatCannotBeTrusted) {
  const auto with = [](const std::string& inner) {
    return code_of(read_list_page("<ListBucketResult><EncodingType>url</EncodingType>" + inner + "</ListBucketResult>", "p/"));
  };
  EXPECT_EQ(with("<Contents><Key>p/a</Key><Size>1</Size></Contents>"), "");
  EXPECT_EQ(with("<Contents><Key>q/a</Key><Size>1</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/%zz</Key><Size>1</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Size>1</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/a</Key></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/a</Key><Size>-1</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/a</Key><Size>1x</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/a</Key><Size>99999999999999999999</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<Contents><Key>p/" + std::string(1100, 'k') + "</Key><Size>1</Size></Contents>"), "corrupt");
  EXPECT_EQ(with("<CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes>"), "corrupt");
  EXPECT_EQ(with("<IsTruncated>true</IsTruncated>"), "corrupt");
  EXPECT_EQ(code_of(read_list_page("<ListBucketResult><Contents>", "p/")), "corrupt");
  EXPECT_EQ(code_of(read_list_page("<Error><Code>x</Code></Error>", "p/")), "corrupt");
}

TEST(XmlListing, ReadsOpenUploads) {
  const auto page = read_uploads_page(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>p/a+b</NextKeyMarker>"
      "<NextUploadIdMarker>u+1</NextUploadIdMarker><Upload><Key>p/a+b</Key><UploadId>u+1</UploadId>"
      "<Initiated>2026-11-20T10:11:12.000Z</Initiated></Upload></ListMultipartUploadsResult>",
      "p/");
  ASSERT_TRUE(page) << why(page);
  ASSERT_EQ(page->uploads.size(), 1U);
  EXPECT_EQ(page->uploads[0].key.str(), "p/a b");
  EXPECT_EQ(page->uploads[0].id, "u+1");
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next_key_marker, "p/a b");
  EXPECT_EQ(page->next_upload_id_marker, "u+1");
}

TEST(XmlWriter, EscapesKeys) {
  const std::vector<RemoveTarget> targets{{Key("a & <b> \"c\"")}, {Key("plain"), ETag::from_wire("e1")}};
  EXPECT_EQ(write_delete_request(targets),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a &amp; &lt;b&gt; &quot;c&quot;</Key></Object>"
            "<Object><Key>plain</Key><ETag>&quot;e1&quot;</ETag></Object></Delete>");
}

TEST(XmlWriter, ARestoreHasNoDaysWhereTheObjectItselfComesBack) {
  EXPECT_EQ(write_restore_request({.days = 3, .tier = "Bulk"}),
            "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>3</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>"
            "</RestoreRequest>");
  EXPECT_EQ(write_restore_request({.days = {}}).find("Days"), std::string::npos);
}

TEST(XmlWriter, CompleteCarriesChecksumsWhereKnown) {
  const std::vector<UploadedPart> parts{{1, ETag::from_wire("e1"), 5, 0xae8b14860a799888ULL}, {7, ETag::from_wire("e7"), 5, std::nullopt}};
  EXPECT_EQ(
      write_complete_request(parts, true),
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>"
      "<ETag>&quot;e1&quot;</ETag><PartNumber>1</PartNumber></Part><Part><ETag>&quot;e7&quot;</ETag><PartNumber>7</PartNumber></Part>"
      "</CompleteMultipartUpload>");
  EXPECT_EQ(write_complete_request(parts, false).find("Checksum"), std::string::npos);
}

TEST(XmlWriter, KnowsWhatXmlCannotCarry) {
  EXPECT_TRUE(xml_can_carry("a b\xC3\xBC\x7F"));
  for (const char* text : {"a\nb", "a\rb", "a\tb", "\x01", "\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    EXPECT_FALSE(xml_can_carry(text));
  }
}

}  // namespace prefixfs::s3

#include "body_intake.h"
#include "operations.h"
#include "prefixfs/base/time_format.h"
#include "rights.h"
#include "xml_read.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

/// LocationConstraint of a CreateBucket; no body means the endpoint's own region.
Outcome<std::string> read_location(const Context& context, const Request& request) {
  if (request.http.content_length.value_or(0) == 0) {
    return context.region;
  }
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::optional));
  S3_TRY_ASSIGN(const auto root, read_xml(text, "CreateBucketConfiguration"));
  S3_TRY(root.only({"LocationConstraint"}));
  const auto location = root.text_of("LocationConstraint").value_or(context.region);
  if (location.empty() || location == "us-east-1") {  // us-east-1 is named by saying nothing
    return refuse(400, "InvalidLocationConstraint", "The specified location-constraint is not valid", "LocationConstraint", location);
  }
  return location;
}

}  // namespace

Outcome<Response> list_buckets(Context& context, Request& request) {
  S3_TRY(require_on(request, "s3:ListAllMyBuckets", "", ""));
  XmlWriter xml;
  xml.open_root("ListAllMyBucketsResult");
  xml.open("Owner");
  xml.element("ID", "devs3");
  xml.close("Owner");
  xml.open("Buckets");
  for (const auto& bucket : context.store.buckets()) {
    xml.open("Bucket");
    xml.element("Name", bucket.name);
    xml.element("CreationDate", format_iso8601(bucket.created));
    xml.element("BucketRegion", bucket.region);
    xml.close("Bucket");
  }
  xml.close("Buckets");
  xml.close("ListAllMyBucketsResult");
  return xml_response(xml.take());
}

Outcome<Response> create_bucket(Context& context, Request& request) {
  S3_TRY(require(request, "s3:CreateBucket"));
  S3_TRY_ASSIGN(const auto region, read_location(context, request));
  S3_TRY(context.store.create_bucket(request.bucket, region));
  auto response = empty_response(200);
  response.add("Location", "/" + request.bucket);
  return response;
}

Outcome<Response> head_bucket(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:ListBucket"));
  auto response = empty_response(200);
  response.add("x-amz-bucket-region", bucket->info().region);
  response.add("x-amz-access-point-alias", "false");
  return response;
}

Outcome<Response> delete_bucket(Context& context, Request& request) {
  S3_TRY(require(request, "s3:DeleteBucket"));
  S3_TRY(context.store.delete_bucket(request.bucket));
  return empty_response(204);
}

Outcome<Response> get_bucket_location(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:GetBucketLocation"));
  XmlWriter xml;
  xml.open_root("LocationConstraint");
  xml.text(bucket->info().region == "us-east-1" ? "" : bucket->info().region);
  xml.close("LocationConstraint");
  return xml_response(xml.take());
}

Outcome<Response> get_bucket_versioning(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:GetBucketVersioning"));
  XmlWriter xml;
  xml.open_root("VersioningConfiguration");  // empty: never enabled
  xml.close("VersioningConfiguration");
  return xml_response(xml.take());
}

}  // namespace prefixfs::devs3

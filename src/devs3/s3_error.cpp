#include "s3_error.h"

#include <fmt/format.h>

#include "xml_write.h"

namespace prefixfs::devs3 {

std::unexpected<S3Error> refuse(S3Error error) { return std::unexpected<S3Error>(std::move(error)); }

std::unexpected<S3Error> refuse(int status, std::string_view code, std::string message) {
  return refuse(S3Error{status, std::string(code), std::move(message), {}, {}});
}

std::unexpected<S3Error> refuse(int status, std::string_view code, std::string message, std::string_view name, std::string value) {
  return refuse(S3Error{status, std::string(code), std::move(message), {{std::string(name), std::move(value)}}, {}});
}

std::unexpected<S3Error> invalid_argument(std::string message, std::string_view name, std::string value) {
  return refuse(S3Error{400, "InvalidArgument", std::move(message),
                        {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::move(value)}}, {}});
}

std::unexpected<S3Error> invalid_request(std::string message) { return refuse(400, "InvalidRequest", std::move(message)); }

std::unexpected<S3Error> malformed_xml() {
  return refuse(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
}

std::unexpected<S3Error> not_implemented(std::string_view header, std::string message) {
  return refuse(501, "NotImplemented", std::move(message), "Header", std::string(header));
}

std::unexpected<S3Error> precondition_failed(std::string_view condition) {
  return refuse(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition",
                std::string(condition));
}

std::unexpected<S3Error> no_such_bucket(std::string_view bucket) {
  return refuse(404, "NoSuchBucket", "The specified bucket does not exist", "BucketName", std::string(bucket));
}

std::unexpected<S3Error> no_such_key(std::string_view key) {
  return refuse(404, "NoSuchKey", "The specified key does not exist.", "Key", std::string(key));
}

std::unexpected<S3Error> no_such_upload(std::string_view upload_id) {
  return refuse(404, "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
                "UploadId", std::string(upload_id));
}

std::unexpected<S3Error> internal_error(const Error& error) {
  return refuse(500, "InternalError", fmt::format("We encountered an internal error. Please try again. ({})", error.what));
}

std::string error_xml(const S3Error& error, std::string_view resource, std::string_view request_id, std::string_view host_id) {
  XmlWriter xml;
  xml.open("Error");
  xml.element("Code", error.code);
  xml.element("Message", error.message);
  for (const auto& [name, value] : error.details) {
    xml.element(name, value);
  }
  xml.element("Resource", resource);
  xml.element("RequestId", request_id);
  xml.element("HostId", host_id);
  xml.close("Error");
  return xml.take();
}

}  // namespace prefixfs::devs3

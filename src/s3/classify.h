#pragma once
// The one table from S3's answers to decisions (Errc) and sentences.

#include <string>
#include <string_view>

#include "prefixfs/base/error.h"

namespace prefixfs::s3 {

/// An answer that is no success, as far as it could be read.
struct Refusal {
  std::string operation;   ///< "PutObject"
  std::string bucket;
  std::string key;         ///< empty for requests on the bucket
  int http_status = 0;     ///< 200 too: S3 puts errors of long copies into a 200 answer
  std::string s3_code;     ///< empty when there was no error document
  std::string message;     ///< S3's own words
  std::string region;      ///< where S3 says the bucket is
  std::string signed_for;  ///< the region that the request was signed for
  std::string fixed_endpoint;  ///< where the host does not follow from the region: the endpoint's name
  std::string request_id;
  int retry_after_seconds = 0;
};

Error classify(const Refusal& refusal);

/// The request is to go to another host.
bool is_redirect(const Refusal& refusal);

/// The right in AWS's "... is not authorized to perform: s3:PutObject on resource ..."; empty when the message does not say.
std::string missing_right(std::string_view message);

}  // namespace prefixfs::s3

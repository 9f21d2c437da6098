#pragma once
// Which host a request goes to, and what its path is.

#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::s3 {

/// An endpoint as the user gave it, taken apart.
struct Endpoint {
  bool https = true;
  std::string host;       ///< without the port; empty: AWS, whose hosts follow from the region
  std::string port;       ///< empty: the scheme's default
  std::string base_path;  ///< "" or "/s3": before the bucket
  std::string region;     ///< what an AWS regional host name says
  bool aws() const { return host.empty(); }
  /// The name under which facts about it are remembered: "https://host:port/base".
  std::string name() const;
};

/// "https://host[:port][/path]", "http://...". Empty, or one of the standard AWS hosts (s3.amazonaws.com, s3.REGION.amazonaws.com):
/// AWS by region. Errors: invalid.
Result<Endpoint> parse_endpoint(std::string_view text);

/// The rules of S3 that keep a bucket name harmless inside a host name and a path ("Bucket naming rules", S3 User Guide), with the
/// wider old ones (upper case, underscore) that compatible servers still take. Errors: invalid.
Result<void> check_bucket_name(std::string_view bucket);

/// Whether `text` can be a region: this is put into host names, so a server's answer has to pass it.
bool is_region_name(std::string_view text);

/// Whether the host is AWS's own (under amazonaws.com or amazonaws.com.cn).
bool is_aws_host(std::string_view host);

/// Where one bucket is in one region.
struct Address {
  std::string scheme_and_host;  ///< "https://host:port"
  std::string host;             ///< as in the Host header
  std::string bucket_path;      ///< "" (virtual host) or "/bucket", with the base path before it

  std::string path_of_key(std::string_view key) const;  ///< encoded
  std::string path_of_bucket() const;                   ///< encoded, "/" at least
};
Address address_of(const Endpoint& endpoint, std::string_view bucket, std::string_view region, bool path_style);

}  // namespace prefixfs::s3

#pragma once
// Which host a request goes to, and what its path is.

#include <string>
#include <string_view>

#include "prefixfs/base/result.h"
#include "prefixfs/object/region.h"

namespace prefixfs::s3 {

/// An endpoint as the user gave it, taken apart.
struct Endpoint {
  bool https = true;
  std::string host;       ///< without the port; empty: AWS, whose hosts follow from the region
  std::string port;       ///< empty: the scheme's default
  std::string base_path;  ///< "" or "/s3": before the bucket
  std::string region;     ///< what an AWS regional host name says
  bool fips = false;      ///< of AWS's hosts, which follow from the region: these variants
  bool dualstack = false;
  bool aws() const { return host.empty(); }
  /// The name under which facts about it are remembered: "https://host:port/base".
  std::string name() const;
};

/// "https://host[:port][/path]", "http://...". Empty, or one of the standard AWS hosts (s3.amazonaws.com,
/// s3[-fips][.dualstack].REGION.amazonaws.com, or the suffix of another partition): AWS by region. Errors: invalid.
Result<Endpoint> parse_endpoint(std::string_view text);

/// The rules of S3 that keep a bucket name harmless inside a host name and a path ("Bucket naming rules", S3 User Guide), with the
/// wider old ones (upper case, underscore) that compatible servers still take. Errors: invalid.
Result<void> check_bucket_name(std::string_view bucket);

/// "amazonaws.com" or another partition's (China, Europe, the isolated ones). Source: AWS SDKs' partitions.json.
std::string_view dns_suffix_of(std::string_view region);

/// Whether the host is AWS's own (under the suffix of one of its partitions).
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

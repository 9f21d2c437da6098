#include "address.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::s3 {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_ip_address(std::string_view host) {
  if (host.starts_with('[')) {
    return true;
  }
  return std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
}

bool is_host_char(char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '.' || c == '-' || c == '_'; }

/// Splits "host:port" and "[::1]:port". False for a broken one.
bool split_host(std::string_view text, std::string& host, std::string& port) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return false;
    }
    end = close + 1 < text.size() ? close + 1 : std::string_view::npos;
  }
  host = text.substr(0, end);
  if (end != std::string_view::npos) {
    if (text[end] != ':') {
      return false;
    }
    port = text.substr(end + 1);
    const bool digits = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
    if (!digits || std::stoi(port) < 1 || std::stoi(port) > 65535) {
      return false;
    }
  }
  const std::string_view inner = host.starts_with('[') ? std::string_view(host).substr(1, host.size() - 2) : std::string_view(host);
  return !inner.empty() && std::all_of(inner.begin(), inner.end(), [&](char c) { return is_host_char(c) || (host[0] == '[' && c == ':'); });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

struct Partition {
  std::string_view region_prefix;
  std::string_view dns_suffix;
};
constexpr std::string_view kMainSuffix = "amazonaws.com";
constexpr std::array kOtherPartitions{
    Partition{"cn-", "amazonaws.com.cn"},   Partition{"eusc-", "amazonaws.eu"},      Partition{"us-iso-", "c2s.ic.gov"},
    Partition{"us-isob-", "sc2s.sgov.gov"}, Partition{"us-isof-", "csp.hci.ic.gov"}, Partition{"eu-isoe-", "cloud.adc-e.uk"},
};

bool remove_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

/// What "s3[-fips][.dualstack].REGION.SUFFIX" says; nothing for all other hosts.
std::optional<Endpoint> standard_endpoint(std::string_view host) {
  Endpoint endpoint;
  if (host == "s3.amazonaws.com") {
    endpoint.region = "us-east-1";
    return endpoint;
  }
  if (!remove_prefix(host, "s3")) {
    return std::nullopt;
  }
  endpoint.fips = remove_prefix(host, "-fips");
  endpoint.dualstack = remove_prefix(host, ".dualstack");
  const std::size_t end = host.find('.', 1);
  if (!host.starts_with('.') || end == std::string_view::npos) {
    return std::nullopt;
  }
  endpoint.region = host.substr(1, end - 1);
  const bool standard = is_region_name(endpoint.region) && host.substr(end + 1) == dns_suffix_of(endpoint.region);
  return standard ? std::optional(endpoint) : std::nullopt;
}

/// Whether the bucket can be a label of the host name under this endpoint.
bool fits_in_host(const Endpoint& endpoint, std::string_view bucket) {
  const bool plain = std::all_of(bucket.begin(), bucket.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '.'; });
  // A wildcard certificate covers one label only (RFC 6125, 6.4.3).
  return plain && bucket.size() <= 63 && !(endpoint.https && bucket.find('.') != std::string_view::npos);
}

}  // namespace

std::string Endpoint::name() const {
  if (aws()) {
    return "aws";
  }
  return fmt::format("{}://{}{}{}{}", https ? "https" : "http", host, port.empty() ? "" : ":", port, base_path);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.empty()) {
    return Endpoint{};
  }
  Endpoint endpoint;
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    endpoint.https = false;
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return fail(Errc::invalid, fmt::format("the endpoint '{}' must begin with https:// or http://", text));
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    endpoint.base_path = rest.substr(slash);
    while (endpoint.base_path.ends_with('/')) {
      endpoint.base_path.pop_back();
    }
  }
  if (endpoint.base_path.find_first_of("?#%\\ ") != std::string::npos || !split_host(rest.substr(0, slash), endpoint.host, endpoint.port)) {
    return fail(Errc::invalid, fmt::format("the endpoint '{}' is not of the form https://host[:port]", text));
  }
  endpoint.host = lower(endpoint.host);
  const auto standard = standard_endpoint(endpoint.host);
  return standard && endpoint.https && endpoint.port.empty() && endpoint.base_path.empty() ? *standard : endpoint;
}

Result<void> check_bucket_name(std::string_view bucket) {
  const bool chars = std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return is_digit(c) || is_lower(c) || is_upper(c) || c == '.' || c == '-' || c == '_';
  });
  const bool dots = bucket.starts_with('.') || bucket.ends_with('.') || bucket.find("..") != std::string_view::npos;
  if (bucket.size() < 3 || bucket.size() > 255 || !chars || dots) {
    return fail(Errc::invalid, fmt::format("'{}' cannot be the name of a bucket", bucket));
  }
  return {};
}

std::string_view dns_suffix_of(std::string_view region) {
  const auto found = std::ranges::find_if(kOtherPartitions, [&](const Partition& one) { return region.starts_with(one.region_prefix); });
  return found == kOtherPartitions.end() ? kMainSuffix : found->dns_suffix;
}

bool is_aws_host(std::string_view host) {
  const auto below = [&](std::string_view suffix) {
    return host.size() > suffix.size() && host.ends_with(suffix) && host[host.size() - suffix.size() - 1] == '.';
  };
  return below(kMainSuffix) || std::ranges::any_of(kOtherPartitions, [&](const Partition& one) { return below(one.dns_suffix); });
}

std::string Address::path_of_key(std::string_view key) const {
  return bucket_path + "/" + crypto::uri_encode(key, crypto::Slash::keep);
}

std::string Address::path_of_bucket() const { return bucket_path.empty() ? "/" : bucket_path; }

Address address_of(const Endpoint& endpoint, std::string_view bucket, std::string_view region, bool path_style) {
  std::string host = endpoint.host;
  if (endpoint.aws()) {
    host = fmt::format("s3{}{}.{}.{}", endpoint.fips ? "-fips" : "", endpoint.dualstack ? ".dualstack" : "", region, dns_suffix_of(region));
  }
  const bool one_label = host.find('.') == std::string::npos;
  const bool in_path = path_style || one_label || is_ip_address(host) || host.ends_with(".localhost") || !fits_in_host(endpoint, bucket);
  Address address;
  address.bucket_path = endpoint.base_path;
  if (in_path) {
    address.bucket_path += fmt::format("/{}", bucket);
  } else {
    host = fmt::format("{}.{}", bucket, host);
  }
  const bool default_port = endpoint.port.empty() || endpoint.port == (endpoint.https ? "443" : "80");
  address.host = default_port ? host : host + ":" + endpoint.port;
  address.scheme_and_host = (endpoint.https ? "https://" : "http://") + address.host;
  return address;
}

}  // namespace prefixfs::s3

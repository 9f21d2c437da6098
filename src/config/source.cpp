#include "source.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::config {
namespace {

bool is_letter_or_digit(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

/// What is wrong with `bucket`; empty: nothing (S3 User Guide, "General purpose bucket naming rules").
std::string_view broken_rule(const std::string& bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) {
    return "has 3 to 63 letters";
  }
  if (!std::ranges::all_of(bucket, [](char letter) { return is_letter_or_digit(letter) || letter == '.' || letter == '-'; })) {
    return "holds lower case letters, digits, \".\" and \"-\" only";
  }
  if (!is_letter_or_digit(bucket.front()) || !is_letter_or_digit(bucket.back()) || bucket.contains("..")) {
    return "must begin and end with a letter or digit, and has no \"..\" in it";
  }
  return "";
}

}  // namespace

Result<void> parse_source(const std::string& source, Options& options) {
  const auto complain = [&](std::string_view problem) {
    return fail(Errc::invalid, fmt::format("the source \"{}\" must be written s3://BUCKET or s3://BUCKET/PREFIX{}", source, problem));
  };
  constexpr std::string_view kScheme = "s3://";
  if (!source.starts_with(kScheme)) {
    return complain("");
  }
  const std::size_t slash = source.find('/', kScheme.size());
  const std::string bucket = source.substr(kScheme.size(), slash == std::string::npos ? slash : slash - kScheme.size());
  if (const std::string_view broken = broken_rule(bucket); !broken.empty()) {
    return complain(fmt::format("; the name of a bucket {}", broken));
  }
  const std::string prefix = slash == std::string::npos ? "" : source.substr(slash);
  if (!is_utf8(prefix) || prefix.find('\0') != std::string::npos) {
    return fail(Errc::invalid, "the prefix of the source is not UTF-8, and so cannot begin an S3 key");
  }
  if (prefix.size() >= kKeyBytesMax) {
    return fail(Errc::invalid, fmt::format("the prefix has {} bytes; a key, prefix included, has at most {}", prefix.size(), kKeyBytesMax));
  }
  options.source = source;
  options.bucket = bucket;
  options.prefix = Prefix::from(prefix);
  return {};
}

}  // namespace prefixfs::config

// Reading what a request says of its signature; sigv4_check.cpp proves it.

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "sigv4_check.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kExpiresMax = 7 * 24 * 3600;

std::unexpected<S3Error> malformed(std::string message) { return refuse(400, "AuthorizationHeaderMalformed", std::move(message)); }

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> words;
  for (;;) {
    const auto end = text.find(separator);
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return words;
    }
    text.remove_prefix(end + 1);
  }
}

/// "AKIA.../20130524/us-east-1/s3/aws4_request"; the access key itself may contain a slash.
Outcome<void> read_credential(std::string_view text, Authentication& out) {
  auto words = split(text, '/');
  if (words.size() < 5 || words[words.size() - 1] != "aws4_request" || words[words.size() - 2] != "s3") {
    return malformed("The authorization header is malformed; the Credential is mal-formed; expecting "
                     "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  out.region = words[words.size() - 3];
  out.date = words[words.size() - 4];
  for (std::size_t i = 0; i + 4 < words.size(); ++i) {
    out.access_key += (i == 0 ? "" : "/") + words[i];
  }
  return {};
}

Outcome<void> read_authorization(std::string_view header, Authentication& out) {
  if (!header.starts_with(kAlgorithm)) {
    return invalid_request("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
  }
  header.remove_prefix(kAlgorithm.size());
  for (auto& word : split(header, ',')) {
    const auto start = word.find_first_not_of(' ');
    const auto equals = word.find('=');
    if (start == std::string::npos || equals == std::string::npos) {
      return malformed("The authorization header is malformed; the authorization component is not name=value.");
    }
    const auto name = word.substr(start, equals - start);
    const auto value = word.substr(equals + 1);
    if (name == "Credential") {
      S3_TRY(read_credential(value, out));
    } else if (name == "SignedHeaders") {
      out.signed_headers = split(value, ';');
    } else if (name == "Signature") {
      out.signature = value;
    }
  }
  if (out.access_key.empty() || out.signature.empty() || out.signed_headers.empty()) {
    return malformed("The authorization header is malformed; the authorization header requires three components: Credential, "
                     "SignedHeaders, and Signature.");
  }
  return {};
}

Outcome<void> read_presigned(const QueryPairs& query, Authentication& out) {
  out.presigned = true;
  const auto value = [&](std::string_view name) {
    const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
    return found == query.end() ? std::string() : found->second;
  };
  const auto broken = [](std::string message) { return refuse(400, "AuthorizationQueryParametersError", std::move(message)); };
  if (value("X-Amz-Algorithm") != kAlgorithm) {
    return broken("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  S3_TRY(read_credential(value("X-Amz-Credential"), out));
  const auto time = parse_iso8601_basic(value("X-Amz-Date"));
  if (!time) {
    return broken("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  out.time = *time;
  const auto expires = value("X-Amz-Expires");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (error != std::errc{} || end != expires.data() + expires.size() || seconds < 1 || seconds > kExpiresMax) {
    return broken("X-Amz-Expires must be a number between 1 and 604800");
  }
  out.expires = std::chrono::seconds(seconds);
  out.signed_headers = split(value("X-Amz-SignedHeaders"), ';');
  out.signature = value("X-Amz-Signature");
  out.session_token = value("X-Amz-Security-Token");
  return {};
}

Outcome<void> read_date(const HttpRequest& request, Authentication& out) {
  const auto amz = request.headers.find("x-amz-date");
  const auto date = request.headers.find("date");
  const auto time = amz ? parse_iso8601_basic(*amz) : date ? parse_http_date(*date) : std::nullopt;
  if (!time) {
    return refuse(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  out.time = *time;
  return {};
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Outcome<void> read_payload(const HttpRequest& request, Authentication& out) {
  const auto header = request.headers.find("x-amz-content-sha256");
  if (!header && !out.presigned) {
    return invalid_request("Missing required header for this request: x-amz-content-sha256");
  }
  out.payload = header.value_or(std::string(kUnsignedPayload));
  if (out.payload != kUnsignedPayload && !out.payload.starts_with("STREAMING-") && !is_sha256(out.payload)) {
    return invalid_argument("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                            "x-amz-content-sha256", out.payload);
  }
  return {};
}

/// Host and every x-amz-* header must be signed, otherwise they could be changed on the way.
Outcome<void> check_signed_headers(const HttpRequest& request, const Authentication& authentication) {
  const auto& names = authentication.signed_headers;
  if (!std::ranges::is_sorted(names)) {
    return malformed("The authorization header is malformed; SignedHeaders must be sorted.");
  }
  std::string missing;
  const auto require = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) {
      missing += (missing.empty() ? "" : ", ") + name;
    }
  };
  require("host");
  for (const auto& header : request.headers.all()) {
    if (header.name.starts_with("x-amz-")) {
      require(header.name);
    }
  }
  if (!missing.empty()) {
    return refuse(403, "AccessDenied", "There were headers present in the request which were not signed", "HeadersNotSigned", missing);
  }
  for (const auto& name : names) {
    if (!request.headers.has(name)) {
      return malformed(fmt::format("The authorization header is malformed; the signed header '{}' is not in the request.", name));
    }
  }
  return {};
}

}  // namespace

Outcome<std::optional<Authentication>> parse_authentication(const HttpRequest& request) {
  const auto query = parse_query(request.query);
  if (!query) {
    return refuse(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
  const bool presigned = std::ranges::any_of(*query, [](const auto& pair) { return pair.first == "X-Amz-Algorithm"; });
  const auto header = request.headers.find("authorization");
  if (!presigned && !header) {
    return std::nullopt;
  }
  if (presigned && header) {
    return invalid_argument("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter "
                            "or the Authorization header should be specified", "Authorization", "");
  }
  Authentication out;
  if (presigned) {
    S3_TRY(read_presigned(*query, out));
  } else {
    S3_TRY(read_authorization(*header, out));
    S3_TRY(read_date(request, out));
    out.session_token = request.headers.get("x-amz-security-token");
  }
  if (out.date != format_iso8601_basic(out.time).substr(0, 8)) {
    return malformed(fmt::format("The authorization header is malformed; Invalid credential date \"{}\". This date is not the same as "
                                 "X-Amz-Date: \"{}\".", out.date, format_iso8601_basic(out.time).substr(0, 8)));
  }
  S3_TRY(read_payload(request, out));
  S3_TRY(check_signed_headers(request, out));
  return out;
}

}  // namespace prefixfs::devs3

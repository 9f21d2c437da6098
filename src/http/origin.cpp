#include "origin.h"

#include <fmt/format.h>

#include "curl_handles.h"

namespace prefixfs::http {
namespace {

/// The query of a presigned URL and the user part are secrets.
std::string without_secrets(const std::string& url) {
  std::string shown = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme_end = shown.find("://");
  const std::size_t authority = scheme_end == std::string::npos ? 0 : scheme_end + 3;
  const std::size_t user_end = shown.rfind('@', shown.find('/', authority));
  if (user_end != std::string::npos && user_end >= authority) {
    shown.erase(authority, user_end + 1 - authority);
  }
  return shown;
}

CurlText part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return nullptr;
  }
  return CurlText(text);
}

}  // namespace

Result<Origin> origin_of(const std::string& url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
      return fail(Errc::invalid, "a URL with spaces or control characters was given");
    }
  }
  const UrlHandle parsed(curl_url());
  if (!parsed) {
    return fail(Errc::internal, "out of memory");
  }
  if (const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS); code != CURLUE_OK) {
    return fail(Errc::invalid, fmt::format("{} is not a valid URL: {}", without_secrets(url), curl_url_strerror(code)));
  }
  const CurlText scheme = part_of(parsed.get(), CURLUPART_SCHEME);
  const CurlText host = part_of(parsed.get(), CURLUPART_HOST);
  const CurlText port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || !host || !port) {
    return fail(Errc::invalid, fmt::format("{} is not a complete URL", without_secrets(url)));
  }
  const std::string_view scheme_name = scheme.get();
  if (scheme_name != "http" && scheme_name != "https") {
    return fail(Errc::invalid, fmt::format("{}: only http and https are spoken", without_secrets(url)));
  }
  if (part_of(parsed.get(), CURLUPART_USER) || part_of(parsed.get(), CURLUPART_PASSWORD)) {
    return fail(Errc::invalid, fmt::format("{}: a user or password in the URL is not used; remove it", without_secrets(url)));
  }
  return Origin{host.get(), fmt::format("{}://{}:{}", scheme.get(), host.get(), port.get()), scheme_name == "https"};
}

}  // namespace prefixfs::http

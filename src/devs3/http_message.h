#pragma once
// The head of an HTTP/1.1 request, kept raw: Signature Version 4 is computed over the bytes as they were sent.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/result.h"

namespace prefixfs::devs3 {

struct Header {
  std::string name;   ///< lower case in requests; as it goes out in answers
  std::string value;  ///< without the white space around it, otherwise untouched
};

/// In the order of arrival. Names are compared in lower case.
class Headers {
 public:
  void add(std::string name, std::string value) { all_.push_back({std::move(name), std::move(value)}); }
  bool has(std::string_view name) const;
  /// The value; several headers of one name are joined by "," (RFC 9110, 5.2). Empty when absent.
  std::string get(std::string_view name) const;
  std::optional<std::string> find(std::string_view name) const;
  const std::vector<Header>& all() const { return all_; }

 private:
  std::vector<Header> all_;
};

struct HttpRequest {
  std::string method;
  std::string path;   ///< raw, still percent-encoded, begins with "/"
  std::string query;  ///< raw, without "?"
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool keep_alive = true;
  bool expect_continue = false;
};

/// Parses everything up to the blank line. Errors: invalid.
Result<HttpRequest> parse_head(std::string_view text);

std::string_view reason_phrase(int status);

}  // namespace prefixfs::devs3

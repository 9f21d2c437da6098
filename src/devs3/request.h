#pragma once
// A request in S3's terms.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access.h"
#include "connection.h"
#include "http_message.h"
#include "object.h"
#include "operation.h"
#include "s3_error.h"
#include "sigv4_check.h"

namespace prefixfs::devs3 {

struct Request {
  HttpRequest http;
  std::string id;
  Operation operation = Operation::unknown;
  std::string bucket;
  std::string key;   ///< decoded
  QueryPairs query;  ///< decoded
  Authentication authentication;
  const AccessKey* who = nullptr;  ///< set once the signature is proved
  BodyStream* body = nullptr;

  bool has_query(std::string_view name) const;
  std::string query_value(std::string_view name) const;  ///< empty when absent
  std::string header(std::string_view name) const { return http.headers.get(name); }
  bool is_head() const { return http.method == "HEAD"; }
  /// Path-style, "/bucket/key", for <Resource>.
  std::string resource() const;
};

/// Reads method, path and query into bucket, key and operation. InvalidURI, KeyTooLongError, NotImplemented.
Outcome<void> route(Request& request);

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  ObjectPtr object;             ///< keeps the bytes below alive
  std::vector<Extent> extents;  ///< the body, where it is bytes of an object
  std::uint64_t length = 0;     ///< Content-Length; of a HEAD answer too

  void add(std::string name, std::string value) { headers.push_back({std::move(name), std::move(value)}); }
};

Response xml_response(std::string body);
Response empty_response(int status);

}  // namespace prefixfs::devs3

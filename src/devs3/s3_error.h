#pragma once
// A refusal in S3's words (S3 API Reference, "Error responses"), and Outcome<T>: a value or such a refusal.

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_message.h"

namespace prefixfs::devs3 {

struct S3Error {
  int status = 500;
  std::string code = "InternalError";
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;  ///< further elements of <Error>, for example Region
  std::vector<Header> headers;
};

/// As prefixfs::Result, with S3's own error: what devs3 decides is always an answer on the wire.
template <class T>
class [[nodiscard]] Outcome : public std::expected<T, S3Error> {
 public:
  using std::expected<T, S3Error>::expected;
};

std::unexpected<S3Error> refuse(S3Error error);
std::unexpected<S3Error> refuse(int status, std::string_view code, std::string message);
/// The same with one further element.
std::unexpected<S3Error> refuse(int status, std::string_view code, std::string message, std::string_view name, std::string value);

/// 400 InvalidArgument with ArgumentName and ArgumentValue.
std::unexpected<S3Error> invalid_argument(std::string message, std::string_view name, std::string value);
std::unexpected<S3Error> invalid_request(std::string message);
std::unexpected<S3Error> malformed_xml();
std::unexpected<S3Error> not_implemented(std::string_view header, std::string message);
std::unexpected<S3Error> precondition_failed(std::string_view condition);
std::unexpected<S3Error> no_such_bucket(std::string_view bucket);
std::unexpected<S3Error> no_such_key(std::string_view key);
std::unexpected<S3Error> no_such_upload(std::string_view upload_id);
/// 500: a local file operation failed. The sentence goes to the client, it is a test endpoint.
std::unexpected<S3Error> internal_error(const Error& error);

/// The body of an error answer.
std::string error_xml(const S3Error& error, std::string_view resource, std::string_view request_id, std::string_view host_id);

}  // namespace prefixfs::devs3

/// As TRY and TRY_ASSIGN of base/result.h, for Outcome.
#define S3_TRY(...)                                                          \
  do {                                                                       \
    if (auto s3_try_result = (__VA_ARGS__); !s3_try_result) {                \
      return ::prefixfs::devs3::refuse(std::move(s3_try_result.error()));    \
    }                                                                        \
  } while (false)

#define S3_TRY_ASSIGN(declaration, ...)                                                              \
  auto PREFIXFS_CONCAT(s3_try_, __LINE__) = (__VA_ARGS__);                                           \
  if (!PREFIXFS_CONCAT(s3_try_, __LINE__)) {                                                         \
    return ::prefixfs::devs3::refuse(std::move(PREFIXFS_CONCAT(s3_try_, __LINE__).error()));         \
  }                                                                                                  \
  declaration = std::move(*PREFIXFS_CONCAT(s3_try_, __LINE__))

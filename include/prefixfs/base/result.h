#pragma once
// Result<T>: a value or an Error. Nothing in prefixfs throws on purpose.

#include <expected>
#include <string>
#include <utility>

#include "prefixfs/base/error.h"

namespace prefixfs {

/// A class of its own, because [[nodiscard]] on the type makes a dropped result a warning; plain std::expected lets it pass.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(Errc code, std::string what) {
  return std::unexpected<Error>(Error{code, std::move(what), {}});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace prefixfs

#define PREFIXFS_CONCAT_(a, b) a##b
#define PREFIXFS_CONCAT(a, b) PREFIXFS_CONCAT_(a, b)

/// TRY(expression): returns the error from the enclosing function, if there is one.
#define TRY(...)                                                        \
  do {                                                                  \
    if (auto try_result = (__VA_ARGS__); !try_result) {                 \
      return ::prefixfs::fail(std::move(try_result.error()));           \
    }                                                                   \
  } while (false)

/// TRY_ASSIGN(auto x, expression): the same, and declares `x` with the value.
#define TRY_ASSIGN(declaration, ...)                                    \
  auto PREFIXFS_CONCAT(try_assign_, __LINE__) = (__VA_ARGS__);          \
  if (!PREFIXFS_CONCAT(try_assign_, __LINE__)) {                        \
    return ::prefixfs::fail(std::move(PREFIXFS_CONCAT(try_assign_, __LINE__).error())); \
  }                                                                     \
  declaration = std::move(*PREFIXFS_CONCAT(try_assign_, __LINE__))

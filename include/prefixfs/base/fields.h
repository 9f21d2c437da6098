#pragma once
// Small records as text: one `name=value` a line. What a daemon and its commands tell each other, and small files beside others.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prefixfs/base/result.h"

namespace prefixfs {

/// Names are ours (letters, digits, "_"), in an order that means nothing; a value may hold any bytes.
class Fields {
 public:
  Fields() = default;
  Fields(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// The value; empty where the name is not there.
  const std::string& get(std::string_view name) const;
  /// The same as a number; 0 where it is none.
  std::uint64_t number(std::string_view name) const;
  /// The lines. In values a backslash is written \\ and a line feed \n, so that no value ends a line.
  std::string text() const;
  /// Errors: invalid (a line without "=", or an escape that text() does not write).
  static Result<Fields> parse(std::string_view text);
  friend bool operator==(const Fields&, const Fields&) = default;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace prefixfs

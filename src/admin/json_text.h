#pragma once
// Just enough JSON to write a report: objects and arrays of texts, numbers and truths.

#include <string>
#include <string_view>

namespace prefixfs::admin {

/// A text in quotes (RFC 8259). Bytes that are no UTF-8 become U+FFFD, since JSON has no other way.
std::string json_text(std::string_view text);

/// {"name": value, ...}, in order.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value) { return raw(name, json_text(value)); }
  JsonObject& number(std::string_view name, std::uint64_t value) { return raw(name, std::to_string(value)); }
  JsonObject& truth(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  /// A text, or null where it is empty.
  JsonObject& text_or_null(std::string_view name, std::string_view value) { return raw(name, value.empty() ? "null" : json_text(value)); }
  /// What is JSON already.
  JsonObject& raw(std::string_view name, std::string_view json);
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

class JsonArray {
 public:
  void add(std::string_view json) { (items_ += items_.empty() ? "" : ",\n  ") += json; }
  std::string str() const { return "[" + items_ + "]"; }

 private:
  std::string items_;
};

}  // namespace prefixfs::admin

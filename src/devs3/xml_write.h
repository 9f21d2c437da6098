#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace prefixfs::devs3 {

/// Writes the XML of answers. One thread at a time.
class XmlWriter {
 public:
  XmlWriter();
  /// Opens an element of S3's namespace; for the root.
  void open_root(std::string_view name);
  void open(std::string_view name);
  /// With xsi:type, for <Grantee>.
  void open_typed(std::string_view name, std::string_view type);
  void close(std::string_view name);
  void element(std::string_view name, std::string_view text);
  void number(std::string_view name, std::uint64_t value);
  void boolean(std::string_view name, bool value);
  void text(std::string_view text) { escape(text); }
  /// An ETag, with the quotes it has on the wire.
  void etag(std::string_view etag);
  std::string take() { return std::move(text_); }

 private:
  void escape(std::string_view text);

  std::string text_;
};

}  // namespace prefixfs::devs3

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "prefixfs/crypto/encoding.h"
#include "request.h"
#include "xml_write.h"

namespace prefixfs::devs3 {

/// The XML of a listing, whose keys are URL-encoded where the client asks for it: XML cannot carry every key.
class ListText {
 public:
  /// InvalidArgument for an encoding-type other than "url".
  static Outcome<ListText> create(const Request& request);

  XmlWriter& xml() { return xml_; }
  void key(std::string_view element, std::string_view key) { xml_.element(element, url_ ? form_encode(key) : std::string(key)); }
  void optional_key(std::string_view element, std::string_view text);
  void encoding_type();

  /// As S3 does it: a space becomes "+", and "/" stays.
  static std::string form_encode(std::string_view text);

 private:
  explicit ListText(bool url) : url_(url) {}

  bool url_;
  XmlWriter xml_;
};

/// max-keys, max-parts, max-uploads: 1000 where it is absent or larger. InvalidArgument.
Outcome<std::size_t> read_count(const Request& request, std::string_view parameter);

}  // namespace prefixfs::devs3

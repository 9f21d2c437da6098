#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3_error.h"

namespace prefixfs::devs3 {

/// An element of a request's body; text is what stands directly in it.
struct XmlNode {
  std::string name;  ///< local name, the namespace is ignored
  std::string text;
  std::vector<XmlNode> children;

  const XmlNode* child(std::string_view name) const;
  std::optional<std::string> text_of(std::string_view name) const;
  /// Refuses with MalformedXML where there is an element of another name.
  Outcome<void> only(std::initializer_list<std::string_view> names) const;
};

/// Refuses with MalformedXML: not well-formed, a DOCTYPE, another root element.
Outcome<XmlNode> read_xml(std::string_view text, std::string_view root);

}  // namespace prefixfs::devs3

#include "xml_read.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <memory>

namespace prefixfs::devs3 {
namespace {

constexpr int kDepthMax = 8;

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

std::string_view view(const xmlChar* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

bool convert(const xmlNode& in, int depth, XmlNode& out) {
  out.name = view(in.name);
  for (const auto* child = in.children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) {
      out.text += view(child->content);
    } else if (child->type == XML_ELEMENT_NODE) {
      if (depth == kDepthMax || !convert(*child, depth + 1, out.children.emplace_back())) {
        return false;
      }
    } else if (child->type != XML_COMMENT_NODE) {
      return false;  // entity references and processing instructions have no place in S3's requests
    }
  }
  return true;
}

}  // namespace

const XmlNode* XmlNode::child(std::string_view wanted) const {
  const auto it = std::ranges::find(children, wanted, &XmlNode::name);
  return it == children.end() ? nullptr : &*it;
}

std::optional<std::string> XmlNode::text_of(std::string_view wanted) const {
  const auto* found = child(wanted);
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

Outcome<void> XmlNode::only(std::initializer_list<std::string_view> names) const {
  for (const auto& node : children) {
    if (std::ranges::find(names, std::string_view(node.name)) == names.end()) {
      return malformed_xml();
    }
  }
  return {};
}

Outcome<XmlNode> read_xml(std::string_view text, std::string_view root) {
  const std::unique_ptr<xmlDoc, FreeDocument> document(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (!document || document->intSubset != nullptr) {
    return malformed_xml();
  }
  const auto* element = xmlDocGetRootElement(document.get());
  XmlNode out;
  if (element == nullptr || !convert(*element, 0, out) || out.name != root) {
    return malformed_xml();
  }
  return out;
}

}  // namespace prefixfs::devs3

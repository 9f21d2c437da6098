#include "xml_write.h"

#include <fmt/format.h>

namespace prefixfs::devs3 {

XmlWriter::XmlWriter() : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

void XmlWriter::open_root(std::string_view name) {
  text_ += fmt::format("<{} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", name);
}

void XmlWriter::open(std::string_view name) { text_.append("<").append(name).append(">"); }

void XmlWriter::open_typed(std::string_view name, std::string_view type) {
  text_ += fmt::format("<{} xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{}\">", name, type);
}

void XmlWriter::close(std::string_view name) { text_.append("</").append(name).append(">"); }

void XmlWriter::element(std::string_view name, std::string_view text) {
  open(name);
  escape(text);
  close(name);
}

void XmlWriter::number(std::string_view name, std::uint64_t value) { element(name, std::to_string(value)); }

void XmlWriter::boolean(std::string_view name, bool value) { element(name, value ? "true" : "false"); }

void XmlWriter::etag(std::string_view etag) { element("ETag", fmt::format("\"{}\"", etag)); }

void XmlWriter::escape(std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': text_ += "&amp;"; break;
      case '<': text_ += "&lt;"; break;
      case '>': text_ += "&gt;"; break;
      case '"': text_ += "&quot;"; break;
      default:
        // S3 writes control characters as references although XML 1.0 forbids them; encoding-type=url is the way round.
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          text_ += fmt::format("&#x{:x};", static_cast<unsigned char>(c));
        } else {
          text_ += c;
        }
    }
  }
}

}  // namespace prefixfs::devs3

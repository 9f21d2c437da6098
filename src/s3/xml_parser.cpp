#include "xml_parser.h"

#include <libxml/parser.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace prefixfs::s3 {

namespace {

struct ParserFree {
  void operator()(xmlParserCtxt* context) const {
    if (context->myDoc != nullptr) {
      xmlFreeDoc(context->myDoc);
    }
    xmlFreeParserCtxt(context);
  }
};

std::string_view view(const xmlChar* text) { return reinterpret_cast<const char*>(text); }

/// One parse. The static functions are libxml2's callbacks; `self` is what was given to it as user data.
class Parse {
 public:
  explicit Parse(const XmlCallbacks& callbacks) : callbacks_(callbacks) {}

  Result<std::string> run(std::string_view document) {
    xmlInitParser();
    xmlSAXHandler handler{};
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = &Parse::start_element;
    handler.endElementNs = &Parse::end_element;
    handler.characters = &Parse::characters;
    handler.cdataBlock = &Parse::characters;
    handler.internalSubset = &Parse::doctype;
    handler.serror = &Parse::swallow_message;  // otherwise libxml2 prints to stderr
    context_.reset(xmlCreatePushParserCtxt(&handler, this, nullptr, 0, nullptr));
    if (!context_) {
      return fail(Errc::internal, "no memory for an XML parser");
    }
    xmlCtxtUseOptions(context_.get(), XML_PARSE_NONET | XML_PARSE_NOCDATA);
    int code = 0;
    constexpr std::size_t kPiece = 1U << 20;  // libxml2 counts in int
    for (std::size_t at = 0; at < document.size() && code == 0 && complaint_.empty(); at += kPiece) {
      const std::string_view piece = document.substr(at, kPiece);
      code = xmlParseChunk(context_.get(), piece.data(), static_cast<int>(piece.size()), 0);
    }
    if (code == 0 && complaint_.empty()) {
      code = xmlParseChunk(context_.get(), nullptr, 0, 1);
    }
    if (!complaint_.empty()) {
      return fail(Errc::corrupt, fmt::format("the XML answer {}", complaint_));
    }
    if (code != 0) {
      return fail(Errc::corrupt, fmt::format("the XML answer is not well-formed (libxml2 code {})", code));
    }
    return root_;
  }

 private:
  static void start_element(void* self, const xmlChar* name, const xmlChar*, const xmlChar*, int, const xmlChar**, int, int,
                            const xmlChar**) {
    static_cast<Parse*>(self)->open(view(name));
  }
  static void end_element(void* self, const xmlChar*, const xmlChar*, const xmlChar*) { static_cast<Parse*>(self)->close(); }
  static void characters(void* self, const xmlChar* text, int length) {
    static_cast<Parse*>(self)->add(std::string_view(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)));
  }
  static void doctype(void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
    static_cast<Parse*>(self)->stop("has a DOCTYPE, which S3 never sends");
  }
  static void swallow_message(void*, xmlErrorPtr) {}

  void open(std::string_view name) {
    if (++depth_ > kXmlDepthMax) {
      return stop("is nested too deeply");
    }
    if (depth_ == 1) {
      root_ = name;
    } else {
      path_ += path_.empty() ? "" : "/";
      path_ += name;
      if (callbacks_.open) {
        callbacks_.open(path_);
      }
    }
    text_.clear();
  }

  void close() {
    if (depth_ > 1 && complaint_.empty()) {
      if (callbacks_.close) {
        callbacks_.close(path_, text_);
      }
      const std::size_t slash = path_.rfind('/');
      path_.resize(slash == std::string::npos ? 0 : slash);
    }
    --depth_;
    text_.clear();
  }

  void add(std::string_view text) {
    if (text_.size() + text.size() > kXmlTextBytesMax) {
      return stop("has a text beyond all measure");
    }
    text_ += text;
  }

  void stop(std::string complaint) {
    complaint_ = std::move(complaint);
    xmlStopParser(context_.get());
  }

  const XmlCallbacks& callbacks_;
  std::unique_ptr<xmlParserCtxt, ParserFree> context_;
  std::string root_;
  std::string path_;
  std::string text_;
  std::string complaint_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<std::string> parse_xml(std::string_view document, const XmlCallbacks& callbacks) {
  document.remove_prefix(std::min(document.find_first_not_of(" \t\r\n"), document.size()));
  if (document.empty()) {
    return fail(Errc::corrupt, "the XML answer is empty");
  }
  if (document.size() > kXmlBytesMax) {
    return fail(Errc::corrupt, fmt::format("the XML answer has {} bytes, more than S3 ever sends", document.size()));
  }
  return Parse(callbacks).run(document);
}

}  // namespace prefixfs::s3

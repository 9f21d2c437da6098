#include "xml_writer.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/object/key.h"

namespace prefixfs::s3 {

namespace {

constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace

bool xml_can_carry(std::string_view text) {
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  // U+FFFE and U+FFFF are no XML characters.
  return !controls && is_utf8(text) && text.find("\xEF\xBF\xBE") == std::string_view::npos && text.find("\xEF\xBF\xBF") == std::string_view::npos;
}

std::string write_delete_request(std::span<const RemoveTarget> targets) {
  std::string xml = fmt::format("<Delete xmlns=\"{}\">", kNamespace);
  for (const RemoveTarget& target : targets) {
    xml += fmt::format("<Object><Key>{}</Key>", escape(target.key.str()));
    if (!target.if_match.empty()) {
      xml += fmt::format("<ETag>{}</ETag>", escape(target.if_match.quoted()));
    }
    xml += "</Object>";
  }
  return xml + "</Delete>";
}

std::string write_restore_request(const RestoreOptions& options) {
  const std::string days = options.days ? fmt::format("<Days>{}</Days>", *options.days) : "";
  return fmt::format("<RestoreRequest xmlns=\"{}\">{}<GlacierJobParameters><Tier>{}</Tier></GlacierJobParameters></RestoreRequest>", kNamespace, days,
                     escape(options.tier));
}

std::string write_complete_request(std::span<const UploadedPart> parts, bool with_checksums) {
  std::string xml = fmt::format("<CompleteMultipartUpload xmlns=\"{}\">", kNamespace);
  for (const UploadedPart& part : parts) {
    xml += "<Part>";
    if (with_checksums && part.crc64nvme) {
      xml += fmt::format("<ChecksumCRC64NVME>{}</ChecksumCRC64NVME>", crypto::crc64nvme_header(*part.crc64nvme));
    }
    xml += fmt::format("<ETag>{}</ETag><PartNumber>{}</PartNumber></Part>", escape(part.etag.quoted()), part.number);
  }
  return xml + "</CompleteMultipartUpload>";
}

}  // namespace prefixfs::s3

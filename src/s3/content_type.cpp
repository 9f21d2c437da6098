#include <algorithm>
#include <array>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

namespace {

struct Row {
  std::string_view extension;
  std::string_view type;
};

// Source: IANA media types registry; sorted by extension for the binary search.
constexpr std::array kTypes{
    Row{"3gp", "video/3gpp"},
    Row{"7z", "application/x-7z-compressed"},
    Row{"aac", "audio/aac"},
    Row{"ai", "application/postscript"},
    Row{"aif", "audio/aiff"},
    Row{"aiff", "audio/aiff"},
    Row{"apk", "application/vnd.android.package-archive"},
    Row{"apng", "image/apng"},
    Row{"asc", "text/plain"},
    Row{"atom", "application/atom+xml"},
    Row{"avi", "video/x-msvideo"},
    Row{"avif", "image/avif"},
    Row{"bash", "application/x-sh"},
    Row{"bin", "application/octet-stream"},
    Row{"bmp", "image/bmp"},
    Row{"br", "application/x-brotli"},
    Row{"bz2", "application/x-bzip2"},
    Row{"c", "text/x-c"},
    Row{"cbor", "application/cbor"},
    Row{"cc", "text/x-c"},
    Row{"cer", "application/pkix-cert"},
    Row{"cfg", "text/plain"},
    Row{"class", "application/java-vm"},
    Row{"conf", "text/plain"},
    Row{"cpp", "text/x-c"},
    Row{"crl", "application/pkix-crl"},
    Row{"crt", "application/x-x509-ca-cert"},
    Row{"css", "text/css"},
    Row{"csv", "text/csv"},
    Row{"deb", "application/vnd.debian.binary-package"},
    Row{"der", "application/x-x509-ca-cert"},
    Row{"dng", "image/x-adobe-dng"},
    Row{"doc", "application/msword"},
    Row{"docm", "application/vnd.ms-word.document.macroEnabled.12"},
    Row{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Row{"dot", "application/msword"},
    Row{"dotx", "application/vnd.openxmlformats-officedocument.wordprocessingml.template"},
    Row{"dwg", "image/vnd.dwg"},
    Row{"dxf", "image/vnd.dxf"},
    Row{"eml", "message/rfc822"},
    Row{"eps", "application/postscript"},
    Row{"epub", "application/epub+zip"},
    Row{"exe", "application/vnd.microsoft.portable-executable"},
    Row{"flac", "audio/flac"},
    Row{"flv", "video/x-flv"},
    Row{"geojson", "application/geo+json"},
    Row{"gif", "image/gif"},
    Row{"gpx", "application/gpx+xml"},
    Row{"gz", "application/gzip"},
    Row{"h", "text/x-c"},
    Row{"heic", "image/heic"},
    Row{"heif", "image/heif"},
    Row{"hpp", "text/x-c"},
    Row{"htm", "text/html"},
    Row{"html", "text/html"},
    Row{"ico", "image/vnd.microsoft.icon"},
    Row{"ics", "text/calendar"},
    Row{"ini", "text/plain"},
    Row{"iso", "application/x-iso9660-image"},
    Row{"jar", "application/java-archive"},
    Row{"java", "text/x-java-source"},
    Row{"jp2", "image/jp2"},
    Row{"jpeg", "image/jpeg"},
    Row{"jpg", "image/jpeg"},
    Row{"js", "text/javascript"},
    Row{"json", "application/json"},
    Row{"jsonl", "application/jsonl"},
    Row{"jsonld", "application/ld+json"},
    Row{"jxl", "image/jxl"},
    Row{"key", "application/vnd.apple.keynote"},
    Row{"kml", "application/vnd.google-earth.kml+xml"},
    Row{"kmz", "application/vnd.google-earth.kmz"},
    Row{"log", "text/plain"},
    Row{"lz4", "application/x-lz4"},
    Row{"m3u8", "application/vnd.apple.mpegurl"},
    Row{"m4a", "audio/mp4"},
    Row{"m4v", "video/mp4"},
    Row{"map", "application/json"},
    Row{"markdown", "text/markdown"},
    Row{"mbox", "application/mbox"},
    Row{"md", "text/markdown"},
    Row{"mid", "audio/midi"},
    Row{"midi", "audio/midi"},
    Row{"mjs", "text/javascript"},
    Row{"mkv", "video/matroska"},
    Row{"mov", "video/quicktime"},
    Row{"mp3", "audio/mpeg"},
    Row{"mp4", "video/mp4"},
    Row{"mpd", "application/dash+xml"},
    Row{"mpeg", "video/mpeg"},
    Row{"mpg", "video/mpeg"},
    Row{"msg", "application/vnd.ms-outlook"},
    Row{"msi", "application/x-msi"},
    Row{"numbers", "application/vnd.apple.numbers"},
    Row{"odg", "application/vnd.oasis.opendocument.graphics"},
    Row{"odp", "application/vnd.oasis.opendocument.presentation"},
    Row{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Row{"odt", "application/vnd.oasis.opendocument.text"},
    Row{"oga", "audio/ogg"},
    Row{"ogg", "audio/ogg"},
    Row{"ogv", "video/ogg"},
    Row{"opus", "audio/ogg"},
    Row{"otf", "font/otf"},
    Row{"p12", "application/x-pkcs12"},
    Row{"p7b", "application/pkcs7-mime"},
    Row{"p7m", "application/pkcs7-mime"},
    Row{"p7s", "application/pkcs7-signature"},
    Row{"pages", "application/vnd.apple.pages"},
    Row{"parquet", "application/vnd.apache.parquet"},
    Row{"pdf", "application/pdf"},
    Row{"pem", "application/x-pem-file"},
    Row{"pfx", "application/x-pkcs12"},
    Row{"php", "application/x-httpd-php"},
    Row{"png", "image/png"},
    Row{"pot", "application/vnd.ms-powerpoint"},
    Row{"pps", "application/vnd.ms-powerpoint"},
    Row{"ppsx", "application/vnd.openxmlformats-officedocument.presentationml.slideshow"},
    Row{"ppt", "application/vnd.ms-powerpoint"},
    Row{"pptm", "application/vnd.ms-powerpoint.presentation.macroEnabled.12"},
    Row{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Row{"ps", "application/postscript"},
    Row{"psd", "image/vnd.adobe.photoshop"},
    Row{"py", "text/x-python"},
    Row{"rar", "application/vnd.rar"},
    Row{"rdf", "application/rdf+xml"},
    Row{"rpm", "application/x-rpm"},
    Row{"rss", "application/rss+xml"},
    Row{"rst", "text/x-rst"},
    Row{"rtf", "application/rtf"},
    Row{"sh", "application/x-sh"},
    Row{"sql", "application/sql"},
    Row{"sqlite", "application/vnd.sqlite3"},
    Row{"srt", "application/x-subrip"},
    Row{"stl", "model/stl"},
    Row{"svg", "image/svg+xml"},
    Row{"svgz", "image/svg+xml"},
    Row{"tar", "application/x-tar"},
    Row{"tex", "application/x-tex"},
    Row{"tgz", "application/gzip"},
    Row{"tif", "image/tiff"},
    Row{"tiff", "image/tiff"},
    Row{"toml", "application/toml"},
    Row{"ts", "video/mp2t"},
    Row{"tsv", "text/tab-separated-values"},
    Row{"ttf", "font/ttf"},
    Row{"txt", "text/plain"},
    Row{"vcf", "text/vcard"},
    Row{"vsd", "application/vnd.visio"},
    Row{"vsdx", "application/vnd.ms-visio.drawing"},
    Row{"vtt", "text/vtt"},
    Row{"wasm", "application/wasm"},
    Row{"wav", "audio/wav"},
    Row{"weba", "audio/webm"},
    Row{"webm", "video/webm"},
    Row{"webmanifest", "application/manifest+json"},
    Row{"webp", "image/webp"},
    Row{"wma", "audio/x-ms-wma"},
    Row{"wmv", "video/x-ms-wmv"},
    Row{"woff", "font/woff"},
    Row{"woff2", "font/woff2"},
    Row{"wps", "application/vnd.ms-works"},
    Row{"xhtml", "application/xhtml+xml"},
    Row{"xls", "application/vnd.ms-excel"},
    Row{"xlsb", "application/vnd.ms-excel.sheet.binary.macroEnabled.12"},
    Row{"xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12"},
    Row{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Row{"xltx", "application/vnd.openxmlformats-officedocument.spreadsheetml.template"},
    Row{"xml", "application/xml"},
    Row{"xps", "application/oxps"},
    Row{"xsd", "application/xml"},
    Row{"xsl", "application/xslt+xml"},
    Row{"xslt", "application/xslt+xml"},
    Row{"xz", "application/x-xz"},
    Row{"yaml", "application/yaml"},
    Row{"yml", "application/yaml"},
    Row{"zip", "application/zip"},
    Row{"zst", "application/zstd"},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &Row::extension));

std::string extension_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::string_view base = slash == std::string_view::npos ? name : name.substr(slash + 1);
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {  // ".profile" has no extension
    return {};
  }
  std::string extension(base.substr(dot + 1));
  std::ranges::transform(extension, extension.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

const Row* find_row(std::string_view name) {
  const std::string extension = extension_of(name);
  const auto row = std::ranges::lower_bound(kTypes, std::string_view(extension), {}, &Row::extension);
  return row != kTypes.end() && row->extension == extension ? &*row : nullptr;
}

}  // namespace

std::string content_type_of(std::string_view name) {
  const Row* row = find_row(name);
  return row == nullptr ? "application/octet-stream" : std::string(row->type);
}

bool has_known_extension(std::string_view name) { return find_row(name) != nullptr; }

}  // namespace prefixfs::s3

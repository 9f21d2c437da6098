#include "conditions.h"

#include <chrono>

#include "prefixfs/base/time_format.h"
#include "prefixfs/object/etag.h"

namespace prefixfs::devs3 {
namespace {

struct Names {
  std::string_view match, none_match, modified, unmodified;
};

constexpr Names kRead{"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"};
constexpr Names kCopy{"x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match", "x-amz-copy-source-if-modified-since",
                      "x-amz-copy-source-if-unmodified-since"};

enum class Verdict { holds, failed_match, failed_none_match };

/// The order of RFC 9110, 13.2.2: a time is only looked at where its ETag sibling is absent.
Verdict judge(const Headers& headers, const Names& names, const Object& object) {
  // HTTP dates know whole seconds only.
  const auto modified = std::chrono::floor<std::chrono::seconds>(object.last_modified);
  if (const auto match = headers.find(names.match)) {
    if (!etag_matches(*match, object.etag)) {
      return Verdict::failed_match;
    }
  } else if (const auto text = headers.find(names.unmodified)) {
    if (const auto time = parse_http_date(*text); time && modified > *time) {
      return Verdict::failed_match;
    }
  }
  if (const auto none = headers.find(names.none_match)) {
    if (etag_matches(*none, object.etag)) {
      return Verdict::failed_none_match;
    }
  } else if (const auto text = headers.find(names.modified)) {
    if (const auto time = parse_http_date(*text); time && modified <= *time) {
      return Verdict::failed_none_match;
    }
  }
  return Verdict::holds;
}

}  // namespace

bool etag_matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto word = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (word.starts_with(' ')) {
      word.remove_prefix(1);
    }
    while (word.ends_with(' ')) {
      word.remove_suffix(1);
    }
    if (word == "*" || ETag::from_wire(word).str() == etag) {
      return true;
    }
  }
  return false;
}

Outcome<ReadVerdict> check_read(const Headers& headers, const Object& object) {
  switch (judge(headers, kRead, object)) {
    case Verdict::failed_match:
      return precondition_failed(headers.has(kRead.match) ? "If-Match" : "If-Unmodified-Since");
    case Verdict::failed_none_match:
      return ReadVerdict::not_modified;
    case Verdict::holds:
      break;
  }
  return ReadVerdict::send;
}

Outcome<void> check_write(const Headers& headers, std::string_view key, const Object* present) {
  if (const auto none = headers.find("if-none-match")) {
    if (*none != "*") {
      return not_implemented("If-None-Match", "A header you provided implies functionality that is not implemented");
    }
    if (headers.has("if-match")) {
      return not_implemented("If-Match", "If-Match and If-None-Match cannot be used together");
    }
    if (present != nullptr) {
      return precondition_failed("If-None-Match");
    }
  }
  if (const auto match = headers.find("if-match")) {
    if (present == nullptr) {
      return no_such_key(key);
    }
    if (*match == "*") {
      return not_implemented("If-Match", "A header you provided implies functionality that is not implemented");
    }
    if (!etag_matches(*match, present->etag)) {
      return precondition_failed("If-Match");
    }
  }
  return {};
}

Outcome<void> check_delete(std::string_view if_match, std::string_view key, const Object* present) {
  if (if_match.empty()) {
    return {};
  }
  if (present == nullptr && if_match != "*") {
    return no_such_key(key);
  }
  if (present == nullptr || !etag_matches(if_match, present->etag)) {
    return precondition_failed("If-Match");
  }
  return {};
}

Outcome<void> check_copy_source(const Headers& headers, const Object& source) {
  switch (judge(headers, kCopy, source)) {
    case Verdict::failed_match:
      return precondition_failed(headers.has(kCopy.match) ? kCopy.match : kCopy.unmodified);
    case Verdict::failed_none_match:
      return precondition_failed(headers.has(kCopy.none_match) ? kCopy.none_match : kCopy.modified);
    case Verdict::holds:
      break;
  }
  return {};
}

}  // namespace prefixfs::devs3

#include "copy_source.h"

#include "archive.h"
#include "conditions.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/object/key.h"
#include "rights.h"

namespace prefixfs::devs3 {
namespace {

/// "bucket/key" or "/bucket/key", URL-encoded.
Outcome<CopySource> parse_copy_source(std::string_view header) {
  const auto bad = [&] {
    return invalid_argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source",
                            std::string(header));
  };
  if (header.find('?') != std::string_view::npos) {
    return not_implemented("x-amz-copy-source", "Versions are not implemented");
  }
  auto decoded = crypto::uri_decode(header);
  if (!decoded || !is_utf8(*decoded)) {
    return bad();
  }
  if (decoded->starts_with('/')) {
    decoded->erase(0, 1);
  }
  const auto slash = decoded->find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) {
    return bad();
  }
  return CopySource{decoded->substr(0, slash), decoded->substr(slash + 1), nullptr};
}

}  // namespace

Outcome<CopySource> find_copy_source(Context& context, const Request& request) {
  S3_TRY_ASSIGN(auto source, parse_copy_source(request.header("x-amz-copy-source")));
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(source.bucket));
  S3_TRY(require_on(request, "s3:GetObject", source.bucket, source.key));
  source.object = bucket->find(source.key);
  if (!source.object) {
    return missing_key(request, source.bucket, source.key);
  }
  S3_TRY(check_copy_source(request.http.headers, *source.object));
  S3_TRY(check_readable(*source.object, context.clock.now(), "source object"));
  return source;
}

}  // namespace prefixfs::devs3

#include "archive.h"

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

bool copy_is_there(const Object& object, WallTime now) { return object.restore && object.restore->until && now < *object.restore->until; }

}  // namespace

bool has_archive_class(const Object& object) {
  return object.description.storage_class == "GLACIER" || object.description.storage_class == "DEEP_ARCHIVE";
}

Outcome<void> check_readable(const Object& object, WallTime now, std::string_view what) {
  if (!has_archive_class(object) || copy_is_there(object, now)) {
    return {};
  }
  return refuse(403, "InvalidObjectState", fmt::format("The operation is not valid for the {}'s storage class", what), "StorageClass",
                object.description.storage_class);
}

std::optional<std::string> restore_header(const Object& object, WallTime now) {
  if (object.restore && !object.restore->until) {
    return "ongoing-request=\"true\"";
  }
  if (!copy_is_there(object, now)) {
    return std::nullopt;
  }
  return fmt::format("ongoing-request=\"false\", expiry-date=\"{}\"", format_http_date(*object.restore->until));
}

WallTime expiry_of(int days, WallTime now) { return std::chrono::ceil<std::chrono::days>(now + std::chrono::days(days)); }

Outcome<void> put_restore(Bucket& bucket, const ObjectPtr& before, Restore restore) {
  return bucket.change(before, [&](Object& changed) { changed.restore = restore; });
}

}  // namespace prefixfs::devs3

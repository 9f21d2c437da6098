#pragma once
// Objects of an archive's storage class: their bytes can be had only while a restored copy is there.

#include <optional>
#include <string>

#include "bucket.h"

namespace prefixfs::devs3 {

bool has_archive_class(const Object& object);
/// Refuses with InvalidObjectState. `what`: "object", "source object".
Outcome<void> check_readable(const Object& object, WallTime now, std::string_view what);
/// x-amz-restore; nothing: nobody has asked, or the copy is gone again.
std::optional<std::string> restore_header(const Object& object, WallTime now);
/// When a copy that is asked for now goes again: S3 rounds up to midnight UTC (S3 User Guide, "Restoring an archived object").
WallTime expiry_of(int days, WallTime now);
Outcome<void> put_restore(Bucket& bucket, const ObjectPtr& before, Restore restore);

}  // namespace prefixfs::devs3

// What S3 did not take: its bytes are moved to where an administrator finds them.

#include <fmt/format.h>

#include "committer.h"
#include "prefixfs/base/fields.h"
#include "prefixfs/base/time_format.h"

namespace prefixfs::vfs {

void Committer::keep_bytes(OpenFile& file) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  const std::lock_guard lock(file.mutex);
  file.upload.reset();
  keep_bytes_locked(file);
}

void Committer::keep_bytes_locked(OpenFile& file) {
  const bool refused_size = file.failed && (file.failed->code == Errc::too_large || file.failed->code == Errc::no_space);
  if (file.unlinked || refused_size || file.content == nullptr || file.content->kept || !(file.unstored || file.content_changed_locked())) {
    return;
  }
  const auto key = p_.tree.file_key(file.node.parent, file.node.name);
  keep(*file.content, key ? key->str() : file.node.name, file.failed ? describe(*file.failed) : "");
}

void Committer::keep(Content& content, const std::string& key, const std::string& why) {
  const std::string reason = why.empty() ? "" : " (" + why + ")";
  const WallTime now = p_.clock.now();
  const std::filesystem::path kept = p_.stage.kept_path(std::filesystem::path(key).filename().native(), now);
  const bool incomplete = !content.file->missing(kWholeFile).empty();
  if (incomplete) {
    p_.log.error("{}: only the changed ranges of it are kept, the unchanged ones read as zeros", key);
  }
  if (const auto moved = content.file->keep(kept); !moved) {
    p_.log.error("{} could neither be stored in S3{} nor kept: {}", key, reason, describe(moved.error()));
  } else {
    content.kept = true;
    p_.log.error("{} could not be stored in S3{}; its bytes are kept in {}: copy them back into the mount when S3 answers again", key, reason,
                 kept.string());
    const std::lock_guard lock(content.mutex);
    const Fields note{{"key", key}, {"time", format_iso8601(now)}, {"reason", why}, {"version", content.etag.str()}, {"incomplete", incomplete ? "1" : "0"}};
    if (const auto noted = p_.stage.note_kept(kept, note.text()); !noted) {
      p_.log.warn("why {} is kept is not written beside it: {}", key, describe(noted.error()));
    }
  }
}

}  // namespace prefixfs::vfs

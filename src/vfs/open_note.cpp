#include "open_note.h"

#include <fmt/format.h>

#include <sstream>

namespace prefixfs::vfs {
namespace {

constexpr int kVersion = 4;
constexpr int kVersionWithoutXattrs = 3;
constexpr int kVersionWithoutAtime = 2;
constexpr int kVersionWithoutUsers = 1;
constexpr std::size_t kTextBytesMax = 4096;

/// In the order of the bits.
template <class Note>
auto flags_of(Note& note) {
  return std::array{&note.exclusive, &note.presumed_new,       &note.overwrites,     &note.unstored,
                    &note.attributes_changed, &note.explicit_mtime, &note.unlinked,  &note.node.local,
                    &note.node.posix_exact,    &note.appends};
}

}  // namespace

std::string encode_note(const OpenNote& note) {
  unsigned bits = 0;
  unsigned bit = 1;
  for (const bool* flag : flags_of(note)) {
    bits |= *flag ? bit : 0;
    bit <<= 1;
  }
  const meta::Node& node = note.node;
  const PosixAttributes& posix = node.posix;
  const std::string xattrs = meta::encode_xattrs(posix.xattrs);
  std::string users;
  for (const pid_t user : note.users) {
    users += fmt::format(" {}", user);
  }
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {}{} {} {}\n{}{}{}{}", kVersion, node.id, node.parent, node.size, bits, posix.mode, posix.uid,
                     posix.gid, posix.mtime_ns, node.name.size(), node.etag.str().size(), node.storage_class.size(), note.users.size(),
                     users, posix.atime_ns.value_or(posix.mtime_ns), xattrs.size(), node.name, node.etag.str(), node.storage_class, xattrs);
}

std::optional<OpenNote> decode_note(const std::string& text) {
  std::istringstream in(text);
  OpenNote note;
  meta::Node& node = note.node;
  int version = 0;
  unsigned bits = 0;
  std::size_t name = 0;
  std::size_t etag = 0;
  std::size_t storage_class = 0;
  in >> version >> node.id >> node.parent >> node.size >> bits >> node.posix.mode >> node.posix.uid >> node.posix.gid >>
      node.posix.mtime_ns >> name >> etag >> storage_class;
  std::size_t users = 0;
  const bool has_users = version >= kVersionWithoutAtime && version <= kVersion;
  if (has_users && in >> users && users <= OpenFile::kUsersMax) {
    note.users.resize(users);
    for (pid_t& user : note.users) {
      in >> user;
    }
  }
  if (std::int64_t atime_ns = 0; version >= kVersionWithoutXattrs && in >> atime_ns && atime_ns != node.posix.mtime_ns) {
    node.posix.atime_ns = atime_ns;
  }
  std::size_t xattrs = 0;
  if (version == kVersion) {
    in >> xattrs;
  }
  const bool known = has_users || version == kVersionWithoutUsers;
  if (!in || !known || in.get() != '\n' || name > kTextBytesMax || etag > kTextBytesMax || storage_class > kTextBytesMax ||
      xattrs > meta::kXattrsBytesMax) {
    return std::nullopt;
  }
  const auto take = [&in](std::size_t size) {
    std::string part(size, '\0');
    in.read(part.data(), static_cast<std::streamsize>(size));
    return part;
  };
  node.name = take(name);
  node.etag = ETag::from_wire(take(etag));
  node.storage_class = take(storage_class);
  auto decoded = meta::decode_xattrs(take(xattrs));
  if (!decoded) {
    return std::nullopt;
  }
  node.posix.xattrs = std::move(*decoded);
  unsigned bit = 1;
  for (bool* flag : flags_of(note)) {
    *flag = (bits & bit) != 0;
    bit <<= 1;
  }
  return in ? std::optional(std::move(note)) : std::nullopt;
}

OpenNote note_of_locked(const OpenFile& file) {
  return {.node = file.node,
          .exclusive = file.exclusive,
          .presumed_new = file.presumed_new,
          .overwrites = file.overwrites,
          .unstored = file.unstored,
          .attributes_changed = file.attributes_changed,
          .explicit_mtime = file.explicit_mtime,
          .unlinked = file.unlinked,
          .appends = file.appends,
          .users = file.users};
}

void restore_from_note(OpenFile& file, const OpenNote& note, std::shared_ptr<Content> content) {
  const std::lock_guard lock(file.mutex);
  file.node = note.node;
  file.exclusive = note.exclusive;
  file.presumed_new = note.presumed_new;
  file.overwrites = note.overwrites;
  file.unstored = note.unstored;
  file.attributes_changed = note.attributes_changed;
  file.explicit_mtime = note.explicit_mtime;
  file.unlinked = note.unlinked;
  file.users = note.users;
  // A commit may have been under way when the process died.
  file.maybe_stored = !note.unlinked;
  // What of it was stored before is not known any more; but of a new file that nobody has written to, nothing can have been.
  file.appends = note.appends && note.unstored && note.node.etag.empty() && content->file->size() == 0;
  file.content = std::move(content);
  file.content->opened = true;
  file.content->irreplaceable = note.unlinked;
}

void note_locked(OpenFile& file) {
  if (file.content == nullptr || (file.owed != nullptr && file.owed->content == file.content)) {
    return;
  }
  stage::StagedFile& staged = *file.content->file;
  if (file.unlinked || (file.needs_commit_locked() && !file.failed)) {
    staged.track(encode_note(note_of_locked(file)));
  } else {
    staged.untrack();
  }
}

}  // namespace prefixfs::vfs

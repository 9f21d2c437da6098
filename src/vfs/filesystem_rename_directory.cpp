// rename of a directory.

#include <fmt/format.h>

#include "core.h"

namespace prefixfs::vfs {

Result<void> Filesystem::Core::rename_directory(const Rename& rename, const CallContext& context) {
  if (!rights.may_list()) {
    return fail(Errc::cross_device, "what is in a directory is not known without the right s3:ListBucket; mv copies what it finds");
  }
  TRY_ASSIGN(const Key source, tree.marker_key(rename.node.parent, rename.node.name));
  TRY_ASSIGN(const Key destination, tree.marker_key(rename.new_parent, rename.new_name));
  if (destination.str().starts_with(source.str())) {
    return fail(Errc::invalid, fmt::format("{} cannot be moved into itself", source.str()));
  }
  if (destination.str().size() > settings.key_bytes_max) {
    return fail(Errc::name_too_long, fmt::format("{} is longer than a key can be", destination.str()));
  }
  keep_directory(rename.node.parent);
  const auto still_allowed = [&]() -> Result<void> {
    if (!rename.target) {
      return {};
    }
    TRY_ASSIGN(const Below below, what_is_below(*rename.target, destination, context));
    return below.others ? fail(Errc::not_empty, destination.str() + " is not empty") : Result<void>();
  };
  TRY(write_back.rename_directory({.directory = rename.node.id,
                                   .from = {rename.node.parent, rename.node.name, source.str()},
                                   .to = {rename.new_parent, std::string(rename.new_name), destination.str()},
                                   .still_allowed = still_allowed},
                                  context));
  touch(rename.node.parent);
  touch(rename.new_parent);
  return {};
}

}  // namespace prefixfs::vfs

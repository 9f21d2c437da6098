// What an ACL grants to others survives a new version of the object, where the mount is to see to that.

#include "committer.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {

/// What S3 is to grant on what replaces `version` (empty: nothing is replaced) or is copied from it; without it the new version has the default ACL.
/// Never remembered: others change an ACL without a new version.
Result<Grants> Committer::grants_of(const Key& key, const ETag& version, const CallContext& context) {
  if (!p_.settings.keep_acls || version.empty()) {
    return Grants{};
  }
  return sync::grants_to_keep(p_.store, key, p_.log, context);
}

}  // namespace prefixfs::vfs

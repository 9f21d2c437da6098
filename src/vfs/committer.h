#pragma once
// Makes S3 hold what a program has written: the one place where a file's bytes and attributes become an object.

#include "fetcher.h"
#include "open_file.h"
#include "tree.h"

namespace prefixfs::vfs {

/// Thread-safe; one commit of a file at a time.
class Committer {
 public:
  struct Parts {
    const Settings& settings;
    s3::ObjectStore& store;
    meta::NodeCache& nodes;
    stage::StageDirectory& stage;
    sync::Uploader& uploader;
    const Tree& tree;
    Fetcher& fetcher;
    const Clock& clock;
    Log& log;
  };
  explicit Committer(const Parts& parts) : p_(parts) {}

  /// Returns when S3 has what the file held at the call, or with the error; then the bytes are still staged.
  /// Errors: stale (somebody else has changed the object), and what S3 said.
  Result<void> commit(OpenFile& file, const CallContext& context);

  /// The headers of the version that `node` is: remembered in `content` (may be null), or asked for. Nothing where there is no object, or
  /// it may not be read. Another version than the node's counts like any other.
  Result<std::optional<ObjectInfo>> version_info(const meta::Node& node, const std::shared_ptr<Content>& content,
                                                 const CallContext& context);

  /// Gives a stored object the attributes `node.posix`: a file by one copy onto itself, a directory by its marker. `info`: the headers that
  /// it has; afterwards those of the new version. Gives back the node as it is to be
  /// recorded. Errors: stale (it is another version than the node's).
  Result<meta::Node> store_attributes(const meta::Node& node, std::optional<ObjectInfo>& info, const CallContext& context);

  /// A listing knows no modes and owners: those of the object come from its headers before some of them are changed.
  void make_exact(meta::Node& node, const ObjectInfo& info) const;

  /// The object's headers as they are to be written now, from `info` of the version before (null: a new object).
  s3::ObjectHeaders headers_for(const meta::Node& node, const ObjectInfo* info) const;

  /// After a program wrote: sends finished parts of a new file ahead. Called with file.mutex held.
  void wrote_locked(OpenFile& file, ByteRange range);

  /// The file was closed, and S3 would not take it: the bytes are moved to where an administrator finds them.
  void keep_bytes(OpenFile& file);

  /// The key under which the file is now.
  std::function<Key()> key_of(OpenFile& file) const;

 private:
  Result<void> commit_bytes(OpenFile& file, const CallContext& context);
  Result<sync::Committed> upload(OpenFile& file, const sync::UploadTarget& target, const CallContext& context);
  Result<bool> learn_replaced(OpenFile& file, const Key& key, const CallContext& context);
  Error refused(OpenFile& file, const sync::UploadTarget& target, Error error);
  Result<void> commit_attributes(OpenFile& file, const CallContext& context);
  Result<void> learn_tags(ObjectInfo& info, const Key& key, const std::shared_ptr<Content>& content, const CallContext& context);
  Result<sync::UploadTarget> target_of(OpenFile& file, const CallContext& context);
  void adopt(OpenFile& file, const sync::UploadTarget& target, const sync::Committed& committed, std::uint64_t emptied_before);

  Parts p_;
};

}  // namespace prefixfs::vfs

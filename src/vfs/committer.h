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

  /// Returns when S3 has what the file held at the call, or with the error; then the bytes are still staged. Called with file.commit_mutex held.
  /// Errors: stale (somebody else has changed the object), and what S3 said.
  Result<void> commit_locked(OpenFile& file, const CallContext& context);

  /// The same for a state that was acknowledged before, whatever programs do with the file meanwhile. One delivery of a file at a time.
  /// Errors as above, conflict instead of stale; the file is as it was then.
  Result<void> deliver(OpenFile& file, Owed& owed, const CallContext& context);

  /// An answer of S3 was lost, or a former process may have had it: the object may be there by now.
  static void note_maybe_stored(OpenFile& file, const Error& error);

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
  /// The same for one state of it, with what S3 said.
  void keep(Content& content, const std::string& key, const std::string& why);

  /// The key under which the file is now.
  std::function<Key()> key_of(OpenFile& file) const;

 private:
  /// What is to be stored: what the file holds now, or an acknowledged state of it.
  struct State {
    std::shared_ptr<Content> content;
    std::unique_ptr<sync::FileUpload>& upload;
    std::uint64_t emptied = 0;
    std::optional<PosixAttributes> posix;  ///< nothing: those the file has now
    std::optional<WallTime> acknowledged;  ///< when the journal did; nothing: S3 is to acknowledge it now
  };
  Result<void> commit_bytes(OpenFile& file, const CallContext& context);
  Result<void> store(OpenFile& file, State& state, const CallContext& context);
  Result<sync::Committed> upload(OpenFile& file, State& state, const sync::UploadTarget& target, const CallContext& context);
  Result<std::optional<sync::Committed>> own_write(OpenFile& file, State& state, const sync::UploadTarget& target, const CallContext& context);
  bool written_after(const ObjectInfo& info, WallTime moment) const;
  Result<bool> learn_replaced(OpenFile& file, State& state, const Key& key, const CallContext& context);
  Error refused(OpenFile& file, Error error);
  Result<void> commit_attributes(OpenFile& file, const CallContext& context);
  Result<void> learn_tags(ObjectInfo& info, const Key& key, const std::shared_ptr<Content>& content, const CallContext& context);
  Result<sync::UploadTarget> target_of(OpenFile& file, const State& state, const CallContext& context);
  void adopt(OpenFile& file, const State& state, const sync::UploadTarget& target, const sync::Committed& committed);

  Parts p_;
};

}  // namespace prefixfs::vfs

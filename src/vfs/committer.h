#pragma once
// Makes S3 hold what a program has written: the one place where a file's bytes and attributes become an object.

#include "fetcher.h"
#include "name_memory.h"
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
    UntoldVersions& untold;
    ContentCache& contents;
    const Clock& clock;
    Random& random;
    Log& log;
  };
  explicit Committer(const Parts& parts) : p_(parts) {}

  /// Returns when S3 has what the file held at the call, or with the error; then the bytes are still staged. Called with file.commit_mutex held.
  /// Errors: stale (somebody else has changed the object), and what S3 said.
  Result<void> commit_locked(OpenFile& file, const CallContext& context);

  /// The same for a state that was acknowledged before, whatever programs do with the file meanwhile. One delivery of a file at a time.
  /// Errors as above, conflict instead of stale; the file is as it was then.
  /// `rebased`: called when the file has to go on from another client's version, before anything is sent; the state's record must say so first.
  Result<void> deliver(OpenFile& file, Owed& owed, const std::function<Result<void>()>& rebased, const CallContext& context);

  /// An answer of S3 was lost, or a former process may have had it: the object may be there by now.
  static void note_maybe_stored(OpenFile& file, const Error& error);

  /// The headers of that version of `key`: remembered in `content` (may be null), or asked for. Nothing where there is no object, or
  /// it may not be read. Another version counts like any other.
  Result<std::optional<ObjectInfo>> version_info(const Key& key, const ETag& version, const std::shared_ptr<Content>& content,
                                                 const CallContext& context);

  struct Copy {
    meta::Node node;          ///< the version: ETag, size, storage class; and the attributes that the copy gets
    Key source;
    Key destination;
    bool attributes = false;  ///< they are the node's; otherwise the object keeps its own
    bool no_replace = false;  ///< as far as the endpoint can tell
  };
  /// One copy within S3. `info`: the headers of the version, where they are known; afterwards those of the copy.
  /// Errors: conflict (the source is another version, or the destination is taken), not_found, and what S3 said.
  Result<s3::CopyAnswer> copy(const Copy& copy, std::optional<ObjectInfo>& info, const CallContext& context);
  /// Whether the copy must know the headers of its source: a temporary name says nothing of the content's type, the final name does.
  static bool needs_headers(const Copy& copy);

  struct CopyFrom {
    Key key;
    ETag version;
    std::uint64_t size = 0;
  };
  /// An empty file that is to be stored becomes a copy of that version, by one copy within S3: with its own attributes, and the type of its own name.
  /// With file.commit_mutex held. False: it did not, and is as it was; its bytes have to be sent.
  Result<bool> store_copy(OpenFile& file, const CopyFrom& from, const CallContext& context);

  /// A rename or a change of attributes that was acknowledged before; the removal of the source is left to the caller. One delivery of a file at a time.
  /// Errors: conflict (the source is another version or gone, or somebody else has made the destination since), and what S3 said.
  Result<void> deliver_move(OpenFile& file, OwedMove& move, const CallContext& context);

  /// Gives a stored object the attributes `node.posix`: a file by one copy onto itself, a directory by its marker. `info`: the headers that
  /// it has; afterwards those of the new version. Gives back the node as it is to be
  /// recorded. Errors: stale (it is another version than the node's).
  Result<meta::Node> store_attributes(const meta::Node& node, std::optional<ObjectInfo>& info, const CallContext& context);

  /// A listing knows no modes and owners: those of the object come from its headers before some of them are changed.
  void make_exact(meta::Node& node, const ObjectInfo& info) const;
  /// The same of an open file, and what programs have changed since comes on top. `node` gets them too.
  void exact_attributes(OpenFile& file, const ObjectInfo& info, meta::Node& node) const;

  /// The object's headers as they are to be written now, from `info` of the version before (null: a new object).
  s3::ObjectHeaders headers_for(const meta::Node& node, const ObjectInfo* info) const;

  /// Whether that version surely was there at a moment of this host's clock, and whether it surely was not.
  bool written_before(const ObjectInfo& info, WallTime moment) const;
  bool written_after(const ObjectInfo& info, WallTime moment) const;

  /// After a program wrote: sends finished parts of a new file ahead. Called with file.mutex held.
  void wrote_locked(OpenFile& file, ByteRange range);

  /// S3 would not take the file, and all have closed it or are told so for good: the bytes are moved to where an administrator finds them.
  void keep_bytes(OpenFile& file);
  void keep_bytes_locked(OpenFile& file);
  /// The same for one state of it, with what S3 said.
  void keep(Content& content, const std::string& key, const std::string& why);

  /// The key under which S3 has the version that the file goes on from.
  std::function<Key()> key_of(OpenFile& file) const;

 private:
  /// What is to be stored: what the file holds now, or an acknowledged state of it.
  struct State {
    std::optional<Key> key;          ///< nothing: that of the name which the file has now
    std::shared_ptr<Content> content;
    std::unique_ptr<sync::FileUpload>& upload;
    std::uint64_t emptied = 0;
    std::optional<PosixAttributes> posix;  ///< nothing: those the file has now
    Owed* owed = nullptr;            ///< which of them
    const std::function<Result<void>()>* rebased = nullptr;
    std::optional<WallTime> acknowledged;  ///< when the journal did; nothing: S3 is to acknowledge it now
  };
  static constexpr std::chrono::seconds kAtOnce{10};  ///< what reaches S3 later than that is not the last writer unseen

  Result<void> commit_bytes(OpenFile& file, const CallContext& context);
  Result<void> store(OpenFile& file, State& state, const CallContext& context);
  Result<sync::Committed> upload(OpenFile& file, State& state, const sync::UploadTarget& target, const CallContext& context);
  Result<std::optional<sync::Committed>> own_write(OpenFile& file, State& state, const sync::UploadTarget& target, const CallContext& context);
  WallTime by_clock_of(const ObjectInfo& info, WallTime moment) const;
  struct AfterConflict {
    std::optional<sync::Committed> mine;  ///< S3 has this state already
    bool again = false;                   ///< the file goes on from what stands there
  };
  Result<AfterConflict> after_conflict(OpenFile& file, State& state, const sync::UploadTarget& target, int conflicts, const CallContext& context);
  Result<bool> learn_replaced(OpenFile& file, State& state, const Key& key, const CallContext& context);
  Result<void> not_overtaken(const OwedMove& move, const Copy& copy, bool attempted, const CallContext& context);
  bool is_copy(const ObjectInfo& there, const Copy& copy) const;
  Result<std::optional<ETag>> own_copy(const Copy& copy, const CallContext& context);
  void adopt_moved(OpenFile& file, OwedMove& move, const meta::Node& moved, const ETag& version, std::optional<ObjectInfo>& info);
  void take_attributes_locked(OpenFile& file, State& state, const ObjectInfo& info) const;
  Result<std::optional<ETag>> copy_or_find(OpenFile& file, const CopyFrom& from, const sync::UploadTarget& target, const CallContext& context);
  // committer_append.cpp
  static bool only_appends(OpenFile& file, const State& state);
  static bool only_appends_locked(const OpenFile& file, const State& state);
  Result<std::optional<sync::Committed>> append_to_newer(OpenFile& file, State& state, const Key& key, int conflicts, const CallContext& context);
  static sync::Committed stored_already(const State& state, const ObjectInfo& info);
  Result<std::optional<sync::Committed>> own_append(OpenFile& file, State& state, const ObjectInfo& info, const CallContext& context);
  static std::shared_ptr<Content> later_state(OpenFile& file, const State& state);
  Result<bool> holds(const ObjectInfo& info, const stage::StagedFile& file, std::uint64_t begin, const CallContext& context);
  Result<bool> go_on_from(OpenFile& file, State& state, const ObjectInfo& newer, std::optional<std::uint64_t> stored);
  Result<std::shared_ptr<Content>> behind(const Content& content, const ObjectInfo& newer, std::optional<std::uint64_t> stored);
  Error refused(OpenFile& file, Error error);
  Result<bool> marker_has_content(const meta::Node& node, const Key& key, std::optional<ObjectInfo>& info, const CallContext& context);
  Result<void> commit_attributes(OpenFile& file, const CallContext& context);
  Result<void> learn_tags(ObjectInfo& info, const Key& key, const std::shared_ptr<Content>& content, const CallContext& context);
  // committer_acl.cpp
  Result<Grants> grants_of(const Key& key, const ETag& version, const CallContext& context);
  Result<sync::UploadTarget> target_of(OpenFile& file, const State& state, const CallContext& context);
  static void follow(Content& later, bool appends, const sync::Committed& committed, const ObjectInfo& info);
  void adopt(OpenFile& file, const State& state, const sync::UploadTarget& target, const sync::Committed& committed);

  Parts p_;
};

}  // namespace prefixfs::vfs

#pragma once
// The parts of a Filesystem, put together. The operations in filesystem_*.cpp are short: each finds, asks, records.

#include <atomic>

#include "committer.h"
#include "directory_handles.h"
#include "directory_reader.h"
#include "fetcher.h"
#include "files_ahead.h"
#include "lister.h"
#include "open_file.h"
#include "resolver.h"
#include "room.h"
#include "subtree_gate.h"
#include "tree.h"
#include "write_back.h"

namespace prefixfs::vfs {

/// The kernel names an inode that it has looked up a while ago. Where that is gone, it looks the name up again after `stale`; `not_found` it would hand to the
/// program, also to one that creates the file.
template <class T>
Result<T> of_known_inode(Result<T> result) {
  if (!result && result.error().code == Errc::not_found) {
    result.error().code = Errc::stale;
  }
  return result;
}

struct Filesystem::Core {
  /// A file that an operation of the mount itself keeps open, so that whoever opens it meanwhile joins in and waits for its commit_mutex.
  class HeldFile {
   public:
    HeldFile(Core& core, const meta::Node& node) : core_(core), file_(core.open_files.acquire(node, false)) {}
    ~HeldFile() {
      core_.close_file(*file_, [this] { return core_.open_files.let_go(file_); });
    }
    HeldFile(const HeldFile&) = delete;
    HeldFile& operator=(const HeldFile&) = delete;
    const std::shared_ptr<OpenFile>& shared() const { return file_; }
    OpenFile& operator*() const { return *file_; }
    OpenFile* operator->() const { return file_.get(); }

   private:
    Core& core_;
    const std::shared_ptr<OpenFile> file_;
  };

  Core(const Settings& given, const Surroundings& around);
  ~Core();

  const Settings settings;
  Surroundings outside;
  const std::int64_t started_ns;
  Tree tree;
  SubtreeGate gate;
  Rights rights;
  AbsentNames absent;
  UntoldVersions untold;
  NamelessFiles nameless_files;
  ContentCache contents;
  Room room;
  OpenFiles open_files;
  DirectoryHandles directory_handles;
  Lister lister;
  Resolver resolver;
  DirectoryReader directory_reader;
  Fetcher fetcher;
  FilesAhead files_ahead;
  Committer committer;
  std::mutex tell_mutex;  ///< before all others
  std::function<void(InodeId)> tell_settled;  ///< see Filesystem::on_settled()
  WriteBack write_back;  // last: its threads use all of the above

  Result<void> writable() const;
  /// Whether a call that S3 has not answered is acknowledged from the journal instead.
  bool queues(const Error& error) const { return settings.queue_in_outage && s3::is_outage(error); }

  /// Again, as long as what is owed, or what others are storing now, makes room for it.
  template <class Act>
  auto with_space(const CallContext& context, Act&& act) {
    for (;;) {
      const std::uint64_t stored = room.times_stored();  // what is stored meanwhile makes room too
      auto done = act();
      if (done || done.error().code != Errc::no_space || !(write_back.wait_for_space(context) || room.wait_for_stored(stored, context))) {
        return done;
      }
    }
  }

  /// The node as this mount shows it: an open file's own state comes first.
  /// `closed_before`: OpenFiles::closed() before `node` was read, where that is known.
  meta::Node shown(const meta::Node& node, std::optional<std::uint64_t> closed_before) const;
  Attributes attributes(const meta::Node& node) const;
  PosixAttributes root_attributes(const meta::Node& root) const;
  /// A name in the directory was made, renamed or removed.
  void touch(InodeId directory);
  static bool replaces_unfinished(const OpenFile& file);
  Entry entry(const meta::Node& node, std::optional<std::uint64_t> closed_before = {}) const;
  /// The same for an answer after which the kernel knows the size.
  Entry tell(const meta::Node& node);

  /// The node of a held file, as the last commit has left it.
  meta::Node node_of(OpenFile& file);

  /// What a name is now, or nothing. Errors but not_found are passed on.
  Result<std::optional<meta::Node>> look(InodeId parent, std::string_view name, const CallContext& context);

  Result<Entry> attributes_now(InodeId id, const CallContext& context);
  /// Instead of ESTALE, of a file that lost its name here after the kernel had found it, and that nobody has open; otherwise `answer`.
  Result<Entry> or_nameless(InodeId id, Result<Entry> answer) const;

  // filesystem_open.cpp
  std::optional<meta::Node> written_here(InodeId id) const;
  Result<Opened> open_known(InodeId id, int flags, const Caller& caller);
  Result<Opened> open_node(const meta::Node& node, int flags, const Caller& caller);
  bool goes_on(OpenFile& file, pid_t thread) const;
  bool any_has_descriptor(const std::vector<pid_t>& processes, InodeId inode) const;
  Result<void> commit(OpenFile& file, const CallContext& context);
  static InodeId inode_of(OpenFile& file);
  Result<void> prepare_content(OpenFile& file, int flags, const Caller& caller);
  Result<void> truncate_open(OpenFile& file, std::uint64_t size, const Caller& caller);
  Result<void> truncate_staged(OpenFile& file, std::uint64_t size, bool kills_set_id);
  void close_handle(HandleId id);
  void note_read(OpenFile& file);
  /// Ends what acquire() began: `release` lets go of the file, which is stored before if it owes that.
  void close_file(OpenFile& file, const std::function<OpenFiles::Released()>& release);
  void store_late(OpenFile& file);
  /// Programs are going to change its bytes: those that the journal has acknowledged stay as they are.
  Result<void> own_content_locked(OpenFile& file, std::uint64_t size);
  Result<void> adopt_headers(OpenFile& file, Content& content);

  // filesystem_create.cpp
  struct NewName {
    meta::Node directory;
    Key key;
    std::optional<meta::Node> known;  ///< what has the name already
  };
  Result<meta::Node> directory_of_new(InodeId parent);
  Result<NewName> new_name(InodeId parent, std::string_view name);
  Result<void> check_length(const Key& key, std::string_view name) const;
  meta::Node new_node(const meta::Node& directory, std::string_view name, NodeKind kind, std::uint32_t mode, const Caller& caller) const;
  Result<Opened> open_new(meta::Node& node, int flags, bool presumed, const Caller& caller);
  Result<void> claim_name(OpenFile& file, const Key& key, const CallContext& context);
  void give_up_created(OpenFile& file, HandleId handle);

  // filesystem_special.cpp
  Result<void> store_new(OpenFile& file, std::string_view target, const Caller& caller);
  Result<std::string> fetch_target(const meta::Node& link, const Caller& caller);

  // filesystem_reopen.cpp
  void settled(const std::shared_ptr<OpenFile>& file);
  Result<void> reopen(const OpenBefore& before);
  Result<void> reopen_unstored(const OpenBefore& before);
  Result<void> take_name_again(WriteBack::Former& former);
  void add_dead_handle(const OpenBefore& before, const Error& error);
  void forget_lost(InodeId id);

  // filesystem_data.cpp
  Result<std::size_t> write_staged(OpenFile& file, std::optional<std::uint64_t> position, std::span<const std::byte> data, const Caller& caller);
  Result<void> fetch_for_reader(OpenFile& file, const std::shared_ptr<Content>& content, ByteRange wanted, const ReadAhead::Plan& plan,
                                const CallContext& context);

  // filesystem_locks.cpp
  Result<locks::File> file_to_lock(OpenFile& file) const;
  Result<void> deliver_before_unlock(OpenFile& file, const CallContext& context);
  /// Somebody here has locked the file: what is known of it is from before, and S3 is asked once.
  Result<void> see_newest(OpenFile& file, const CallContext& context);
  Result<void> ask_for_newest(OpenFile& file, const CallContext& context);
  Result<void> go_on_from_newest(OpenFile& file, const ObjectInfo& newest, std::shared_ptr<Content> block, WallTime asked);
  void confirm_version(const meta::Node& node, WallTime asked);
  void lost_locks(const locks::Lost& lost);
  void tell_of(InodeId inode);

  // filesystem_space.cpp
  Result<void> allocate_staged(OpenFile& file, int mode, ByteRange range, const Caller& caller);

  // filesystem_copy.cpp
  std::optional<Committer::CopyFrom> stored_whole(OpenFile& file) const;

  // filesystem_attributes.cpp
  Result<Entry> set_attributes(InodeId id, std::optional<HandleId> handle, const SetAttributes& asked, const Caller& caller);
  Result<void> resize(const meta::Node& node, std::uint64_t size, std::optional<HandleId> through, const Caller& caller);
  Result<Entry> change_attributes(const meta::Node& node, const SetAttributes& changes, const CallContext& context);
  Result<std::optional<Entry>> change_open(OpenFile& file, const SetAttributes& changes, const CallContext& context);
  Result<Entry> change_stored_file(const meta::Node& known, const SetAttributes& changes, const CallContext& context);
  std::shared_ptr<Content> content_of(OpenFile& file);
  Result<Entry> change_stored(const meta::Node& node, const SetAttributes& changes, const CallContext& context);

  // filesystem_xattrs.cpp
  Result<meta::Node> exact_node(InodeId id, const CallContext& context);
  Result<void> check_metadata(const meta::Node& node, const SetAttributes& changes) const;

  // filesystem_directories.cpp
  Result<meta::Node> judged_directory(InodeId id, const CallContext& context);
  void learn_attributes(std::vector<meta::Node>& nodes, const CallContext& context);

  // filesystem_names.cpp
  Result<Entry> make_directory(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller);
  /// Before the object of an open file goes: what programs may still read of it becomes local, and stays so while the Pin lives; then
  /// mark_unlinked() has been called. What is larger than the cache, or cannot be had, is left: its readers will be told.
  Result<Pin> detach(const meta::Node& node, const CallContext& context);
  void mark_unlinked(InodeId id);
  /// A directory that has no marker would vanish with its last object; on this mount it stays until rmdir, and those above it with it.
  void keep_directory(InodeId directory);
  struct Rename {
    meta::Node node;
    std::optional<meta::Node> target;  ///< what is replaced
    InodeId new_parent = 0;
    std::string_view new_name;
    bool no_replace = false;
    bool resent = false;  ///< a former process may have done it, or a part of it
  };
  struct Destination {
    InodeId parent = 0;
    std::string_view name;
    bool no_replace = false;
  };
  Result<std::optional<Rename>> rename_if_file(InodeId parent, std::string_view name, const Destination& to, const Caller& caller);
  Result<void> rename_file(const Rename& rename, const CallContext& context);
  Result<void> rename_directory(const Rename& rename, const CallContext& context);
  Result<void> renamed_before(InodeId parent, std::string_view name, Error otherwise, const CallContext& context);
  Result<void> remove_object(OpenFile& file, WriteBack::Taken& taken, const Key& key, const CallContext& context);
  struct Below {
    bool others = false;  ///< something besides the marker
    bool marker = true;   ///< there may be one
  };
  Result<Below> what_is_below(const meta::Node& directory, const Key& marker, const CallContext& context);
  static bool may_have_object(const OpenFile& file);
  Result<bool> move_owed(const std::shared_ptr<OpenFile>& file, const Rename& rename, const WriteBack::Names& in_hand, WriteBack::Taken& replaced,
                         bool over_object, const CallContext& context);
  /// Whether the old name is free afterwards; not so when another client has written to it meanwhile.
  Result<bool> move_object(OpenFile& file, const Rename& rename, meta::Node& mine, const CallContext& context);
  Result<bool> finish_renamed(const Rename& rename, meta::Node& mine, const CallContext& context);
  Result<bool> remove_renamed(const Rename& rename, const Key& source, const ETag& version, const CallContext& context);
  void adopt_name(OpenFile& file, const meta::Node& mine, bool no_replace, bool over_object);
};

}  // namespace prefixfs::vfs

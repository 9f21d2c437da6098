#pragma once
// Who acknowledges a change, S3 or the journal? And what the journal has acknowledged is delivered from here.
// The rules are in README.md, "What the journal acknowledges".

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "committer.h"
#include "directory_move.h"
#include "name_memory.h"
#include "names_in_hand.h"
#include "open_note.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/sync/delivery_queue.h"
#include "room.h"

namespace prefixfs::vfs {

/// Thread-safe.
class WriteBack {
 public:
  struct Parts {
    const Settings& settings;
    s3::ObjectStore& store;
    meta::NodeCache& nodes;
    meta::Journal& journal;
    stage::StageDirectory& stage;
    const Tree& tree;
    Committer& committer;
    OpenFiles& open_files;
    AbsentNames& absent;
    SubtreeGate& gate;
    Room& room;
    const s3::Breaker& breaker;
    const Clock& clock;
    Random& random;
    Log& log;
  };
  /// `settled`: called when the last thing that was owed of a file has gone, with no lock held.
  WriteBack(const Parts& parts, std::function<void(const std::shared_ptr<OpenFile>&)> settled);

  /// close() and fsync(): returns when what the file held at the call is acknowledged, or with the error; then its bytes are still staged.
  Result<void> commit(OpenFile& file, const CallContext& context);

  /// An empty file becomes a copy of a stored version, acknowledged by S3. False: see Committer::store_copy(); also where the journal comes first.
  Result<bool> copy(OpenFile& file, const Committer::CopyFrom& from, const CallContext& context);

  /// Whether the removal of a name is acknowledged from the journal now.
  bool acknowledges_removals() const { return p_.settings.journal_removals || in_outage(); }

  using Names = NamesInHand::Names;
  /// For who takes something back from the queue, or acknowledges a removal. With the commit_mutex of what has these names held; before anything is taken.
  Names in_hand(const std::vector<Key>& keys);

  /// Nothing of a file is delivered while one of these lives; made with its commit_mutex held. What was taken goes back to the queue at the
  /// end, unless something else was acknowledged in its place.
  class Taken {
   public:
    Taken() = default;
    Taken(Taken&& other) noexcept
        : names_(std::move(other.names_)), write_back_(other.write_back_), file_(std::move(other.file_)), ids_(std::move(other.ids_)) {
      other.ids_.clear();
    }
    Taken& operator=(Taken&& other) noexcept {
      std::swap(names_, other.names_);
      std::swap(write_back_, other.write_back_);
      std::swap(file_, other.file_);
      std::swap(ids_, other.ids_);
      return *this;
    }
    ~Taken();
    bool empty() const { return ids_.empty(); }

   private:
    friend class WriteBack;
    Names names_;  ///< where the file was, and others may be made
    WriteBack* write_back_ = nullptr;
    std::shared_ptr<OpenFile> file_;
    std::vector<meta::IntentId> ids_;
  };
  /// `names`: what the caller has in hand, among that the file's name. Errors: timeout, cancelled (a delivery on its way has not ended in time).
  Result<Taken> take(const std::shared_ptr<OpenFile>& file, const Names& names, const CallContext& context);
  /// What was taken is void: the file is gone, and S3 has nothing of it or has been told.
  Result<void> drop(Taken& taken);
  /// The newest state that was taken is owed under the name that the file has by now; what was taken of the file it replaces is void.
  /// `left`: what may have reached S3 under the old name, and is to go.
  struct Name {
    InodeId parent = 0;
    std::string name;
    Key key;
  };
  Result<void> move(Taken& taken, Taken& replaced, const std::optional<Name>& left);
  /// What was taken is void, and the object `key` of that name is to go; `version`: the one that this mount knows, empty where it knows none.
  /// Afterwards the name is absent here. `file`: whose object it is; null for a directory.
  Result<void> remove(Taken& taken, OpenFile* file, const Name& name, const ETag& version);
  /// Whether a rename of a stored file, or a change of its attributes, is acknowledged from the journal now.
  bool acknowledges_moves(const OpenFile& file) const;
  struct NewName {
    InodeId parent = 0;
    std::string name;
    Key key;
    bool no_replace = false;
    bool replaces = false;  ///< S3 may have an object there
    bool attempted = false; ///< and perhaps the copy already
    NewName after_an_attempt() const {
      NewName same = *this;
      same.attempted = true;
      return same;
    }
  };
  /// The file has that name from now on, and S3 is owed the rename; what was taken of the file that is replaced is void. With the commit_mutex held.
  /// `names`: both names, in hand.
  Result<void> rename(const std::shared_ptr<OpenFile>& file, const NewName& to, const Names& names, Taken& replaced);
  /// A rename that S3 is to acknowledge takes two requests: while this lives, the next process would finish what a killed one has begun.
  class BegunRename {
   public:
    BegunRename(WriteBack& write_back, meta::IntentId id) : write_back_(&write_back), id_(id) {}
    BegunRename(BegunRename&& other) noexcept : write_back_(std::exchange(other.write_back_, nullptr)), id_(other.id_) {}
    BegunRename& operator=(BegunRename&&) = delete;
    ~BegunRename();

   private:
    WriteBack* write_back_;
    meta::IntentId id_;
  };
  Result<BegunRename> begin_rename(const meta::Node& file, const NewName& to);
  struct DirectoryRename {
    InodeId directory = 0;
    DirectoryMove::Name from;
    DirectoryMove::Name to;
    std::function<Result<void>()> still_allowed;  ///< asked when nobody else changes what is below either name any more
  };
  /// Returns when S3 has it, whoever acknowledges other changes; the journal goes on with it after a crash. With no pass of the gate held.
  /// Errors: exists (another client has made a name there meanwhile), name_too_long, unsupported (too many objects), and what S3 said; then the directory is
  /// where it was.
  Result<void> rename_directory(const DirectoryRename& rename, const CallContext& context);
  /// The file has these attributes from now on, and S3 is owed them. With the commit_mutex held.
  Result<void> change_attributes(const std::shared_ptr<OpenFile>& file, const SetAttributes& changes);
  /// Until an acknowledged removal of that name has been delivered.
  Result<void> wait_for_removal(InodeId parent, std::string_view name, const CallContext& context);
  /// The same for all of the directory.
  Result<void> wait_for_removals(InodeId directory, const CallContext& context);

  /// Whether a new directory, or a change of its attributes, is acknowledged from the journal now.
  bool acknowledges_directories() const { return p_.settings.journal_commits || in_outage(); }
  /// The directory is to get its marker, or a new one with the attributes that it has by now, and is there for this mount until then. Gives back its
  /// record. `there`: S3 may have a marker.
  Result<meta::Node> make_directory(meta::Node directory, bool there);
  bool owes_marker(InodeId directory) const { return marker_of(directory).has_value(); }
  /// Its marker is not to be made any more, if it is not there yet. False: there may be one by now.
  Result<bool> unmake_directory(InodeId directory, const CallContext& context);

  /// Until nothing of what is below that prefix ("": of the mount) is owed that was at the call.
  Result<void> wait_for_prefix(const std::string& prefix, const CallContext& context);
  /// Until nothing is owed that was at the call, but what S3 has refused. Errors: unavailable (S3 does not answer), timeout, cancelled.
  Result<void> wait_for_all(const CallContext& context);
  /// The stage is full of bytes that S3 does not have: until some of them have been delivered. False: none will be for now, since nothing is
  /// owed, S3 does not answer or refuses them, or the caller's time is over.
  bool wait_for_space(const CallContext& context);
  /// A move that was begun, perhaps by a former process, may be done already, and a state that is being delivered may be the file's version in S3: until it is known
  /// where the file is, and which version it has. False: as before.
  Result<bool> wait_for_begun(OpenFile& file, const CallContext& context);
  /// Until nothing of the file is owed.
  Result<void> wait_for(OpenFile& file, const CallContext& context);

  /// What a former process has acknowledged and not delivered. Before the first request; once.
  Result<void> recover();

  /// What a former process of this boot had open and not stored, if there is something; once for each inode.
  struct Former {
    OpenNote note;
    std::shared_ptr<Content> content;
  };
  std::optional<Former> take_former(InodeId id);
  void drop_formers();
  /// After recover(): until then nothing is delivered, so that what is reopened is as it was.
  void begin_deliveries();

  /// See Filesystem::owed().
  std::vector<OwedIntent> owed() const;
  Result<void> drain(bool through_outage, const CallContext& context) { return queue_.wait_for({}, through_outage, context); }
  void resume() { queue_.resume(); }
  void retry(std::optional<meta::IntentId> id) { queue_.retry(id); }
  std::optional<Error> outage() const { return queue_.outage(); }
  void stop() { queue_.stop(); }

  // write_back_admin.cpp
  /// See Filesystem::discard().
  Result<void> discard(meta::IntentId id, const CallContext& context);
  struct Progress {
    bool parked = false;
    std::optional<Error> last_error;
  };
  /// How the deliveries of these intents stand.
  Progress progress_of(std::span<const meta::IntentId> ids) const;

 private:
  struct Entry {
    meta::IntentKind kind = meta::IntentKind::store;
    std::string path;
    WallTime since{};
    std::shared_ptr<OpenFile> file;  ///< of a store or a move; of a removal that comes after a move
    std::shared_ptr<Owed> owed;      ///< of a store
    std::shared_ptr<OwedMove> move;  ///< of a move
    std::shared_ptr<DirectoryMove> directory;  ///< of a directory's move
    InodeId inode = 0;               ///< of a marker
    bool there = false;              ///< S3 may have the marker already
    InodeId parent = 0;              ///< with `name`: what is absent until the removal or the move is delivered
    std::string name;                ///< or the id of an upload that a former process has begun
    ETag version;
    std::string refusal;             ///< what a former process was told when it parked the intent
  };
  struct Removal {
    meta::Intent intent;
    Entry entry;
  };
  struct Sealed {
    std::shared_ptr<Owed> owed;
    std::shared_ptr<Owed> previous;
    bool unstored = false;
    bool attributes_changed = false;
  };

  // write_back.cpp: acknowledging
  bool in_outage() const { return p_.settings.queue_in_outage && p_.breaker.open(); }
  bool needs_journal(const OpenFile& file) const;
  bool may_queue(const OpenFile& file, const Error& error) const;
  Result<void> acknowledge(OpenFile& file);
  Result<Names> name_in_hand(const OpenFile& file);
  bool withdraw_unstored(const Owed& owed);
  Result<Sealed> seal(OpenFile& file, meta::IntentId id);
  void unseal(OpenFile& file, Sealed& sealed);
  Result<meta::Intent> record_of(OpenFile& file, const Owed& owed) const;
  void add(meta::IntentId id, const Entry& entry, bool parked = false);
  Result<void> write_journal(meta::JournalChange change);
  void still_recorded(meta::IntentId id, const std::string& path, const Error& error);
  static meta::IntentId newest_of(const OpenFile& file);
  void enqueue(meta::IntentId id, const Entry& entry, bool parked);
  std::optional<Entry> entry(meta::IntentId id) const;
  std::optional<meta::IntentId> marker_of(InodeId directory) const;
  void forget(meta::IntentId id);
  void end(OpenFile& file, meta::IntentId id);
  Result<Removal> removal_of(const Name& name, const ETag& version);
  void begin(const Removal& removal);
  void void_taken(Taken& taken);
  void give_back(Taken& taken);
  Result<void> end_delivery(OpenFile& file, const Entry& known, meta::IntentId id, const CallContext& context);
  void release_bytes(const OpenFile& file, const Owed& owed);

  // write_back_moves.cpp
  enum class MoveTaken { never_attempted, not_copied };
  struct LastMove {
    std::shared_ptr<OwedMove> move;  ///< null: there is none
    Names source;
  };
  LastMove take_last_move(OpenFile& file, MoveTaken which, const Names& names);
  void give_back(const std::shared_ptr<OwedMove>& move);
  struct NewMove {
    std::shared_ptr<OwedMove> move;
    std::shared_ptr<OwedMove> last;  ///< whose place it takes; may be null
    meta::JournalChange change;      ///< what else is acknowledged with it
  };
  Result<void> acknowledge_move(OpenFile& file, NewMove given, const std::function<Result<void>(meta::Node&)>& change_node);
  static meta::Intent record_of_locked(const OpenFile& file, const OwedMove& move);
  void begin(const std::shared_ptr<OwedMove>& move, const std::shared_ptr<OpenFile>& file, bool parked = false, const std::string& refusal = "");
  void end_move(OpenFile& file, const OwedMove& move);
  Result<std::optional<Removal>> left_by(const Taken& taken);
  Result<void> deliver_move(meta::IntentId id, const Entry& entry, const CallContext& context);
  Result<void> moved(meta::IntentId id, const Entry& entry, bool free);
  void note_absent(InodeId directory, std::string_view name);
  void forget_listing(InodeId directory);
  void follow_removals(const OpenFile& file, meta::JournalChange& change);
  void undo_move(meta::IntentId id, const Entry& entry, Error error);

  // write_back_directories.cpp
  static meta::Intent record_of(const DirectoryMove& move);
  void begin(const std::shared_ptr<DirectoryMove>& move);
  void hold_names(const DirectoryMove& move);
  void end(const DirectoryMove& move);
  void give_up(DirectoryMove& move, Error error);
  Result<void> deliver_directory_move(const Entry& entry, const CallContext& context);
  Result<void> switch_names(DirectoryMove& move, const std::vector<sync::MovedObject>& objects);
  Result<void> move_record(const DirectoryMove& move);
  void forget_listing_if_unknown(const DirectoryMove& move);
  void adopt_times(const DirectoryMove& move, const std::vector<sync::MovedObject>& objects);
  Result<void> adopt_versions(const DirectoryMove& move, const std::vector<sync::MovedObject>& objects);
  Result<void> recover_directory_move(const meta::Intent& intent);

  // write_back_delivery.cpp
  std::vector<Result<void>> deliver(std::span<const meta::IntentId> ids, const CallContext& context);
  Result<void> deliver_one(meta::IntentId id, const Entry& entry, const CallContext& context);
  Result<void> deliver_store(meta::IntentId id, const Entry& entry, const CallContext& context);
  Result<void> record_rebased(OpenFile& file, const std::shared_ptr<Owed>& delivered);
  Result<void> abort_upload(meta::IntentId id, const Entry& entry, const CallContext& context);
  void note_there(meta::IntentId id, bool perhaps);
  Result<meta::Node> store_marker(const meta::Node& directory, bool there, const CallContext& context);
  Result<void> deliver_marker(meta::IntentId id, const Entry& entry, const CallContext& context);
  std::vector<Result<void>> deliver_removals(std::span<const meta::IntentId> ids, const CallContext& context);
  bool at_once(WallTime acknowledged) const;
  Result<void> remove_older(const Key& key, WallTime removed_at, const CallContext& context);
  std::vector<s3::DeleteOutcome> remove_objects(const std::vector<s3::RemoveTarget>& targets, const CallContext& context);
  void stored(meta::IntentId id, const Entry& entry);
  Result<void> set_aside(meta::IntentId id, const Entry& entry, Error error);
  void cut_off(OpenFile& file, const std::shared_ptr<Owed>& owed, Error error);
  Result<void> park(meta::IntentId id, const Entry& entry, Error error);
  Result<void> removed(meta::IntentId id, const Entry& entry);

  // write_back_admin.cpp
  static Error recalled(const std::string& refusal);
  Result<void> discard_store(meta::IntentId id, const Entry& entry, const CallContext& context);
  Result<void> discard_move(meta::IntentId id, const Entry& entry);
  Result<void> discard_removal(meta::IntentId id, const Entry& entry);

  // write_back_recovery.cpp
  Result<void> recover_open_files();
  Result<InodeId> directory_of(std::string_view path, std::string& name, meta::NodeKind kind = meta::NodeKind::file);
  Result<void> recover_store(const meta::Intent& intent, std::map<std::string, std::shared_ptr<Content>>& contents);
  Result<void> recover_move(const meta::Intent& intent);
  Result<void> recover_marker(const meta::Intent& intent);
  Result<void> recover_removal(const meta::Intent& intent);
  Result<void> recover_upload(const meta::Intent& intent);

  Parts p_;
  const std::function<void(const std::shared_ptr<OpenFile>&)> settled_;
  NamesInHand names_;
  mutable std::mutex mutex_;  // taken after all others
  std::map<meta::IntentId, Entry> entries_;
  std::unordered_map<InodeId, Former> formers_;
  std::set<meta::IntentId> unerased_;       ///< done, and still in the journal
  std::vector<std::pair<meta::IntentId, bool>> recovered_;  ///< with `parked`, in order; until begin_deliveries()
  bool recovering_ = false;
  std::unordered_map<InodeId, std::set<meta::IntentId>> removals_;  ///< by the directory that they are in
  std::unordered_map<InodeId, meta::IntentId> markers_;             ///< by the directory that they are of
  sync::DeliveryQueue queue_;  // last: its threads use all of the above
};

}  // namespace prefixfs::vfs

#pragma once
// Keeps everybody else out of a directory while it is being renamed. Its objects move one by one, so that a change made below it meanwhile would be lost
// or come back; and for a moment neither its old names nor its new ones can be asked for.

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "prefixfs/base/call_context.h"
#include "tree.h"

namespace prefixfs::vfs {

/// Thread-safe. Its lock is taken before all others but is held over no request.
class SubtreeGate {
 public:
  explicit SubtreeGate(const Tree& tree) : tree_(tree) {}
  SubtreeGate(const SubtreeGate&) = delete;
  SubtreeGate& operator=(const SubtreeGate&) = delete;

  /// What an operation is about: a name in a directory, or an inode itself (no name).
  struct Place {
    InodeId inode = 0;
    std::string_view name;
  };

  class Move;

 private:
  struct Guest {
    struct OwnPlace {
      InodeId inode = 0;
      std::string name;
    };
    std::vector<OwnPlace> places;
    bool changes = false;
  };
  using Guests = std::list<Guest>;

 public:
  /// An operation is under way while it lives.
  class Pass {
   public:
    Pass(SubtreeGate& gate, Guests::iterator guest) : gate_(&gate), guest_(guest) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), guest_(other.guest_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass();

   private:
    SubtreeGate* gate_;
    Guests::iterator guest_;
  };
  /// Before what changes names, objects or attributes at these places: waits until no rename of a directory concerns them. Whoever holds a pass asks for no
  /// second one. Errors: unavailable (such a rename waits for S3 to answer), timeout, cancelled.
  Result<Pass> change(std::initializer_list<Place> places, const CallContext& context);
  /// Before what only asks: waits for the moment in which a directory gets its new name.
  Result<Pass> look(Place place, const CallContext& context);

  /// A rename of a directory. Paths are those of directories and end with "/".
  class Move {
   public:
    Move(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

   private:
    friend class SubtreeGate;
    const std::string from_;
    const std::string to_;
    bool from_closed_ = true;
    bool to_closed_ = true;
    bool stalled_ = false;
    bool quiet_ = false;
  };
  /// Until no other rename concerns these directories, and no change below them is under way; from then on they are closed for changes.
  /// Errors: as change().
  Result<std::shared_ptr<Move>> begin(std::string from, std::string to, const CallContext& context);
  /// The same before the first operation, where nobody can be in the way.
  std::shared_ptr<Move> begin_at_start(std::string from, std::string to);
  /// Calls `act` while nobody is below them, also not to look. It asks nothing of S3.
  void while_quiet(Move& move, const std::function<void()>& act);
  /// What is closed from now on.
  void close(Move& move, bool from, bool to);
  /// Whether it waits for S3 to answer: then nobody waits for it.
  void stall(Move& move, bool stalled);
  void end(const std::shared_ptr<Move>& move);

 private:
  Result<Pass> enter(Guest guest, const CallContext& context);
  template <class InTheWay>
  Result<bool> wait_until_free(std::unique_lock<std::mutex>& lock, const CallContext& context, InTheWay&& in_the_way);
  template <class Ready>
  Result<void> wait(std::unique_lock<std::mutex>& lock, const CallContext& context, Ready&& ready);
  std::string path_of(const Guest::OwnPlace& place) const;
  const Move* blocking(const Guest& guest) const;
  bool anybody_below(const Move& move, bool also_looking) const;

  const Tree& tree_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Guests guests_;
  std::vector<std::shared_ptr<Move>> moves_;
};

}  // namespace prefixfs::vfs

#include "subtree_gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::vfs {
namespace {

bool overlap(std::string_view one, std::string_view other) { return one.starts_with(other) || other.starts_with(one); }

}  // namespace

SubtreeGate::Pass::~Pass() {
  if (gate_ != nullptr) {
    const std::lock_guard lock(gate_->mutex_);
    gate_->guests_.erase(guest_);
    if (!gate_->moves_.empty()) {
      gate_->changed_.notify_all();
    }
  }
}

Result<SubtreeGate::Pass> SubtreeGate::change(std::initializer_list<Place> places, const CallContext& context) {
  Guest guest{.places = {}, .changes = true};
  for (const Place& place : places) {
    guest.places.push_back({place.inode, std::string(place.name)});
  }
  return enter(std::move(guest), context);
}

Result<SubtreeGate::Pass> SubtreeGate::look(Place place, const CallContext& context) {
  return enter({.places = {{place.inode, std::string(place.name)}}, .changes = false}, context);
}

Result<SubtreeGate::Pass> SubtreeGate::enter(Guest guest, const CallContext& context) {
  std::unique_lock lock(mutex_);
  TRY_ASSIGN(const bool free, wait_until_free(lock, context, [&] { return blocking(guest); }));
  if (!free) {
    return fail(Errc::unavailable, "a directory on this path is being renamed, and S3 does not answer");
  }
  guests_.push_front(std::move(guest));
  return Pass(*this, guests_.begin());
}

Result<std::shared_ptr<SubtreeGate::Move>> SubtreeGate::begin(std::string from, std::string to, const CallContext& context) {
  const auto move = std::make_shared<Move>(std::move(from), std::move(to));
  std::unique_lock lock(mutex_);
  const auto concerns = [&](const std::shared_ptr<Move>& other) {
    return overlap(move->from_, other->from_) || overlap(move->from_, other->to_) || overlap(move->to_, other->from_) || overlap(move->to_, other->to_);
  };
  TRY_ASSIGN(const bool free, wait_until_free(lock, context, [&] {
    const auto other = std::ranges::find_if(moves_, concerns);
    return other == moves_.end() ? nullptr : other->get();
  }));
  if (!free) {
    return fail(Errc::unavailable, fmt::format("another rename of {} or {} waits for S3 to answer", move->from_, move->to_));
  }
  moves_.push_back(move);
  if (auto alone = wait(lock, context, [&] { return !anybody_below(*move, false); }); !alone) {
    std::erase(moves_, move);
    changed_.notify_all();
    return fail(std::move(alone.error()));
  }
  return move;
}

std::shared_ptr<SubtreeGate::Move> SubtreeGate::begin_at_start(std::string from, std::string to) {
  const std::lock_guard lock(mutex_);
  return moves_.emplace_back(std::make_shared<Move>(std::move(from), std::move(to)));
}

void SubtreeGate::while_quiet(Move& move, const std::function<void()>& act) {
  std::unique_lock lock(mutex_);
  move.quiet_ = true;
  changed_.wait(lock, [&] { return !anybody_below(move, true); });
  act();
  move.quiet_ = false;
  changed_.notify_all();
}

void SubtreeGate::close(Move& move, bool from, bool to) {
  const std::lock_guard lock(mutex_);
  move.from_closed_ = from;
  move.to_closed_ = to;
  changed_.notify_all();
}

void SubtreeGate::stall(Move& move, bool stalled) {
  const std::lock_guard lock(mutex_);
  move.stalled_ = stalled;
  changed_.notify_all();
}

void SubtreeGate::end(const std::shared_ptr<Move>& move) {
  const std::lock_guard lock(mutex_);
  std::erase(moves_, move);
  changed_.notify_all();
}

/// Until nothing is in the way. False: what is there waits for S3, and nobody knows how long.
template <class InTheWay>
Result<bool> SubtreeGate::wait_until_free(std::unique_lock<std::mutex>& lock, const CallContext& context, InTheWay&& in_the_way) {
  const Move* move = nullptr;
  TRY(wait(lock, context, [&] {
    move = in_the_way();
    return move == nullptr || move->stalled_;
  }));
  return move == nullptr;
}

/// With the lock held when it is called and when it returns.
template <class Ready>
Result<void> SubtreeGate::wait(std::unique_lock<std::mutex>& lock, const CallContext& context, Ready&& ready) {
  while (!ready()) {
    if (context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "interrupted while a directory on this path is being renamed");
    }
    bool in_time = true;
    lock.unlock();
    {
      // It takes the lock too, and so must be neither made nor unmade with it held.
      const std::stop_callback wake(context.cancel, [this] {
        const std::lock_guard held(mutex_);
        changed_.notify_all();
      });
      lock.lock();
      const auto over = [&] { return context.cancel.stop_requested() || ready(); };
      if (context.deadline == SteadyTime::max()) {
        changed_.wait(lock, over);
      } else {
        in_time = changed_.wait_until(lock, context.deadline, over);
      }
      lock.unlock();
    }
    lock.lock();
    if (!in_time) {
      return fail(Errc::timeout, "a directory on this path is being renamed");
    }
  }
  return {};
}

/// "a/b/" for the name b in a, whatever it is; "a/" where it can be no directory's. An inode that is no longer known is nowhere.
std::string SubtreeGate::path_of(const Guest::OwnPlace& place) const {
  InodeId parent = place.inode;
  std::string name = place.name;
  if (name.empty()) {
    const auto node = tree_.node(place.inode);
    if (!node || place.inode == meta::kRootInode) {
      return {};
    }
    parent = node->parent;
    name = node->name;
  }
  const auto key = tree_.marker_key(parent, name);
  return key ? key->str() : tree_.directory_prefix(parent).value_or(std::string());
}

const SubtreeGate::Move* SubtreeGate::blocking(const Guest& guest) const {
  if (moves_.empty()) {
    return nullptr;
  }
  for (const Guest::OwnPlace& place : guest.places) {
    const std::string path = path_of(place);
    for (const auto& move : moves_) {
      const bool from = path.starts_with(move->from_) && (move->quiet_ || (guest.changes && move->from_closed_));
      const bool to = path.starts_with(move->to_) && (move->quiet_ || (guest.changes && move->to_closed_));
      if (from || to) {
        return move.get();
      }
    }
  }
  return nullptr;
}

bool SubtreeGate::anybody_below(const Move& move, bool also_looking) const {
  return std::ranges::any_of(guests_, [&](const Guest& guest) {
    return (guest.changes || also_looking) && std::ranges::any_of(guest.places, [&](const Guest::OwnPlace& place) {
             const std::string path = path_of(place);
             return path.starts_with(move.from_) || path.starts_with(move.to_);
           });
  });
}

}  // namespace prefixfs::vfs

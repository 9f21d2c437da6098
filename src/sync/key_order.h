#pragma once
// Which intents may start? Those that are the first of all their keys; no threads, no time.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "prefixfs/meta/journal.h"

namespace prefixfs::sync {

/// Not thread-safe. Each step costs the logarithm of what waits, and the number of keys of one intent.
class KeyOrder {
 public:
  /// Behind all that is there. Not `offered`: it keeps its place, and does not start before offer(). False: the id is there already.
  bool add(meta::IntentId id, std::vector<std::string> keys, bool batchable, bool offered);
  /// What was taken or added without being offered may start, in its old place. An unknown id is no error.
  void offer(meta::IntentId id);
  /// The later ones of its keys move up. An unknown id is no error.
  void remove(meta::IntentId id);

  /// Whether any other intent stands behind one of these in a line. Unknown ids are no error.
  bool is_followed(std::span<const meta::IntentId> ids) const;
  bool has_ready() const { return !single_.empty() || !batchable_.empty(); }
  /// The earliest that may start; where it is batchable, the next ones of the kind with it, `batch_max` in all. They share no key, keep
  /// their places, and are not given again before offer(). Empty: nothing may start.
  std::vector<meta::IntentId> take(std::size_t batch_max);
  /// One, of those that may start the next one after that of the last call, in a circle.
  std::vector<meta::IntentId> take_in_turn();

 private:
  using Place = std::uint64_t;  ///< in the order of add()
  using Line = std::map<Place, meta::IntentId>;
  struct Entry {
    Place place = 0;
    std::vector<std::string> keys;  ///< none twice
    std::size_t behind = 0;         ///< in so many of its keys' lines it is not the first
    bool batchable = false;
    bool offered = false;
  };

  Line& ready_line(const Entry& entry) { return entry.batchable ? batchable_ : single_; }
  void note_ready(meta::IntentId id, const Entry& entry);
  void leave_line(const std::string& key, Place place);
  meta::IntentId take_from(Line& line, Line::iterator at);

  Place next_place_ = 1;
  Place turn_ = 0;  ///< the place of the last take_in_turn()
  std::unordered_map<meta::IntentId, Entry> entries_;
  std::unordered_map<std::string, Line> lines_;  ///< of each key; none is empty
  Line single_;                                  ///< what may start, and is not batchable
  Line batchable_;                               ///< what may start, and is
};

}  // namespace prefixfs::sync

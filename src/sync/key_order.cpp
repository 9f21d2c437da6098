#include "key_order.h"

#include <algorithm>
#include <utility>

namespace prefixfs::sync {

bool KeyOrder::add(meta::IntentId id, std::vector<std::string> keys, bool batchable, bool offered) {
  // A name that is renamed to itself stands in its line once.
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  const auto [at, is_new] = entries_.try_emplace(id);
  if (!is_new) {
    return false;
  }
  Entry& entry = at->second;
  entry = {.place = next_place_++, .keys = std::move(keys), .behind = 0, .batchable = batchable, .offered = offered};
  for (const std::string& key : entry.keys) {
    Line& line = lines_[key];
    entry.behind += line.empty() ? 0 : 1;
    line.emplace_hint(line.end(), entry.place, id);
  }
  note_ready(id, entry);
  return true;
}

void KeyOrder::note_ready(meta::IntentId id, const Entry& entry) {
  if (entry.offered && entry.behind == 0) {
    ready_line(entry).emplace(entry.place, id);
  }
}

void KeyOrder::offer(meta::IntentId id) {
  if (const auto found = entries_.find(id); found != entries_.end()) {
    found->second.offered = true;
    note_ready(id, found->second);
  }
}

void KeyOrder::remove(meta::IntentId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return;
  }
  const Entry entry = std::move(found->second);
  entries_.erase(found);
  ready_line(entry).erase(entry.place);
  for (const std::string& key : entry.keys) {
    leave_line(key, entry.place);
  }
}

bool KeyOrder::is_followed(std::span<const meta::IntentId> ids) const {
  return std::ranges::any_of(ids, [&](meta::IntentId id) {
    const auto found = entries_.find(id);
    return found != entries_.end() && std::ranges::any_of(found->second.keys, [&](const std::string& key) {
      const Line& line = lines_.at(key);
      return std::any_of(line.upper_bound(found->second.place), line.end(),
                         [&](const auto& later) { return std::ranges::find(ids, later.second) == ids.end(); });
    });
  });
}

void KeyOrder::leave_line(const std::string& key, Place place) {
  const auto found = lines_.find(key);
  Line& line = found->second;
  const bool was_first = line.begin()->first == place;
  line.erase(place);
  if (line.empty()) {
    lines_.erase(found);
  } else if (was_first) {
    const meta::IntentId first = line.begin()->second;
    Entry& entry = entries_.at(first);
    --entry.behind;
    note_ready(first, entry);
  }
}

meta::IntentId KeyOrder::take_from(Line& line, Line::iterator at) {
  const meta::IntentId id = at->second;
  line.erase(at);
  entries_.at(id).offered = false;
  return id;
}

std::vector<meta::IntentId> KeyOrder::take(std::size_t batch_max) {
  const bool batch = !batchable_.empty() && (single_.empty() || batchable_.begin()->first < single_.begin()->first);
  Line& line = batch ? batchable_ : single_;
  const std::size_t count = batch ? std::max<std::size_t>(batch_max, 1) : 1;
  std::vector<meta::IntentId> taken;
  while (taken.size() < count && !line.empty()) {
    taken.push_back(take_from(line, line.begin()));
  }
  return taken;
}

std::vector<meta::IntentId> KeyOrder::take_in_turn() {
  if (!has_ready()) {
    return {};
  }
  auto single = single_.upper_bound(turn_);
  auto batchable = batchable_.upper_bound(turn_);
  if (single == single_.end() && batchable == batchable_.end()) {
    single = single_.begin();
    batchable = batchable_.begin();
  }
  const bool of_batchable = single == single_.end() || (batchable != batchable_.end() && batchable->first < single->first);
  const auto at = of_batchable ? batchable : single;
  turn_ = at->first;
  return {take_from(of_batchable ? batchable_ : single_, at)};
}

}  // namespace prefixfs::sync

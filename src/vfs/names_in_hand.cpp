#include "names_in_hand.h"

#include <algorithm>
#include <iterator>

namespace prefixfs::vfs {

NamesInHand::Names NamesInHand::take(const std::vector<std::string>& keys) {
  std::set<std::string> wanted;
  std::ranges::transform(keys, std::inserter(wanted, wanted.end()), name_of_key);
  std::unique_lock lock(mutex_);
  let_go_.wait(lock, [&] { return !taken_locked(wanted); });
  taken_.insert(wanted.begin(), wanted.end());
  return {*this, std::move(wanted)};
}

std::optional<NamesInHand::Names> NamesInHand::try_take(const std::vector<std::string>& keys, const Names& besides) {
  std::set<std::string> wanted;
  for (const std::string& key : keys) {
    if (std::string name = name_of_key(key); !besides.contains(name)) {
      wanted.insert(std::move(name));
    }
  }
  const std::lock_guard lock(mutex_);
  if (taken_locked(wanted)) {
    return std::nullopt;
  }
  taken_.insert(wanted.begin(), wanted.end());
  return std::optional<Names>(std::in_place, *this, std::move(wanted));
}

bool NamesInHand::taken_locked(const std::set<std::string>& names) const {
  return std::ranges::any_of(names, [&](const std::string& name) { return taken_.contains(name); });
}

void NamesInHand::let_go(const std::set<std::string>& names) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : names) {
      taken_.erase(name);
    }
  }
  let_go_.notify_all();
}

}  // namespace prefixfs::vfs

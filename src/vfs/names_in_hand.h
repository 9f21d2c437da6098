#pragma once
// Whose turn is it to change what is owed under a name?

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace prefixfs::vfs {

/// What is owed under one name has one order, in the journal as in the queue. Whoever acknowledges something has its names in hand until both have it, and
/// whoever puts another thing in the place of one that waits, the names of that too: else what comes meanwhile would come before it.
/// Who has names in hand waits for no others, hence try_take(). Thread-safe.
class NamesInHand {
 public:
  class Names {
   public:
    Names() = default;
    Names(NamesInHand& table, std::set<std::string> names) : table_(&table), names_(std::move(names)) {}
    Names(Names&& other) noexcept : table_(std::exchange(other.table_, nullptr)), names_(std::move(other.names_)) {}
    Names& operator=(Names&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(names_, other.names_);
      return *this;
    }
    ~Names() {
      if (table_ != nullptr) {
        table_->let_go(names_);
      }
    }
    bool contains(const std::string& name) const { return names_.contains(name); }

   private:
    NamesInHand* table_ = nullptr;
    std::set<std::string> names_;
  };

  /// A file and the marker of a directory of the same name are two keys and one name: some servers (versitygw) can hold only one of them.
  static std::string name_of_key(const std::string& key) { return key.ends_with('/') ? key.substr(0, key.size() - 1) : key; }

  /// All of these keys' names, once nobody else has one. By a caller who has none.
  Names take(const std::vector<std::string>& keys);
  /// Those that are not in `besides`, or nothing where somebody else has one.
  std::optional<Names> try_take(const std::vector<std::string>& keys, const Names& besides);

 private:
  void let_go(const std::set<std::string>& names);
  bool taken_locked(const std::set<std::string>& names) const;

  std::mutex mutex_;
  std::condition_variable let_go_;
  std::set<std::string> taken_;
};

}  // namespace prefixfs::vfs

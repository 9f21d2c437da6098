#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "counter.h"
#include "lmdb_env.h"
#include "node_records.h"
#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

class LmdbNodeCache final : public NodeCache {
 public:
  /// `boot_id`: of now, for the state that is left in the journal at the end.
  LmdbNodeCache(std::unique_ptr<LmdbEnv> cache, std::shared_ptr<LmdbEnv> journal, std::string boot_id);
  /// Syncs, and notes in the journal that the cache was closed in order.
  ~LmdbNodeCache() override;

  Result<std::optional<Node>> find(InodeId parent, std::string_view name) override;
  Result<std::optional<Node>> get(InodeId id) override;
  Result<Node> put(Node node) override;
  Result<std::optional<Node>> put_if_unchanged(const Node& before, Node node) override;
  Result<void> touch(InodeId directory, WallTime at) override;
  Result<std::vector<InodeId>> put_page(InodeId parent, std::vector<Node>& nodes) override;
  Result<void> erase(InodeId parent, std::string_view name) override;
  Result<Node> move(InodeId id, InodeId new_parent, std::string_view new_name) override;
  Result<std::uint64_t> drop_unlisted(InodeId parent, const PlaceSpan& span, WallTime began) override;
  Result<void> put_listing(InodeId parent, const ListingState& state) override;
  Result<ListingState> listing(InodeId parent) override;
  Result<void> forget_listing(InodeId parent) override;
  Result<std::vector<Node>> children(InodeId parent, const PlaceSpan& span, std::size_t limit) override;
  Result<bool> has_children(InodeId parent) override;
  Result<void> remember_part(std::string_view name, std::string_view part) override;
  Result<std::optional<std::string>> part_of(std::string_view name) override;
  std::uint64_t dropped_records() const override { return dropped_records_.load(); }

 private:
  static constexpr std::size_t kPageNodes = 1000;  ///< of one transaction, of those that may become long
  using Operation = std::function<Result<void>(Txn&, NodeRecords&)>;
  /// One transaction; afterwards bad records that were met are dropped.
  Result<void> look(const Operation& operation);
  Result<void> change(const Operation& operation);
  Result<void> after(Result<void> outcome, std::vector<std::string>& bad);
  Result<void> drop_bad(const std::vector<std::string>& bad);

  /// Stores `node`, choosing its id; directories whose name it takes go to `orphans`.
  Result<void> store(NodeRecords& records, Node& node, const std::optional<Node>& present, std::vector<InodeId>& orphans);
  void touched(std::size_t nodes);
  Result<NodeRecords::Page> page_of(InodeId parent, const PlaceSpan& span, std::size_t limit);
  // These take several transactions, with changing_ held.
  Result<void> drop_below(std::vector<InodeId> directories);
  Result<bool> has_local_below(InodeId directory);
  Result<std::uint64_t> drop_unlisted(std::vector<Node> page, WallTime began);

  std::unique_ptr<LmdbEnv> cache_;
  std::shared_ptr<LmdbEnv> journal_;
  const std::string boot_id_;
  Counter inodes_;
  std::mutex changing_;  ///< held by every change, also over the several transactions that a large one takes
  std::atomic<std::uint64_t> dropped_records_{0};
  std::atomic<std::size_t> touched_{0};
  std::atomic<bool> damaged_{false};
};

}  // namespace prefixfs::meta

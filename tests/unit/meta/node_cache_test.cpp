#include "prefixfs/meta/node_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "lmdb_env.h"
#include "open_meta.h"
#include "record.h"
#include "support/temp_dir.h"

namespace prefixfs::meta {
namespace {

using std::chrono::seconds;

WallTime at(int second) { return WallTime(seconds(1'800'000'000 + second)); }

Node node_of(InodeId parent, std::string name, NodeKind kind = NodeKind::file, int checked = 0) {
  Node node;
  node.parent = parent;
  node.name = std::move(name);
  node.kind = kind;
  node.checked_at = at(checked);
  return node;
}

class NodeCacheTest : public ::testing::Test {
 protected:
  NodeCacheTest() { open(); }
  void open() {
    auto store = open_meta({.directory = temp_.str(), .source = "s", .cache_map_bytes = 1 << 20, .journal_map_bytes = 1 << 20}, "boot");
    ASSERT_TRUE(store) << describe(store.error());
    store_ = std::move(*store);
  }
  NodeCache& cache() { return *store_.nodes; }
  Node put(Node node) {
    auto stored = cache().put(std::move(node));
    EXPECT_TRUE(stored) << describe(stored.error());
    return *stored;
  }
  std::optional<Node> find(InodeId parent, std::string_view name) { return *cache().find(parent, name); }
  std::vector<std::string> names(InodeId parent) {
    std::vector<std::string> found;
    const auto children = cache().children(parent, {}, 100000);
    for (const Node& node : *children) {
      found.push_back(node.name);
    }
    return found;
  }
  /// Changes the environment behind the cache's back.
  void tamper(const std::function<Result<void>(Txn&)>& change) {
    store_ = {};
    auto env = LmdbEnv::open({.directory = temp_.file("cache"), .map_bytes = 16 << 20});
    ASSERT_TRUE((*env)->write(change));
    env->reset();
    open();
  }

  test::TempDir temp_;
  MetaStore store_;
};

using Names = std::vector<std::string>;

TEST_F(NodeCacheTest, the_root_is_always_there) {
  const auto root = *cache().get(kRootInode);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->id, kRootInode);
  EXPECT_EQ(root->parent, kRootInode);
  EXPECT_EQ(root->name, "");
  EXPECT_EQ(root->kind, NodeKind::directory);

  Node mine = *root;
  mine.posix = {0750, 7, 8, 9};
  mine.posix_exact = true;
  put(mine);
  EXPECT_EQ(*cache().get(kRootInode), mine);
  EXPECT_EQ(*cache().find(kRootInode, ""), mine);
  EXPECT_EQ(names(kRootInode), Names{}) << "the root is not its own child";
  EXPECT_FALSE(*cache().has_children(kRootInode));
  EXPECT_EQ(cache().erase(kRootInode, "").error().code, Errc::invalid);
  EXPECT_EQ(cache().move(kRootInode, 5, "x").error().code, Errc::invalid);
  mine.kind = NodeKind::file;
  EXPECT_EQ(cache().put(mine).error().code, Errc::invalid);
}

TEST_F(NodeCacheTest, put_gives_an_id_and_keeps_it) {
  const Node first = put(node_of(kRootInode, "a"));
  EXPECT_GT(first.id, kRootInode);
  EXPECT_EQ(find(kRootInode, "a"), first);
  EXPECT_EQ(*cache().get(first.id), first);

  Node changed = node_of(kRootInode, "a");
  changed.size = 99;
  EXPECT_EQ(put(changed).id, first.id);
  EXPECT_EQ((*cache().get(first.id))->size, 99U);
  EXPECT_NE(put(node_of(kRootInode, "b")).id, first.id);
  EXPECT_FALSE(find(kRootInode, "c"));
  EXPECT_FALSE(*cache().get(123456));
}

TEST_F(NodeCacheTest, names_have_bounds) {
  EXPECT_EQ(put(node_of(kRootInode, std::string(255, 'n'))).name.size(), 255U);
  EXPECT_TRUE(find(kRootInode, std::string(255, 'n')));
  EXPECT_EQ(cache().put(node_of(kRootInode, std::string(256, 'n'))).error().code, Errc::name_too_long);
  EXPECT_EQ(cache().find(kRootInode, std::string(256, 'n')).error().code, Errc::name_too_long);
  EXPECT_EQ(cache().put(node_of(5, "")).error().code, Errc::invalid);
  EXPECT_EQ(cache().put(node_of(0, "x")).error().code, Errc::invalid);
  Node node = node_of(kRootInode, "x");
  node.etag = ETag::from_wire(std::string(1025, 'e'));
  EXPECT_EQ(cache().put(node).error().code, Errc::invalid);
}

TEST_F(NodeCacheTest, a_node_has_one_name) {
  Node node = put(node_of(kRootInode, "old"));
  node.name = "new";
  put(node);
  EXPECT_FALSE(find(kRootInode, "old"));
  EXPECT_EQ((*cache().get(node.id))->name, "new");
}

TEST_F(NodeCacheTest, an_inode_never_changes_its_kind) {
  const Node directory = put(node_of(kRootInode, "x", NodeKind::directory));
  put(node_of(directory.id, "child"));
  const Node file = put(node_of(kRootInode, "x", NodeKind::file));
  EXPECT_NE(file.id, directory.id);
  EXPECT_FALSE(*cache().get(directory.id));
  EXPECT_EQ(names(directory.id), Names{}) << "what lay below is gone";
}

TEST_F(NodeCacheTest, ids_are_not_reused_after_erase) {
  std::set<InodeId> seen;
  for (int i = 0; i < 3000; ++i) {
    const Node node = put(node_of(kRootInode, "x"));
    EXPECT_TRUE(seen.insert(node.id).second);
    ASSERT_TRUE(cache().erase(kRootInode, "x"));
    if (i == 1500) {
      store_ = {};
      open();
    }
  }
}

TEST_F(NodeCacheTest, erase_takes_the_whole_tree_below) {
  std::vector<InodeId> ids;
  InodeId parent = kRootInode;
  for (int depth = 0; depth < 50; ++depth) {
    const Node directory = put(node_of(parent, "d", NodeKind::directory));
    ids.push_back(put(node_of(directory.id, "f")).id);
    ASSERT_TRUE(cache().put_listing(directory.id, {.listed_at = at(0), .complete = true, .entries = 0, .pages = 1}));
    parent = directory.id;
    ids.push_back(parent);
  }
  const Node other = put(node_of(kRootInode, "e"));
  ASSERT_TRUE(cache().erase(kRootInode, "d"));
  for (const InodeId id : ids) {
    EXPECT_FALSE(*cache().get(id));
    EXPECT_EQ(*cache().listing(id), ListingState{});
  }
  EXPECT_EQ(names(kRootInode), Names{"e"});
  EXPECT_EQ(*cache().get(other.id), other);
  EXPECT_TRUE(cache().erase(kRootInode, "d")) << "nothing there is success";
}

TEST_F(NodeCacheTest, erase_of_a_large_directory_leaves_nothing) {
  const Node directory = put(node_of(kRootInode, "d", NodeKind::directory));
  for (int page = 0; page < 3; ++page) {
    std::vector<Node> nodes;
    for (int i = 0; i < 900; ++i) {
      nodes.push_back(node_of(directory.id, "f" + std::to_string(page * 1000 + i)));
    }
    ASSERT_TRUE(cache().put_page(directory.id, nodes));
  }
  ASSERT_TRUE(cache().erase(kRootInode, "d"));
  EXPECT_FALSE(*cache().has_children(directory.id));
}

TEST_F(NodeCacheTest, move_keeps_the_id_and_replaces_the_target) {
  const Node from = put(node_of(kRootInode, "from"));
  const Node directory = put(node_of(kRootInode, "dir", NodeKind::directory));
  const Node target = put(node_of(directory.id, "to"));
  const auto moved = cache().move(from.id, directory.id, "to");
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->id, from.id);
  EXPECT_EQ(*cache().get(from.id), *moved);
  EXPECT_FALSE(find(kRootInode, "from"));
  EXPECT_FALSE(*cache().get(target.id));
  EXPECT_EQ(names(directory.id), Names{"to"});
  EXPECT_EQ(cache().move(target.id, kRootInode, "x").error().code, Errc::not_found);
  EXPECT_EQ(*cache().move(from.id, directory.id, "to"), *moved) << "onto itself";
}

TEST_F(NodeCacheTest, a_moved_directory_keeps_its_children) {
  const Node directory = put(node_of(kRootInode, "a", NodeKind::directory));
  put(node_of(directory.id, "child"));
  ASSERT_TRUE(cache().move(directory.id, kRootInode, "b"));
  EXPECT_EQ(names(find(kRootInode, "b")->id), Names{"child"});
}

TEST_F(NodeCacheTest, put_page_fills_ids_in_and_leaves_newer_and_local_records_alone) {
  Node newer = node_of(kRootInode, "newer", NodeKind::file, 100);
  newer.size = 7;
  newer = put(newer);
  Node writing = node_of(kRootInode, "writing", NodeKind::file, 0);
  writing.local = true;
  writing = put(writing);
  Node kept = node_of(kRootInode, "kept", NodeKind::directory, 0);
  kept.local = true;
  kept = put(kept);

  std::vector<Node> page;
  for (const char* name : {"fresh", "newer", "writing"}) {
    page.push_back(node_of(0, name, NodeKind::file, 50));
    page.back().size = 1;
  }
  page.push_back(node_of(0, "kept", NodeKind::directory, 50));
  ASSERT_TRUE(cache().put_page(kRootInode, page));

  EXPECT_NE(page[0].id, 0U);
  EXPECT_EQ(find(kRootInode, "fresh"), page[0]);
  EXPECT_EQ(find(kRootInode, "newer"), newer);
  EXPECT_EQ(page[1], newer) << "the caller sees what is stored";
  EXPECT_EQ(find(kRootInode, "writing"), writing);
  const auto now_in_s3 = find(kRootInode, "kept");
  EXPECT_EQ(now_in_s3->id, kept.id);
  EXPECT_FALSE(now_in_s3->local);
}

TEST_F(NodeCacheTest, a_listing_does_not_undo_exact_attributes_of_the_same_version) {
  Node known = node_of(kRootInode, "a", NodeKind::file, 0);
  known.etag = ETag::from_wire("v1");
  known.posix = {0600, 1, 2, 3};
  known.posix_exact = true;
  known = put(known);

  Node listed = node_of(kRootInode, "a", NodeKind::file, 10);
  listed.etag = ETag::from_wire("v1");
  listed.posix = {0644, 0, 0, 0};
  std::vector<Node> page{listed};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].posix, known.posix);
  EXPECT_TRUE(page[0].posix_exact);
  EXPECT_EQ(page[0].checked_at, at(10));

  listed.etag = ETag::from_wire("v2");
  listed.checked_at = at(20);
  page = {listed};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].posix, listed.posix);
  EXPECT_FALSE(page[0].posix_exact);
  EXPECT_EQ(page[0].id, known.id);
}

TEST_F(NodeCacheTest, a_listing_knows_no_kind_and_keeps_that_of_the_same_version) {
  Node known = node_of(kRootInode, "link", NodeKind::symlink, 0);
  known.etag = ETag::from_wire("v1");
  known.target = "a/b";
  known.posix = {0777, 1, 2, 3};
  known.posix_exact = true;
  known.changed_at = at(0);
  known = put(known);

  Node listed = node_of(kRootInode, "link", NodeKind::file, 10);
  listed.etag = ETag::from_wire("v1");
  std::vector<Node> page{listed};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].id, known.id);
  EXPECT_EQ(page[0].kind, NodeKind::symlink);
  EXPECT_EQ(page[0].target, "a/b");
  EXPECT_EQ(page[0].changed_at, at(0));

  listed.etag = ETag::from_wire("v2");
  listed.checked_at = at(20);
  page = {listed};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].kind, NodeKind::file) << "of another version nothing is known";
  EXPECT_NE(page[0].id, known.id) << "an inode never changes its kind";
}

TEST_F(NodeCacheTest, a_listing_leaves_a_link_that_is_being_made_alone) {
  Node made = node_of(kRootInode, "link", NodeKind::symlink, 0);
  made.target = "a";
  made.local = true;
  made = put(made);
  Node listed = node_of(kRootInode, "link", NodeKind::file, 10);
  listed.etag = ETag::from_wire("v1");
  std::vector<Node> page{listed};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0], made);
}

TEST_F(NodeCacheTest, a_touch_is_no_change_and_is_not_undone) {
  Node directory = put(node_of(kRootInode, "d", NodeKind::directory, 0));
  ASSERT_TRUE(cache().touch(directory.id, at(5)));
  Node confirmed = directory;
  confirmed.checked_at = at(7);
  confirmed.posix_exact = true;
  const auto stored = *cache().put_if_unchanged(directory, confirmed);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->checked_at, at(7));
  EXPECT_EQ(stored->changed_at, at(5));
  EXPECT_EQ(stored->posix.mtime_ns, at(5).time_since_epoch().count());

  std::vector<Node> page{node_of(kRootInode, "d", NodeKind::directory, 10)};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].posix.mtime_ns, at(5).time_since_epoch().count()) << "nor by a listing";
  EXPECT_TRUE(cache().touch(4711, at(5))) << "not known: nothing happens";
  ASSERT_TRUE(cache().touch(kRootInode, at(6)));
  EXPECT_EQ((*cache().get(kRootInode))->changed_at, at(6));
}

TEST_F(NodeCacheTest, put_page_tells_of_which_files_it_has_brought_another_version) {
  const auto file = [&](const char* name, std::string_view version, std::uint64_t size, int seen) {
    Node node = node_of(kRootInode, name, NodeKind::file, seen);
    node.etag = ETag::from_wire(version);
    node.size = size;
    return node;
  };
  put(file("same", "v1", 1, 0));
  const Node changed = put(file("changed", "v1", 1, 0));
  const Node cut = put(file("cut", "v1", 2, 0));
  put(file("newer", "v2", 2, 100));
  put(node_of(kRootInode, "d", NodeKind::directory, 0));
  std::vector<Node> page{file("same", "v1", 1, 10),  file("changed", "v2", 1, 10), file("cut", "v1", 1, 10),
                         file("newer", "v1", 1, 10), file("new", "v1", 1, 10),     node_of(kRootInode, "d", NodeKind::directory, 10)};
  const auto told = cache().put_page(kRootInode, page);
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, (std::vector<InodeId>{changed.id, cut.id}));
}

TEST_F(NodeCacheTest, a_common_prefix_does_not_undo_what_the_marker_said) {
  Node marked = node_of(kRootInode, "d", NodeKind::directory, 0);
  marked.etag = ETag::from_wire("m1");
  marked.posix = {02750, 1, 2, 3};
  marked.posix_exact = true;
  marked.last_modified = at(-5);
  put(marked);
  std::vector<Node> page{node_of(kRootInode, "d", NodeKind::directory, 10)};
  ASSERT_TRUE(cache().put_page(kRootInode, page));
  EXPECT_EQ(page[0].posix.mode, 02750U);
  EXPECT_EQ(page[0].etag.str(), "m1");
  EXPECT_EQ(page[0].last_modified, at(-5));
}

TEST_F(NodeCacheTest, what_a_listing_has_not_told_of_is_dropped) {
  put(node_of(kRootInode, "gone", NodeKind::file, 1));
  put(node_of(kRootInode, "seen", NodeKind::file, 10));
  Node writing = node_of(kRootInode, "writing", NodeKind::file, 1);
  writing.local = true;
  put(writing);
  const Node tree = put(node_of(kRootInode, "tree", NodeKind::directory, 1));
  put(node_of(tree.id, "leaf", NodeKind::file, 1));
  const Node busy = put(node_of(kRootInode, "busy", NodeKind::directory, 1));
  const Node below = put(node_of(busy.id, "below", NodeKind::directory, 1));
  Node staged = node_of(below.id, "staged", NodeKind::file, 1);
  staged.local = true;
  put(staged);

  EXPECT_EQ(cache().drop_unlisted(kRootInode, {}, at(10)).value_or(99), 1U);
  EXPECT_EQ(names(kRootInode), (Names{"busy", "seen", "writing"})) << "a path to a file being written stays";
  EXPECT_FALSE(*cache().has_children(tree.id));
}

TEST_F(NodeCacheTest, what_stands_outside_the_span_is_not_dropped) {
  for (const char* name : {"a", "a-b", "a.c", "b", "c"}) {
    put(node_of(kRootInode, name, NodeKind::file, 1));
  }
  EXPECT_EQ(cache().drop_unlisted(kRootInode, {.behind = "a-b/", .up_to = "b"}, at(10)).value_or(99), 0U);
  EXPECT_EQ(names(kRootInode), (Names{"a-b", "b", "c"})) << "a file has the place of a directory: a listing that has come to the key b may still bring b/";
  EXPECT_EQ(cache().drop_unlisted(kRootInode, {.behind = "a-b/", .up_to = {}}, at(1)).value_or(99), 2U);
}

TEST_F(NodeCacheTest, twenty_thousand_unlisted_names_are_dropped) {
  for (int page = 0; page < 20; ++page) {
    std::vector<Node> nodes;
    for (int i = 0; i < 1000; ++i) {
      nodes.push_back(node_of(kRootInode, std::to_string(page * 1000 + i)));
    }
    ASSERT_TRUE(cache().put_page(kRootInode, nodes));
  }
  EXPECT_EQ(cache().drop_unlisted(kRootInode, {}, at(1)).value_or(99), 0U);
  EXPECT_FALSE(*cache().has_children(kRootInode));
}

TEST_F(NodeCacheTest, the_state_of_a_listing_is_kept_until_it_is_forgotten) {
  const ListingState state{.listed_at = at(10), .complete = true, .entries = 1, .pages = 3};
  ASSERT_TRUE(cache().put_listing(kRootInode, state));
  EXPECT_EQ(*cache().listing(kRootInode), state);
  ASSERT_TRUE(cache().forget_listing(kRootInode));
  EXPECT_EQ(*cache().listing(kRootInode), ListingState{});
}

TEST_F(NodeCacheTest, children_come_in_order_page_by_page) {
  std::vector<Node> nodes;
  for (int i = 0; i < 2500; ++i) {
    nodes.push_back(node_of(kRootInode, "n" + std::to_string(i)));
  }
  ASSERT_TRUE(cache().put_page(kRootInode, nodes));
  put(node_of(nodes[0].id, "of another parent"));
  const auto all = *cache().children(kRootInode, {}, 100000);
  ASSERT_EQ(all.size(), 2500U);
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(all[i - 1].name, all[i].name);
  }
  const auto page = *cache().children(kRootInode, {.behind = place_of(all[1233].name), .up_to = {}}, 1500);
  ASSERT_EQ(page.size(), 1266U);
  EXPECT_EQ(page[0], all[1234]);
  EXPECT_EQ((*cache().children(kRootInode, {}, 1200)).size(), 1200U);
  EXPECT_TRUE((*cache().children(kRootInode, {}, 0)).empty());
  EXPECT_TRUE((*cache().children(kRootInode, {.behind = "zzz", .up_to = {}}, 10)).empty());
}

TEST_F(NodeCacheTest, children_come_as_if_all_were_directories) {
  for (const char* name : {"a", "a b", "a-b", "a-b.c", "a0", "aa", "a.txt", "b"}) {
    put(node_of(kRootInode, name, name[1] == '\0' ? NodeKind::directory : NodeKind::file));
  }
  EXPECT_EQ(names(kRootInode), (Names{"a b", "a-b.c", "a-b", "a.txt", "a", "a0", "aa", "b"}));
}

TEST_F(NodeCacheTest, bad_records_are_dropped_and_counted) {
  const Node good = put(node_of(kRootInode, "good"));
  const Node torn = put(node_of(kRootInode, "torn"));
  const Node lost = put(node_of(kRootInode, "lost"));
  ASSERT_TRUE(cache().put_listing(kRootInode, {.listed_at = at(0), .complete = true, .entries = 3, .pages = 1}));
  tamper([&](Txn& txn) -> Result<void> {
    TRY(txn.put(node_key(kRootInode, "torn"), "short"));
    TRY(txn.put(inode_key(lost.id), "x"));
    return txn.put(listing_key(kRootInode), std::string(24, '\x7f'));
  });
  EXPECT_EQ(names(kRootInode), (Names{"good", "lost"}));
  EXPECT_EQ(cache().dropped_records(), 1U);
  EXPECT_FALSE(*cache().get(torn.id));
  EXPECT_FALSE(*cache().get(lost.id));
  EXPECT_EQ(cache().dropped_records(), 2U);
  EXPECT_EQ(*cache().listing(kRootInode), ListingState{});
  EXPECT_EQ(cache().dropped_records(), 3U);
  EXPECT_FALSE(find(kRootInode, "torn"));
  EXPECT_EQ(cache().dropped_records(), 3U) << "dropped means gone";
  EXPECT_GT(put(node_of(kRootInode, "torn")).id, torn.id);
  EXPECT_EQ(*cache().get(good.id), good);
}

TEST_F(NodeCacheTest, the_map_grows_with_the_names) {
  for (int page = 0; page < 20; ++page) {
    std::vector<Node> nodes;
    for (int i = 0; i < 1000; ++i) {
      nodes.push_back(node_of(kRootInode, std::string(100, 'x') + std::to_string(page * 1000 + i)));
    }
    ASSERT_TRUE(cache().put_page(kRootInode, nodes)) << "page " << page;
  }
  EXPECT_EQ(cache().children(kRootInode, {}, 100000)->size(), 20000U);
}

TEST_F(NodeCacheTest, a_page_of_a_thousand_is_quick) {
  std::vector<Node> nodes;
  for (int i = 0; i < 1000; ++i) {
    nodes.push_back(node_of(kRootInode, "resume-2026-" + std::to_string(i) + ".pdf"));
    nodes.back().etag = ETag::from_wire("9b2cf535f27731c974343645a3985328");
  }
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int round = 0; round < 5; ++round) {
    for (Node& node : nodes) {
      node.checked_at += seconds(1);
    }
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(cache().put_page(kRootInode, nodes));
    fastest = std::min(fastest, std::chrono::steady_clock::now() - began);
  }
  RecordProperty("microseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(fastest).count()));
  const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(fastest);
  std::printf("[ TIME     ] %ld us for a page of 1000\n", static_cast<long>(taken.count()));
}

TEST_F(NodeCacheTest, threads_read_and_write_together) {
  const Node directory = put(node_of(kRootInode, "d", NodeKind::directory));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto stored = cache().put(node_of(directory.id, std::to_string(t) + "-" + std::to_string(i)));
        ASSERT_TRUE(stored);
        ASSERT_EQ(*cache().get(stored->id), *stored);
        ASSERT_TRUE(cache().children(directory.id, {}, 50));
      }
    });
  }
  threads.clear();
  std::set<InodeId> ids;
  const auto children = cache().children(directory.id, {}, 10000);
  for (const Node& node : *children) {
    ids.insert(node.id);
  }
  EXPECT_EQ(ids.size(), 800U);
}

TEST_F(NodeCacheTest, WhatShortenedNamesStandFor) {
  EXPECT_EQ(cache().part_of("@s3-long-x").value(), std::nullopt);
  ASSERT_TRUE(cache().remember_part("@s3-long-x", std::string(900, 'p')));
  ASSERT_TRUE(cache().remember_part("@s3-long-x", std::string(900, 'p'))) << "again";
  EXPECT_EQ(cache().remember_part("@s3-long-x", "another").error().code, Errc::exists);
  EXPECT_EQ(cache().part_of("@s3-long-x").value(), std::string(900, 'p'));
  EXPECT_TRUE(names(kRootInode).empty());
  store_ = {};
  open();
  EXPECT_EQ(cache().part_of("@s3-long-x").value(), std::string(900, 'p'));
  EXPECT_EQ(cache().remember_part("", "x").error().code, Errc::invalid);
}

}  // namespace
}  // namespace prefixfs::meta

#include "list.h"

#include <gtest/gtest.h>

#include <set>

namespace prefixfs::devs3 {
namespace {

ObjectMap make(std::initializer_list<std::string> keys) {
  ObjectMap map;
  for (const auto& key : keys) {
    auto object = std::make_shared<Object>();
    object->key = key;
    map[key] = object;
  }
  return map;
}

std::vector<std::string> names(const ListPage& page) {
  std::vector<std::string> out;
  for (const auto& entry : page.entries) {
    out.push_back(entry.object ? entry.object->key : "P:" + entry.common_prefix);
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(List, Utf8ByteOrder) {
  const auto map = make({"é", "z", "a", "A", "a/b", "a-b", "\x01"});
  EXPECT_EQ(names(list_page(map, {})), (Names{"\x01", "A", "a", "a-b", "a/b", "z", "é"}));
}

TEST(List, DelimiterRollsUpAndKeepsItsOwnMarker) {
  const auto map = make({"d/", "d/1", "d/2/x", "d.x", "e"});
  EXPECT_EQ(names(list_page(map, {.delimiter = "/"})), (Names{"d.x", "P:d/", "e"}));
  EXPECT_EQ(names(list_page(map, {.prefix = "d/", .delimiter = "/"})), (Names{"d/", "d/1", "P:d/2/"}));
}

TEST(List, DelimiterOfSeveralBytes) {
  EXPECT_EQ(names(list_page(make({"a--b", "a--c", "a-b"}), {.delimiter = "--"})), (Names{"P:a--", "a-b"}));
}

TEST(List, MaxKeysCountsBothKindsAndZeroIsEmpty) {
  const auto map = make({"a", "b/1", "b/2", "c"});
  const auto page = list_page(map, {.delimiter = "/", .max_keys = 2});
  EXPECT_EQ(names(page), (Names{"a", "P:b/"}));
  EXPECT_TRUE(page.truncated);
  const auto rest = list_page(map, {.delimiter = "/", .after = page.last, .max_keys = 2});
  EXPECT_EQ(names(rest), (Names{"c"}));
  EXPECT_FALSE(rest.truncated);
  const auto none = list_page(map, {.max_keys = 0});
  EXPECT_TRUE(none.entries.empty());
  EXPECT_FALSE(none.truncated);
}

TEST(List, AfterBeforeInsideAndBehindThePrefix) {
  const auto map = make({"a", "p/1", "p/2", "q"});
  EXPECT_EQ(names(list_page(map, {.prefix = "p/", .after = "a"})), (Names{"p/1", "p/2"}));
  EXPECT_EQ(names(list_page(map, {.prefix = "p/", .after = "p/1"})), (Names{"p/2"}));
  EXPECT_EQ(names(list_page(map, {.prefix = "p/", .after = "q"})), (Names{}));
}

TEST(List, PageByPageGivesEverythingOnce) {
  ObjectMap map;
  for (int i = 0; i < 300; ++i) {
    auto object = std::make_shared<Object>();
    object->key = std::string(1, static_cast<char>('a' + i % 7)) + (i % 3 == 0 ? "/" : "-") + std::to_string(i);
    map[object->key] = object;
  }
  const auto all = names(list_page(map, {.delimiter = "/", .max_keys = 100'000}));
  for (std::size_t page_size : {1u, 2u, 7u, 100u}) {
    Names collected;
    std::string after;
    for (;;) {
      const auto page = list_page(map, {.delimiter = "/", .after = after, .max_keys = page_size});
      const auto part = names(page);
      collected.insert(collected.end(), part.begin(), part.end());
      if (!page.truncated) {
        break;
      }
      after = page.last;
    }
    EXPECT_EQ(collected, all) << page_size;
  }
}

TEST(List, AfterPrefix) {
  EXPECT_EQ(after_prefix("a/"), "a0");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
}

}  // namespace
}  // namespace prefixfs::devs3

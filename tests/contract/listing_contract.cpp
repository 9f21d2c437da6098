#include <gmock/gmock.h>

#include <algorithm>

#include "object_store_contract.h"

namespace prefixfs::contract {

using test::code_of;
using testing::ElementsAre;
using testing::IsEmpty;

class Listing : public ObjectStoreContract {
 protected:
  void SetUp() override {
    ObjectStoreContract::SetUp();
    for (const char* name : {"a.txt", "b/1", "b/2", "b/deep/3", "b-side", "c/", "c/4", "d/5", "e"}) {
      must_put(name, std::string_view(name).ends_with('/') ? "" : name);  // some servers take no content under a folder's name
    }
  }
  s3::ListOptions at(const std::string& below) const {
    s3::ListOptions options;
    options.prefix = prefix() + below;
    return options;
  }
  std::vector<std::string> keys(const s3::ListPage& page) const {
    s3::ListPage only = page;
    only.common_prefixes.clear();
    return names_below(only);
  }
  std::vector<std::string> folders(const s3::ListPage& page) const {
    s3::ListPage only = page;
    only.objects.clear();
    return names_below(only);
  }
};

TEST_P(Listing, ADelimiterShowsOneLevel) {
  const s3::ListPage page = list_all(at(""));
  EXPECT_THAT(keys(page), ElementsAre("a.txt", "b-side", "e"));
  EXPECT_THAT(folders(page), ElementsAre("b/", "c/", "d/"));
}

TEST_P(Listing, WithoutADelimiterEverythingBelowComesInKeyOrder) {
  s3::ListOptions options = at("");
  options.delimiter = "";
  const s3::ListPage page = list_all(options);
  EXPECT_THAT(keys(page), ElementsAre("a.txt", "b-side", "b/1", "b/2", "b/deep/3", "c/", "c/4", "d/5", "e"));
  EXPECT_THAT(page.common_prefixes, IsEmpty());
}

TEST_P(Listing, APrefixIsNoFolder) {
  EXPECT_THAT(folders(list_all(at("b"))), ElementsAre("b/"));
  EXPECT_THAT(keys(list_all(at("b"))), ElementsAre("b-side"));
  EXPECT_THAT(keys(list_all(at("b/"))), ElementsAre("b/1", "b/2"));
  EXPECT_THAT(folders(list_all(at("b/"))), ElementsAre("b/deep/"));
  EXPECT_THAT(names_below(list_all(at("b/deep/3"))), ElementsAre("b/deep/3"));
  EXPECT_THAT(names_below(list_all(at("nothing"))), IsEmpty());
}

TEST_P(Listing, AMarkerIsListedInItsOwnFolder) {
  EXPECT_THAT(keys(list_all(at("c/"))), ElementsAre("c/", "c/4"));
  EXPECT_THAT(folders(list_all(at("c/"))), IsEmpty());
}

TEST_P(Listing, ARowTellsSizeETagAndTime) {
  const auto head = store().head(key("a.txt"), {});
  ASSERT_TRUE(head) << test::why(head);
  const s3::ListPage page = list_all(at("a.txt"));
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].size, 5U);
  EXPECT_EQ(page.objects[0].etag, head->etag);
  EXPECT_FALSE(page.objects[0].complete);
  const auto apart = page.objects[0].last_modified - head->last_modified;
  EXPECT_LT(std::chrono::abs(apart), std::chrono::seconds(1));
}

TEST_P(Listing, PagesShowEachEntryOnce) {
  for (const int max_keys : {2, 3, 4}) {
    s3::ListOptions options = at("");
    options.max_keys = max_keys;
    const s3::ListPage page = list_all(options);
    EXPECT_THAT(keys(page), ElementsAre("a.txt", "b-side", "e")) << max_keys;
    EXPECT_THAT(folders(page), ElementsAre("b/", "c/", "d/")) << max_keys;
    options.delimiter = "";
    EXPECT_EQ(list_all(options).objects.size(), 9U) << max_keys;
  }
}

TEST_P(Listing, WhatANewPageBringsComesBehindAllOfTheFormerPages) {
  for (const int max_keys : {1, 2, 3, 4}) {
    s3::ListOptions options = at("");
    options.max_keys = max_keys;
    std::string end;
    do {
      const auto page = store().list(options, {});
      ASSERT_TRUE(page) << test::why(page);
      const std::vector<std::string> names = names_below(*page);
      for (const std::string& name : names) {
        EXPECT_GT(name, end) << "pages of " << max_keys;
      }
      end = std::max(end, names.empty() ? "" : std::ranges::max(names));
      options.continuation_token = page->next_token;
    } while (!options.continuation_token.empty());
    EXPECT_EQ(end, "e");
  }
}

TEST_P(Listing, StartAfterLeavesOutWhatComesBefore) {
  s3::ListOptions options = at("");
  options.delimiter = "";
  options.start_after = prefix() + "b/2";
  EXPECT_THAT(keys(list_all(options)), ElementsAre("b/deep/3", "c/", "c/4", "d/5", "e"));
  options.max_keys = 2;
  EXPECT_THAT(keys(list_all(options)), ElementsAre("b/deep/3", "c/", "c/4", "d/5", "e"));
  options = at("");
  options.start_after = prefix() + "b-side";
  EXPECT_THAT(folders(list_all(options)), ElementsAre("b/", "c/", "d/"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Listing, testing::ValuesIn(targets()), test_suffix);

}  // namespace prefixfs::contract

#include "prefixfs/object/shown_name.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "prefixfs/object/key.h"
#include "support/seed.h"

namespace prefixfs {
namespace {

std::string part_of(std::string_view name) {
  const auto part = key_part(name);
  return part ? part->part : "(shortened)";
}

TEST(ShownName, OrdinaryNamesAreTheirOwn) {
  for (const std::string name : {"a", "report.pdf", "..x", "...", ".hidden", "100%.txt", "a%20b", "@home", "@s3", "@s3-", "@s3-foo", "@s3-empty2", "@s3-Dot", "@s3-raw-",
                                 "@s3-raw-plain", "@s3-raw-%41", "@s3-raw-%ff", "@s3-name-plain", "@s3-name-", "@s3-object-", "@s3-object-.", "@s3-long-", "@s3-long-0123",
                                 "\x01\x7f", "with space", "\u65e5\u672c\u8a9e", "x@s3-empty"}) {
    EXPECT_EQ(shown_name(name), name);
    EXPECT_EQ(part_of(name), name);
    EXPECT_FALSE(shortened_name(name));
  }
  const std::string longest(255, 'a');
  EXPECT_EQ(shown_name(longest), longest);
}

TEST(ShownName, WhatCannotBeANameHasOne) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "@s3-empty"},
      {".", "@s3-dot"},
      {"..", "@s3-dotdot"},
      {"\xff.pdf", "@s3-raw-%FF.pdf"},
      {"half\xc3", "@s3-raw-half%C3"},
      {"\xc3\xbc\xff%", "@s3-raw-\xc3\xbc%FF%25"},
      {std::string("nul\0!", 5), "@s3-raw-nul%00!"},
      {"@s3-empty", "@s3-name-@s3-empty"},
      {"@s3-name-@s3-empty", "@s3-name-@s3-name-@s3-empty"},
      {"@s3-raw-%FF", "@s3-name-@s3-raw-%FF"},
      {"@s3-object-a", "@s3-name-@s3-object-a"},
      {"@s3-long-0123456789abcdef-x", "@s3-name-@s3-long-0123456789abcdef-x"},
  };
  for (const auto& [part, name] : cases) {
    EXPECT_EQ(shown_name(part), name);
    EXPECT_EQ(part_of(name), part);
    EXPECT_TRUE(check_name(name));
  }
  EXPECT_EQ(key_part("@s3-empty")->as, Shown::directory);
  EXPECT_EQ(key_part("@s3-dot")->as, Shown::any);
}

TEST(ShownName, TheContentOfADirectorysKey) {
  EXPECT_EQ(shown_name("", Shown::marker), "@s3-content");
  EXPECT_EQ(key_part("@s3-content")->as, Shown::marker);
  EXPECT_EQ(part_of("@s3-content"), "");
}

TEST(ShownName, AFileBesideADirectory) {
  for (const std::string part : {"a", "@s3-empty", "..", "\xff", "x.pdf"}) {
    const std::string name = shown_name(part, Shown::file_beside_directory);
    EXPECT_EQ(name, "@s3-object-" + shown_name(part));
    const auto back = key_part(name);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->part, part);
    EXPECT_EQ(back->as, Shown::file_beside_directory);
  }
  EXPECT_EQ(part_of("@s3-object-@s3-object-a"), "@s3-object-@s3-object-a") << "there is nothing beside such a name";
  EXPECT_EQ(part_of("@s3-object-@s3-empty"), "@s3-object-@s3-empty") << "an empty part is no file";
}

TEST(ShownName, LongPartsAreShortenedToWholeCharacters) {
  const std::string umlauts = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) {
      text += "\xc3\xbc";
    }
    return text;
  }();
  for (const std::string& part : {std::string(256, 'a'), std::string(1000, 'a'), umlauts, "x" + umlauts, std::string(300, '\xff'), "a" + std::string(300, '\xff'),
                                  "@s3-name-" + std::string(300, 'a')}) {
    for (const Shown as : {Shown::any, Shown::file_beside_directory}) {
      const std::string name = shown_name(part, as);
      EXPECT_LE(name.size(), kNameBytesMax);
      EXPECT_GE(name.size(), kNameBytesMax - 4);
      EXPECT_TRUE(check_name(name));
      EXPECT_FALSE(key_part(name)) << "what it stands for must be remembered";
      const auto shortened = shortened_name(name);
      ASSERT_TRUE(shortened) << name;
      EXPECT_EQ(shortened->as, as);
      EXPECT_TRUE(part.starts_with(shortened->begins));
    }
  }
  EXPECT_NE(shown_name(std::string(256, 'a')), shown_name(std::string(257, 'a')));
  const std::string just_fits = "@s3-object-" + std::string(244, 'a');
  EXPECT_EQ(shown_name(std::string(244, 'a'), Shown::file_beside_directory), just_fits);
  EXPECT_TRUE(shortened_name(shown_name(std::string(245, 'a'), Shown::file_beside_directory)));
  EXPECT_TRUE(shortened_name(shown_name("@s3-raw-%FF" + std::string(240, 'a')))) << "it looks like one, and is too long to say so";
}

/// Texts that are made of what the rule looks for.
std::string odd_text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{"@s3-", "empty", "content", "dot", "dotdot", "raw-", "name-", "object-", "long-", "0123456789abcdef", "-", "%FF", "%25", "%",
                                                "%ff", "\xff", std::string(1, '\0'), "\xc3", "\xbc", "a", ".", "..", "\x01", "\u65e5", std::string(120, 'x')};
  std::string text;
  for (std::size_t pieces = random() % 7; pieces > 0; --pieces) {
    text += kPieces[random() % kPieces.size()];
  }
  return text;
}

TEST(ShownName, EveryPartHasItsOwnNameAndEveryNameItsPart) {
  const test::Seed seed;
  auto random = seed.engine();
  std::map<std::string, std::pair<std::string, Shown>> parts;
  for (int i = 0; i < 200'000; ++i) {
    const std::string part = odd_text(random);
    const Shown as = part.empty() ? (random() % 2 == 0 ? Shown::directory : Shown::marker) : (random() % 2 == 0 ? Shown::any : Shown::file_beside_directory);
    const std::string name = shown_name(part, as);
    ASSERT_TRUE(check_name(name)) << testing::PrintToString(part);
    const auto [known, is_new] = parts.emplace(name, std::pair(part, as));
    ASSERT_TRUE(is_new || known->second == std::pair(part, as)) << testing::PrintToString(part) << " and " << testing::PrintToString(known->second.first);
    if (const auto back = key_part(name)) {
      ASSERT_EQ(back->part, part);
      ASSERT_EQ(back->as, as);
    } else {
      ASSERT_EQ(shortened_name(name)->as, as);
    }
    if (check_name(part)) {  // as a name that a program gives
      const auto given = key_part(part);
      if (given) {
        ASSERT_EQ(shown_name(given->part, given->as), part);
      }
    }
  }
}

}  // namespace
}  // namespace prefixfs

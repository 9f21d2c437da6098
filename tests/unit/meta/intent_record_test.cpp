#include "intent_record.h"

#include <gtest/gtest.h>

#include <functional>

#include "format_examples.h"
#include "support/seed.h"

namespace prefixfs::meta {
namespace {

using test::example;

WallTime at_ns(std::int64_t ns) { return WallTime(std::chrono::nanoseconds(ns)); }

Intent store() {
  Intent intent;
  intent.id = 258;
  intent.kind = IntentKind::store;
  intent.inode = 4660;
  intent.path = "a/cv.pdf";
  intent.since = at_ns(1795248000000000000);
  intent.guard = IntentGuard::match;
  intent.base = ETag::from_wire("9b2cf535f27731c974343645a3985328");
  intent.posix = {0640, 1000, 33, 1795247999876543211};
  intent.maybe_stored = true;
  intent.bytes = StagedBytes{"000000000000002a", 50000, 48213, {{0, 4096}, {40000, 50000}}, {{45000, 50000}}};
  return intent;
}

Intent removal() {
  Intent intent;
  intent.id = 259;
  intent.kind = IntentKind::remove;
  intent.inode = 4661;
  intent.path = "a/old.txt";
  intent.since = at_ns(1795248001500000000);
  intent.parked = true;
  intent.last_error = "AccessDenied";
  return intent;
}

Intent move() {
  Intent intent;
  intent.id = 260;
  intent.kind = IntentKind::move;
  intent.inode = 4660;
  intent.path = "b/cv.pdf";
  intent.source = "a/cv.pdf";
  intent.since = at_ns(1795248000000000000);
  intent.base = ETag::from_wire("9b2cf535f27731c974343645a3985328");
  intent.posix = {0600, 1000, 33, 1795247999876543211};
  intent.changed.mode = true;
  intent.size = 48213;
  return intent;
}

Intent directory_move() {
  Intent intent;
  intent.id = 262;
  intent.kind = IntentKind::move_directory;
  intent.inode = 4659;
  intent.path = "b/";
  intent.source = "a/";
  intent.since = at_ns(1795248001500000000);
  intent.stage = DirectoryMoveStage::removing;
  return intent;
}

Intent device() {
  Intent intent;
  intent.id = 261;
  intent.kind = IntentKind::move;
  intent.inode = 4663;
  intent.path = "dev/b";
  intent.source = "dev/a";
  intent.since = at_ns(1795248000000000000);
  intent.base = ETag::from_wire("d41d8cd98f00b204e9800998ecf8427e");
  intent.posix = {0600, 0, 0, 1795248000000000000, 1795247999000000000};
  intent.type = NodeKind::character_device;
  intent.rdev = 1 << 8 | 3;
  intent.changed.atime = true;
  return intent;
}

/// Whether it comes back from its bytes as it was.
bool survives(const Intent& intent) { return decode_intent(intent_key(intent.id), encode_intent(intent)) == intent; }

/// store() with something else in it.
bool survives_with(const std::function<void(Intent&)>& change) {
  Intent intent = store();
  change(intent);
  return survives(intent);
}

TEST(IntentRecord, the_documents_intents_are_what_is_written_and_read) {
  EXPECT_EQ(intent_key(258), example("store-key"));
  EXPECT_EQ(encode_intent(store()), example("store-value"));
  EXPECT_EQ(decode_intent(example("store-key"), example("store-value")), store());
  EXPECT_EQ(intent_key(259), example("remove-key"));
  EXPECT_EQ(encode_intent(removal()), example("remove-value"));
  EXPECT_EQ(decode_intent(example("remove-key"), example("remove-value")), removal());
  EXPECT_EQ(intent_key(262), example("move-directory-key"));
  EXPECT_EQ(encode_intent(directory_move()), example("move-directory-value"));
  EXPECT_EQ(decode_intent(example("move-directory-key"), example("move-directory-value")), directory_move());
  EXPECT_EQ(intent_key(260), example("move-key"));
  EXPECT_EQ(encode_intent(move()), example("move-value"));
  EXPECT_EQ(decode_intent(example("move-key"), example("move-value")), move());
  EXPECT_EQ(intent_key(261), example("device-key"));
  EXPECT_EQ(encode_intent(device()), example("device-value"));
  EXPECT_EQ(decode_intent(example("device-key"), example("device-value")), device());
}

TEST(IntentRecord, extended_attributes_come_last) {
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.posix.xattrs = {{"author", "Jo"}, {"seen", std::nullopt}}; }));
  Intent moved = device();
  moved.posix.xattrs = {{"author", "Jo"}};
  moved.changed.xattrs = true;
  EXPECT_TRUE(survives(moved));
  const std::string good = encode_intent(moved);
  EXPECT_FALSE(decode_intent(intent_key(1), good.substr(0, good.size() - 1)));
  EXPECT_FALSE(decode_intent(intent_key(1), good + 'x'));
  moved.posix.xattrs.clear();
  EXPECT_FALSE(survives(moved)) << "what is changed is named";
}

TEST(IntentRecord, keys_sort_by_id_and_name_nothing_else) {
  EXPECT_LT(intent_key(255), intent_key(256));
  EXPECT_EQ(decode_intent_key(intent_key(~0ULL)), ~0ULL);
  EXPECT_FALSE(decode_intent_key(intent_key(0)));
  EXPECT_FALSE(decode_intent_key("q1234567"));
  EXPECT_FALSE(decode_intent_key("q123456789"));
  EXPECT_FALSE(decode_intent_key("i12345678"));
  EXPECT_FALSE(decode_intent(intent_key(0), encode_intent(store())));
  EXPECT_EQ(damaged_key("q12345678"), "xq12345678");
  EXPECT_EQ(damaged_key(std::string(511, 'q')).size(), 511U) << "LMDB takes no longer key";
}

TEST(IntentRecord, a_wrong_length_is_refused) {
  const std::string key = intent_key(1);
  for (const Intent& intent : {store(), removal()}) {
    const std::string good = encode_intent(intent);
    for (std::size_t length = 0; length < good.size(); ++length) {
      EXPECT_FALSE(decode_intent(key, good.substr(0, length))) << length;
    }
    EXPECT_FALSE(decode_intent(key, good + '\0')) << "trailing bytes";
    EXPECT_FALSE(decode_intent(key, good + std::string(16, '\0'))) << "a range too many";
    // Lengths and counts: a bit more or less in each byte of them.
    for (const std::size_t at : {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 52, 53, 54, 55, 56, 57, 58, 59}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x20);
      EXPECT_FALSE(decode_intent(key, bad)) << "byte " << at;
    }
  }
}

TEST(IntentRecord, what_is_not_known_is_refused) {
  const std::string key = intent_key(1);
  const std::string good = encode_intent(removal());
  const auto with = [&](std::size_t at, char byte) {
    std::string changed = good;
    changed[at] = byte;
    return decode_intent(key, changed).has_value();
  };
  EXPECT_TRUE(with(0, 1));
  EXPECT_FALSE(with(0, 0)) << "version";
  EXPECT_FALSE(with(0, 2)) << "version";
  EXPECT_FALSE(with(1, 0)) << "kind";
  EXPECT_TRUE(with(1, 5));
  EXPECT_FALSE(with(1, 6)) << "kind";
  EXPECT_TRUE(with(2, 3));
  EXPECT_FALSE(with(2, 4)) << "guard";
  EXPECT_TRUE(with(3, 3));
  EXPECT_FALSE(with(3, 4)) << "flag";
  EXPECT_FALSE(with(14, 3)) << "only what is stored or moved has a type";
  EXPECT_FALSE(with(15, 1)) << "only a move changes an atime";
  EXPECT_FALSE(with(15, 2)) << "there is none";
  EXPECT_FALSE(with(15, 4)) << "flag";
  for (const std::size_t rdev : {60, 61, 62, 63}) {
    EXPECT_FALSE(with(rdev, 1)) << rdev;
  }
}

TEST(IntentRecord, a_type_is_no_directory_and_a_device_has_a_number) {
  for (int type = 0; type < 10; ++type) {
    const auto kind = static_cast<NodeKind>(type);
    EXPECT_EQ(survives_with([&](Intent& intent) { intent.type = kind; }), type == 1 || (type >= 3 && type <= 7)) << type;
    EXPECT_EQ(survives_with([&](Intent& intent) { intent.type = kind; intent.rdev = ~0U; }), type == 6 || type == 7) << type;
  }
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.posix.atime_ns = INT64_MIN; }));
  Intent marker{.id = 7, .kind = IntentKind::store_marker, .inode = 8, .path = "a/"};
  marker.posix.atime_ns = 5;
  EXPECT_TRUE(survives(marker)) << "a directory has an atime, too";
}

TEST(IntentRecord, texts_have_bounds) {
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.path.clear(); }));
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.path = std::string(1024, 'p'); }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.path = std::string(1025, 'p'); }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.path = std::string(65536 + 8, 'p'); })) << "the length does not fit";
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.last_error = std::string(4096, 'e'); }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.last_error = std::string(4097, 'e'); }));
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.base = ETag::from_wire(std::string(1024, 'e')); }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.base = ETag::from_wire(std::string(1025, 'e')); }));
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.bytes->name = std::string(255, 'n'); }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.bytes->name = std::string(256, 'n'); }));
  EXPECT_TRUE(survives_with([](Intent& intent) { intent.path = std::string("\0\xff\n", 3); }));
}

TEST(IntentRecord, ranges_are_in_order_disjoint_and_within_the_file) {
  const auto valid = [](std::vector<ByteRange> ranges) {
    return survives_with([&](Intent& intent) { intent.bytes = StagedBytes{"f", 100, 0, std::move(ranges), {}}; });
  };
  EXPECT_TRUE(valid({}));
  EXPECT_TRUE(valid({{0, 100}}));
  EXPECT_TRUE(valid({{0, 10}, {10, 20}})) << "touching is no harm";
  EXPECT_FALSE(valid({{0, 101}})) << "beyond the end";
  EXPECT_FALSE(valid({{0, 10}, {9, 20}})) << "overlapping";
  EXPECT_FALSE(valid({{50, 60}, {0, 10}})) << "out of order";
  EXPECT_FALSE(valid({{5, 5}})) << "empty";
  EXPECT_FALSE(valid({{6, 5}})) << "turned round";
  EXPECT_FALSE(valid({{~0ULL - 1, ~0ULL}}));
}

TEST(IntentRecord, dirty_bytes_are_valid) {
  const auto dirty = [](std::vector<ByteRange> ranges) {
    return survives_with([&](Intent& intent) {
      intent.bytes = StagedBytes{"f", 100, 0, {{10, 20}, {20, 30}, {40, 50}}, std::move(ranges)};
    });
  };
  EXPECT_TRUE(dirty({}));
  EXPECT_TRUE(dirty({{10, 30}, {40, 50}})) << "over ranges that touch";
  EXPECT_TRUE(dirty({{11, 12}, {13, 14}, {45, 46}}));
  EXPECT_FALSE(dirty({{9, 20}}));
  EXPECT_FALSE(dirty({{10, 31}}));
  EXPECT_FALSE(dirty({{25, 45}})) << "over a gap";
  EXPECT_FALSE(dirty({{50, 51}}));
  EXPECT_FALSE(dirty({{12, 14}, {11, 12}})) << "out of order";
}

TEST(IntentRecord, parts_that_contradict_each_other_are_refused) {
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.bytes->base_size = intent.bytes->size + 1; }));
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.bytes.reset(); })) << "a store needs its file";
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.bytes->name.clear(); })) << "a file needs its name";
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.kind = IntentKind::remove; })) << "a removal has no file";
  EXPECT_FALSE(survives_with([](Intent& intent) { intent.source = "b"; })) << "only a move has a source";
  const auto removal_with = [](const std::function<void(Intent&)>& change) {
    Intent intent = removal();
    change(intent);
    return survives(intent);
  };
  EXPECT_FALSE(removal_with([](Intent& intent) { intent.bytes = StagedBytes{"", 1, 0, {}, {}}; }));
  EXPECT_FALSE(removal_with([](Intent& intent) { intent.kind = IntentKind::move; })) << "a move needs its source";
  EXPECT_FALSE(removal_with([](Intent& intent) { intent.kind = IntentKind::store_marker; })) << "a marker ends with /";
  EXPECT_TRUE(removal_with([](Intent& intent) {
    intent.kind = IntentKind::move;
    intent.source = "b";
    intent.base = ETag::from_wire("version");
    intent.size = 5;
  }));
  EXPECT_FALSE(removal_with([](Intent& intent) {
    intent.kind = IntentKind::move;
    intent.source = "b";
  })) << "what is moved has a version";
  EXPECT_FALSE(removal_with([](Intent& intent) { intent.size = 5; })) << "only a move has a size of its own";
  EXPECT_FALSE(removal_with([](Intent& intent) { intent.changed.uid = true; })) << "only a move changes attributes";
  EXPECT_TRUE(removal_with([](Intent& intent) {
    intent.kind = IntentKind::store_marker;
    intent.path = "a/";
  }));
  const auto directory_move_with = [](const std::function<void(Intent&)>& change) {
    Intent intent = directory_move();
    change(intent);
    return survives(intent);
  };
  EXPECT_TRUE(directory_move_with([](Intent& intent) { intent.stage = DirectoryMoveStage::undoing; }));
  EXPECT_FALSE(directory_move_with([](Intent& intent) { intent.source = "a"; })) << "a directory ends with /";
  EXPECT_FALSE(directory_move_with([](Intent& intent) { intent.path = "b"; })) << "a directory ends with /";
  EXPECT_FALSE(directory_move_with([](Intent& intent) { intent.source.clear(); })) << "a move needs its source";
  EXPECT_FALSE(directory_move_with([](Intent& intent) { intent.stage = static_cast<DirectoryMoveStage>(3); }));
}

TEST(IntentRecord, extreme_values_survive) {
  EXPECT_TRUE(survives_with([](Intent& intent) {
    intent.id = ~0ULL;
    intent.inode = ~0ULL;
    intent.since = at_ns(INT64_MIN);
    intent.posix = {~0U, ~0U, ~0U, INT64_MIN};
    intent.base = ETag::from_wire("\"\"quoted\"\"");
    intent.bytes = StagedBytes{"f", ~0ULL, ~0ULL, {{0, 1}, {~0ULL - 1, ~0ULL}}, {{~0ULL - 1, ~0ULL}}};
  }));
}

/// Disjoint ranges in order, at most `count` of them.
std::vector<ByteRange> random_ranges(std::mt19937_64& random, std::uint64_t& end, std::size_t count) {
  std::vector<ByteRange> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t begin = end + random() % 1000;
    end = begin + 1 + random() % 1000;
    ranges.push_back({begin, end});
  }
  return ranges;
}

std::string random_text(std::mt19937_64& random, std::size_t least, std::size_t most) {
  std::string text(least + random() % (most - least + 1), '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

Intent random_intent(std::mt19937_64& random) {
  Intent intent;
  intent.id = 1 + random() % (~0ULL - 1);
  intent.kind = static_cast<IntentKind>(1 + random() % 6);
  intent.inode = random();
  const bool directory_moves = intent.kind == IntentKind::move_directory;
  intent.path = random_text(random, 1, 1023) + (intent.kind == IntentKind::store_marker || directory_moves ? "/" : "");
  if (directory_moves) {
    intent.source = random_text(random, 1, 1023) + "/";
    intent.stage = static_cast<DirectoryMoveStage>(random() % 3);
  }
  if (intent.kind == IntentKind::move) {
    intent.source = random_text(random, 1, 1024);
    intent.changed = {.mode = random() % 2 == 0, .uid = random() % 2 == 0, .gid = random() % 2 == 0, .mtime = random() % 2 == 0};
    intent.size = random();
  }
  intent.since = at_ns(static_cast<std::int64_t>(random()));
  intent.guard = static_cast<IntentGuard>(random() % 4);
  intent.base = ETag::from_wire(std::to_string(random()));
  intent.posix = {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                  static_cast<std::int64_t>(random())};
  intent.maybe_stored = random() % 2 == 0;
  intent.parked = random() % 2 == 0;
  intent.last_error = random_text(random, 0, 200);
  if (intent.kind == IntentKind::store) {
    StagedBytes bytes{.name = random_text(random, 1, 255), .size = 0, .base_size = 0, .valid = {}, .dirty = {}};
    bytes.valid = random_ranges(random, bytes.size, random() % 50);
    for (const ByteRange& range : bytes.valid) {
      if (random() % 2 == 0) {
        bytes.dirty.push_back({range.begin + random() % range.length(), range.end});
      }
    }
    bytes.size += random() % 1000;
    bytes.base_size = random() % (bytes.size + 1);
    intent.bytes = std::move(bytes);
  }
  return intent;
}

TEST(IntentRecord, random_intents_survive_and_changed_bytes_never_harm) {
  const test::Seed seed;
  auto random = seed.engine();
  for (int round = 0; round < 5000; ++round) {
    const Intent intent = random_intent(random);
    const std::string key = intent_key(intent.id);
    std::string value = encode_intent(intent);
    ASSERT_EQ(decode_intent(key, value), intent) << "round " << round;
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      // Mostly in the head, where the lengths are.
      const std::size_t at = random() % (random() % 4 == 0 ? value.size() : 80);
      value[at] = static_cast<char>(random());
    }
    if (const auto other = decode_intent(key, value)) {
      ASSERT_EQ(encode_intent(*other), value) << "round " << round << ": what is read is what stands there";
    }
  }
}

}  // namespace
}  // namespace prefixfs::meta

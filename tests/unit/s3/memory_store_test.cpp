// What tests rely on in their doubles, beyond the contract suite.

#include "support/memory_store.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/store_calls.h"

namespace prefixfs::test {

TEST(MemoryStore, WithoutListBucketAnAbsentKeyIsDenied) {
  FakeClock clock;
  MemoryStore store(clock);
  store.put_text("a", "x");
  store.set_rights({.list = false});
  EXPECT_EQ(code_of(store.head(Key("a"), {})), "");
  EXPECT_EQ(code_of(store.head(Key("b"), {})), "denied");
  EXPECT_EQ(code_of(store.list({}, {})), "denied");
  store.set_rights({.get = false});
  EXPECT_EQ(code_of(store.head(Key("a"), {})), "denied");
  store.set_rights({.put = false, .remove = false});
  EXPECT_EQ(code_of(put_text(store, Key("a"), "y")), "denied");
  EXPECT_EQ(code_of(store.remove(Key("a"), {}, {})), "denied");
  EXPECT_EQ(store.text("a"), "x");
}

TEST(MemoryStore, AnArchivedObjectCannotBeRead) {
  FakeClock clock;
  MemoryStore store(clock);
  store.put_text("a", "x");
  store.archive("a");
  const auto text = get_text(store, Key("a"));
  EXPECT_EQ(code_of(text), "unsupported");
  EXPECT_EQ(text.error().origin.s3_code, "InvalidObjectState");
  EXPECT_EQ(store.head(Key("a"), {})->storage_class, "GLACIER");
}

TEST(FaultyStore, FailsWhatItIsToldAndCounts) {
  FakeClock clock;
  MemoryStore memory(clock);
  FaultyStore store(memory);
  Fault fault;
  fault.operation = "PutObject";
  fault.key = "a";
  fault.skip = 1;
  store.add(fault);
  EXPECT_EQ(code_of(put_text(store, Key("a"), "1")), "");
  EXPECT_EQ(code_of(put_text(store, Key("b"), "1")), "");
  EXPECT_EQ(code_of(put_text(store, Key("a"), "2")), "unavailable");
  EXPECT_EQ(memory.text("a"), "1");
  EXPECT_EQ(code_of(put_text(store, Key("a"), "3")), "");
  EXPECT_EQ(store.count("PutObject"), 4);
  fault.skip = 0;
  fault.after_the_work = true;
  store.add(fault);
  EXPECT_EQ(code_of(put_text(store, Key("a"), "4")), "unavailable");
  EXPECT_EQ(memory.text("a"), "4");
}

}  // namespace prefixfs::test

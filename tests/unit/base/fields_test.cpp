#include "prefixfs/base/fields.h"

#include <gtest/gtest.h>

namespace prefixfs {
namespace {

TEST(Fields, AnyValueComesBackAsItWas) {
  Fields fields{{"path", "a=b\\n\nc\\"}, {"empty", ""}, {"bytes", std::string("\0\xff\r", 3)}};
  fields.add("size", "42");
  const auto back = Fields::parse(fields.text());
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, fields);
  EXPECT_EQ(back->get("path"), "a=b\\n\nc\\");
  EXPECT_EQ(back->number("size"), 42U);
}

TEST(Fields, AValueNeverEndsALine) { EXPECT_EQ((Fields{{"a", "x\n\ny"}}).text(), "a=x\\n\\ny\n"); }

TEST(Fields, WhatIsNotThereIsEmpty) {
  const Fields fields{{"word", "12x"}};
  EXPECT_EQ(fields.get("other"), "");
  EXPECT_EQ(fields.number("other"), 0U);
  EXPECT_EQ(fields.number("word"), 0U);
}

TEST(Fields, RefusesWhatItDoesNotWrite) {
  for (const char* text : {"word\n", "\n", "a=\\", "a=\\t\n"}) {
    EXPECT_FALSE(Fields::parse(text)) << text;
  }
  EXPECT_TRUE(Fields::parse(""));
  EXPECT_TRUE(Fields::parse("a=1"));
}

}  // namespace
}  // namespace prefixfs

#include "xml_read.h"

#include <gtest/gtest.h>

#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

TEST(ReadXml, TreeWithoutNamespaces) {
  const auto root = read_xml("<?xml version=\"1.0\"?>"
                             "<Delete xmlns=\"http://x\"><!-- c -->"
                             "<Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>", "Delete");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->children.size(), 2u);
  EXPECT_EQ(root->child("Object")->text_of("Key"), "a&b");
  EXPECT_EQ(root->text_of("None"), std::nullopt);
  EXPECT_TRUE(root->only({"Object", "Quiet"}));
  EXPECT_EQ(root->only({"Object"}).error().code, "MalformedXML");
}

TEST(ReadXml, RefusesWhatIsNotARequest) {
  for (const auto* text : {"", "<Delete>", "<Other/>", "<!DOCTYPE Delete><Delete/>",
                           "<!DOCTYPE d [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Delete>&e;</Delete>", "<Delete/><Delete/>",
                           "<Delete><?php x?></Delete>"}) {
    EXPECT_EQ(read_xml(text, "Delete").error().code, "MalformedXML") << text;
  }
  std::string deep;
  for (int i = 0; i < 50; ++i) {
    deep += "<Delete>";
  }
  for (int i = 0; i < 50; ++i) {
    deep += "</Delete>";
  }
  EXPECT_FALSE(read_xml(deep, "Delete"));
}

TEST(WriteXml, Escapes) {
  XmlWriter xml;
  xml.element("K", "<a&\"b>\x01\n");
  EXPECT_TRUE(xml.take().ends_with("<K>&lt;a&amp;&quot;b&gt;&#x1;\n</K>"));
}

}  // namespace
}  // namespace prefixfs::devs3

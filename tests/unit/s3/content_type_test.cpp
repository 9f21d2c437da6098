#include <gtest/gtest.h>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

TEST(ContentType, ByExtension) {
  EXPECT_EQ(content_type_of("resume.pdf"), "application/pdf");
  EXPECT_EQ(content_type_of("a/b.c/Resume.DOCX"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  EXPECT_EQ(content_type_of("photo.JPEG"), "image/jpeg");
  EXPECT_EQ(content_type_of("archive.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("3.3gp"), "video/3gpp");
  EXPECT_EQ(content_type_of("z.zst"), "application/zstd");
}

TEST(ContentType, UnknownIsOctetStream) {
  for (const char* name : {"", "noextension", ".pdf", "a.pdf/", "dir.pdf/file", "a.", "a.unknown", "a.pd"}) {
    EXPECT_EQ(content_type_of(name), "application/octet-stream") << name;
    EXPECT_FALSE(has_known_extension(name)) << name;
  }
  EXPECT_TRUE(has_known_extension("x.bin"));
}

}  // namespace prefixfs::s3

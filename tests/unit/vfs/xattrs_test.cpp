// getxattr, setxattr, listxattr, removexattr: user metadata of the object.

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Must = Filesystem::XattrMust;

s3::ObjectHeaders headers_with(const UserMetadata& metadata) {
  s3::ObjectHeaders headers;
  headers.user_metadata = metadata;
  return headers;
}

Result<void> set(Mount& mount, std::string_view path, std::string_view name, std::optional<std::string_view> value, Must must = Must::exist_or_not) {
  return mount.fs().set_xattr(mount.id(path), name, value, must, mount.caller());
}
std::string get(Mount& mount, std::string_view path, std::string_view name) {
  const auto value = mount.fs().xattr(mount.id(path), name, mount.caller());
  return value ? *value : std::string(to_string(value.error().code));
}
std::vector<std::string> list(Mount& mount, std::string_view path) {
  return mount.fs().xattr_names(mount.id(path), mount.caller()).value_or(std::vector<std::string>{"failed"});
}
std::string metadata_of(Mount& mount, std::string_view key, const std::string& name) {
  const auto info = mount.memory.info(key);
  const auto found = info ? info->user_metadata.find(name) : UserMetadata::const_iterator();
  return info && found != info->user_metadata.end() ? found->second : "";
}

using XattrsTest = VfsTest;

TEST_F(XattrsTest, ASetAttributeIsOneCopyOntoItself) {
  Mount mount;
  ASSERT_OK(mount.create_file(kRoot, "file", "text"));
  mount.requests();
  ASSERT_OK(set(mount, "file", "author", "Jo"));
  EXPECT_THAT(mount.requests(), ElementsAre("CopyObject file"));
  EXPECT_EQ(metadata_of(mount, "file", "author"), "Jo");
  EXPECT_EQ(get(mount, "file", "author"), "Jo");
  EXPECT_THAT(list(mount, "file"), ElementsAre("author"));
  EXPECT_THAT(mount.requests(), IsEmpty()) << "it is known";
  ASSERT_OK(set(mount, "file", "author", "Jo"));
  EXPECT_THAT(mount.requests(), IsEmpty()) << "it is so already";
  mount.restart();
  EXPECT_EQ(get(mount, "file", "author"), "Jo");
  ASSERT_OK(set(mount, "file", "author", std::nullopt, Must::be_there));
  EXPECT_EQ(metadata_of(mount, "file", "author"), "");
  EXPECT_THAT(list(mount, "file"), IsEmpty());
  EXPECT_EQ(get(mount, "file", "author"), "no_attribute");
}

TEST_F(XattrsTest, OthersMetadataAreAttributes) {
  Mount mount;
  mount.memory.put_text("file", "text", headers_with({{"title", "CV"}, {"file-permissions", "0100600"}}));
  EXPECT_EQ(get(mount, "file", "title"), "CV");
  EXPECT_THAT(list(mount, "file"), ElementsAre("title"));
  ASSERT_OK(set(mount, "file", "title", "new"));
  EXPECT_EQ(metadata_of(mount, "file", "title"), "new");
  EXPECT_EQ(metadata_of(mount, "file", "file-permissions"), "0100600");
}

TEST_F(XattrsTest, AListingAsksForNone) {
  Mount mount;
  mount.memory.put_text("a", "text", headers_with({{"title", "CV"}}));
  mount.memory.put_text("b", "text", headers_with({{"title", "CV"}}));
  ASSERT_OK(mount.names(kRoot));
  const InodeId a = mount.nodes().find(kRoot, "a")->value().id;
  mount.requests();
  EXPECT_THAT(mount.fs().xattr_names(a, mount.caller()).value_or(std::vector<std::string>{"failed"}), IsEmpty());
  EXPECT_THAT(mount.requests(), IsEmpty()) << "ls -l lists the attributes of each name";
  EXPECT_EQ(mount.fs().xattr(a, "title", mount.caller()).value_or("?"), "CV");
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject a"));
  EXPECT_THAT(mount.fs().xattr_names(a, mount.caller()).value_or(std::vector<std::string>{}), ElementsAre("title"));
}

TEST_F(XattrsTest, OfAnOpenFileTheyGoWithTheBytes) {
  Mount mount;
  const auto handle = mount.create(kRoot, "file");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "text"));
  ASSERT_OK(set(mount, "file", "author", "Jo"));
  ASSERT_OK(set(mount, "file", "gone", "soon"));
  ASSERT_OK(set(mount, "file", "gone", std::nullopt, Must::be_there));
  EXPECT_EQ(get(mount, "file", "author"), "Jo");
  mount.requests();
  ASSERT_OK(mount.close(*handle));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject file"));
  EXPECT_EQ(metadata_of(mount, "file", "author"), "Jo");
  EXPECT_EQ(metadata_of(mount, "file", "gone"), "");
  EXPECT_THAT(list(mount, "file"), ElementsAre("author"));
}

TEST_F(XattrsTest, ARewriteKeepsWhatOthersHaveSetAndARemovalDoesNot) {
  Mount mount;
  mount.memory.put_text("file", "text", headers_with({{"title", "CV"}, {"draft", "yes"}}));
  const auto handle = mount.open("file", O_WRONLY | O_TRUNC);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "new"));
  ASSERT_OK(set(mount, "file", "draft", std::nullopt, Must::be_there));
  ASSERT_OK(mount.close(*handle));
  EXPECT_EQ(metadata_of(mount, "file", "title"), "CV");
  EXPECT_EQ(metadata_of(mount, "file", "draft"), "");
  ASSERT_OK(mount.fs().rename(kRoot, "file", kRoot, "renamed", 0, mount.caller()));
  EXPECT_EQ(get(mount, "renamed", "title"), "CV");
  EXPECT_EQ(metadata_of(mount, "renamed", "title"), "CV");
}

TEST_F(XattrsTest, CreateAndReplaceAreToldApart) {
  Mount mount;
  ASSERT_OK(mount.create_file(kRoot, "file", "text"));
  EXPECT_ERRC(set(mount, "file", "a", "x", Must::be_there), Errc::no_attribute);
  ASSERT_OK(set(mount, "file", "a", "x", Must::be_new));
  EXPECT_ERRC(set(mount, "file", "a", "y", Must::be_new), Errc::exists);
  ASSERT_OK(set(mount, "file", "a", "y", Must::be_there));
  EXPECT_EQ(get(mount, "file", "a"), "y");
  EXPECT_ERRC(set(mount, "file", "b", std::nullopt, Must::be_there), Errc::no_attribute);
  Caller again = mount.caller();
  again.resent = true;
  EXPECT_OK(mount.fs().set_xattr(mount.id("file"), "a", "y", Must::be_new, again)) << "a worker that has died did it";
  EXPECT_OK(mount.fs().set_xattr(mount.id("file"), "b", std::nullopt, Must::be_there, again));
}

TEST_F(XattrsTest, MoreThanS3TakesIsRefusedAtOnce) {
  Mount mount;
  ASSERT_OK(mount.create_file(kRoot, "file", "text"));
  ASSERT_OK(set(mount, "file", "a", std::string(1024, 'v')));
  mount.requests();
  EXPECT_ERRC(set(mount, "file", "b", std::string(1024, 'v')), Errc::no_space);
  EXPECT_THAT(mount.requests(), IsEmpty());
  EXPECT_THAT(list(mount, "file"), ElementsAre("a"));
}

TEST_F(XattrsTest, DirectoriesHaveThemOnTheirMarkers) {
  Mount mount;
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  ASSERT_OK(set(mount, "dir", "owner", "hr"));
  EXPECT_EQ(metadata_of(mount, "dir/", "owner"), "hr");
  mount.restart_without_cache();
  EXPECT_EQ(get(mount, "dir", "owner"), "hr");
  ASSERT_OK(mount.fs().set_xattr(kRoot, "owner", "root", Must::be_new, mount.caller()));
  EXPECT_EQ(mount.fs().xattr(kRoot, "owner", mount.caller()).value_or("?"), "root") << "on this host";
}

TEST_F(XattrsTest, TheObjectsOwnFieldsAreToldAndNotListed) {
  Mount mount;
  s3::ObjectHeaders headers;
  headers.content_type = "application/pdf";
  headers.cache_control = "no-store";
  mount.memory.put_text("cv.pdf", "text", headers);
  const auto field = [&](std::string_view name) {
    const auto value = mount.fs().object_field(mount.id("cv.pdf"), name, mount.caller());
    return value ? *value : std::string(to_string(value.error().code));
  };
  EXPECT_EQ(field("content-type"), "application/pdf");
  EXPECT_EQ(field("cache-control"), "no-store");
  EXPECT_EQ(field("storage-class"), "STANDARD");
  EXPECT_EQ(field("etag"), mount.memory.info("cv.pdf")->etag.str());
  EXPECT_EQ(field("content-encoding"), "no_attribute");
  EXPECT_EQ(field("nonsense"), "no_attribute");
  EXPECT_THAT(list(mount, "cv.pdf"), IsEmpty());
}

TEST_F(XattrsTest, WithoutMetadataThereAreNone) {
  MountSettings given;
  given.settings.dialect = MetadataDialect::off;
  Mount mount(given);
  mount.memory.put_text("file", "text", headers_with({{"title", "CV"}}));
  EXPECT_EQ(get(mount, "file", "title"), "unsupported");
  EXPECT_ERRC(set(mount, "file", "a", "x"), Errc::unsupported);
  EXPECT_THAT(list(mount, "file"), IsEmpty());
}

using OwedXattrsTest = WriteBackTest;

TEST_F(OwedXattrsTest, TheyOutliveTheProcess) {
  ASSERT_OK(mount.create_file(kRoot, "stored", "text"));
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  delivered();
  outage_is_known();
  ASSERT_OK(set(mount, "stored", "author", "Jo"));
  ASSERT_OK(set(mount, "stored", "gone", "soon"));
  ASSERT_OK(set(mount, "stored", "gone", std::nullopt, Must::be_there));
  ASSERT_OK(set(mount, "dir", "owner", "hr"));
  const auto handle = mount.create(kRoot, "new");
  ASSERT_OK(handle);
  ASSERT_OK(set(mount, "new", "author", "Di"));
  ASSERT_OK(mount.close(*handle));
  mount.die();
  EXPECT_EQ(get(mount, "stored", "author"), "Jo");
  EXPECT_EQ(get(mount, "new", "author"), "Di");
  answers();
  delivered();
  EXPECT_EQ(metadata_of(mount, "stored", "author"), "Jo");
  EXPECT_EQ(metadata_of(mount, "stored", "gone"), "");
  EXPECT_EQ(metadata_of(mount, "new", "author"), "Di");
  EXPECT_EQ(metadata_of(mount, "dir/", "owner"), "hr");
  EXPECT_THAT(list(mount, "stored"), ElementsAre("author"));
}

TEST_F(OwedXattrsTest, ARenameAndAnAttributeAreOneCopy) {
  ASSERT_OK(mount.create_file(kRoot, "old", "text"));
  delivered();
  outage_is_known();
  ASSERT_OK(mount.fs().rename(kRoot, "old", kRoot, "new", 0, mount.caller()));
  ASSERT_OK(set(mount, "new", "author", "Jo"));
  answers();
  delivered();
  EXPECT_EQ(metadata_of(mount, "new", "author"), "Jo");
  EXPECT_EQ(get(mount, "new", "author"), "Jo");
}

}  // namespace
}  // namespace prefixfs::vfs

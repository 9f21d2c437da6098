#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fixtures.h"

namespace prefixfs::config {
namespace {

using testing::StartsWith;

Options options_for(const std::string& bucket, const std::string& prefix, const std::string& mountpoint) {
  Options options;
  options.bucket = bucket;
  options.prefix = Prefix::from(prefix);
  options.mountpoint = mountpoint;
  return options;
}

TEST(DefaultCacheDir, DependsOnWhoMounts) {
  const Options options = options_for("resumes-prod", "resumes/", "/srv/app/uploads");
  MapEnvironment environment;
  EXPECT_THAT(default_cache_dir(options, true, environment).value(), StartsWith("/var/lib/prefixfs/resumes-prod-resumes-srv-app-uploads-"));
  EXPECT_EQ(default_cache_dir(options, false, environment).error().code, Errc::invalid);
  environment.variables["HOME"] = "/home/u";
  EXPECT_THAT(default_cache_dir(options, false, environment).value(), StartsWith("/home/u/.local/state/prefixfs/resumes-prod-"));
  environment.variables["XDG_STATE_HOME"] = "relative";
  EXPECT_THAT(default_cache_dir(options, false, environment).value(), StartsWith("/home/u/.local/state/"));
  environment.variables["XDG_STATE_HOME"] = "/state";
  EXPECT_THAT(default_cache_dir(options, false, environment).value(), StartsWith("/state/prefixfs/"));
}

TEST(DefaultCacheDir, IsTheSameEveryTime) {
  // Written out: a change here would leave the files of every existing mount behind.
  const auto path = default_cache_dir(options_for("bucket", "p/", "/mnt"), true, MapEnvironment{});
  EXPECT_EQ(path.value(), "/var/lib/prefixfs/bucket-p-mnt-6053b02bbe29d408");
}

TEST(DefaultCacheDir, IsNeverShared) {
  std::set<std::string> paths;
  for (const auto& options : {options_for("bucket", "a/b/", "/mnt"), options_for("bucket", "a-b/", "/mnt"),
                              options_for("bucket", "a/", "/b/mnt"), options_for("bucket", "", "/mnt"),
                              options_for("bucket", std::string(500, 'x') + "1", "/mnt"),
                              options_for("bucket", std::string(500, 'x') + "2", "/mnt")}) {
    const auto path = default_cache_dir(options, true, MapEnvironment{});
    EXPECT_TRUE(paths.insert(path.value()).second) << path.value();
    EXPECT_LT(path->size(), 255);
    EXPECT_EQ(path->find('/', std::string("/var/lib/prefixfs/").size()), std::string::npos);
  }
}

}  // namespace
}  // namespace prefixfs::config

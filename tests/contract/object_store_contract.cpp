#include "object_store_contract.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "prefixfs/base/random.h"

namespace prefixfs::contract {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

/// The same for all tests of one run, so that several runs can share a bucket.
const std::string& run_prefix() {
  static const std::string prefix = fmt::format("contract-{:016x}/", SystemRandom().next());
  return prefix;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Target& target) { return out << target.name; }

std::string parse_target(const std::string& text, Target& target) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return "no name= at its beginning";
  }
  target.name = text.substr(0, equals);
  if (!std::all_of(target.name.begin(), target.name.end(), [](unsigned char c) { return std::isalnum(c) != 0; })) {
    return "a name that is not made of letters and digits";
  }
  const std::vector<std::string> fields = split(text.substr(equals + 1), ',');
  if (fields.size() < 5 || fields.size() > 6) {
    return "not 5 or 6 fields (url,access key,secret key,bucket,region[,lacks=...])";
  }
  target.url = fields[0];
  target.access_key = fields[1];
  target.secret_key = fields[2];
  target.bucket = fields[3];
  target.region = fields[4];
  if (fields.size() == 6) {
    if (!fields[5].starts_with("lacks=")) {
      return "a sixth field that does not begin with lacks=";
    }
    for (const std::string& feature : split(fields[5].substr(6), '+')) {
      target.lacks.insert(feature);
    }
  }
  return {};
}

std::vector<Target> targets() {
  std::vector<Target> all{Target{"memory", "", "", "", "", "", {}}};
  const char* named = std::getenv("PREFIXFS_CONTRACT_ENDPOINTS");
  for (const std::string& text : split(named == nullptr ? "" : named, ' ')) {
    if (text.empty()) {
      continue;
    }
    Target target;
    const std::string complaint = parse_target(text, target);
    if (!complaint.empty()) {
      // The text holds a secret key, so only its name is printed.
      std::fprintf(stderr, "PREFIXFS_CONTRACT_ENDPOINTS: the entry '%s' has %s\n", target.name.c_str(), complaint.c_str());
      std::exit(2);
    }
    all.push_back(target);
  }
  return all;
}

std::string test_suffix(const testing::TestParamInfo<Target>& info) { return info.param.name; }

void ObjectStoreContract::SetUp() {
  const Target& target = GetParam();
  std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  prefix_ = run_prefix() + test.substr(0, test.find('/')) + "/";
  clock_ = std::make_unique<SystemClock>();
  if (target.url.empty()) {
    store_ = std::make_unique<test::MemoryStore>(*clock_);
    return;
  }
  const char* level = std::getenv("PREFIXFS_CONTRACT_LOG");
  log_ = level == nullptr ? make_null_log() : make_log(LogTarget::stderr_stream, parse_log_level(level).value_or(LogLevel::debug));
  engine_ = http::make_curl_engine({});
  aws::Credentials keys;
  keys.access_key_id = target.access_key;
  keys.secret_access_key = target.secret_key;
  keys.source = "contract test";
  credentials_ = aws::make_static_provider(keys);
  memory_ = s3::make_volatile_memory();
  s3::ClientOptions options;
  options.bucket = target.bucket;
  options.endpoint = target.url;
  options.region = target.region;
  options.sse = target.lacks.contains("sse") ? "none" : "AES256";
  store_ = s3::make_client(options, *engine_, *credentials_, *clock_, *memory_, *log_);
}

void ObjectStoreContract::TearDown() {
  if (!store_) {
    return;
  }
  const auto uploads = store_->list_uploads(prefix_, {});
  for (const s3::OpenUpload& upload : uploads ? *uploads : std::vector<s3::OpenUpload>{}) {
    (void)store_->abort_upload(upload.key, upload.id, {});
  }
  s3::ListOptions options;
  options.prefix = prefix_;
  options.delimiter = "";
  const auto page = store_->list(options, {});
  if (!page) {
    return;
  }
  // The longest first: a server that keeps objects as files removes children before their folder.
  std::vector<Key> keys;
  for (const ObjectInfo& info : page->objects) {
    keys.push_back(info.key);
  }
  std::ranges::sort(keys, std::greater{});
  for (const Key& one : keys) {
    (void)store_->remove(one, {}, {});
  }
}

ETag ObjectStoreContract::must_put(const std::string& name, const std::string& text, const s3::ObjectHeaders& headers) {
  const auto answer = test::put_text(store(), key(name), text, s3::WriteCondition::none(), headers);
  EXPECT_TRUE(answer) << test::why(answer);
  return answer ? answer->etag : ETag();
}

std::string ObjectStoreContract::must_get(const std::string& name) {
  const auto text = test::get_text(store(), key(name));
  EXPECT_TRUE(text) << test::why(text);
  return text.value_or("");
}

bool ObjectStoreContract::exists(const std::string& name) {
  const auto info = store().head(key(name), {});
  EXPECT_TRUE(info || info.error().code == Errc::not_found) << test::why(info);
  return info.has_value();
}

s3::ListPage ObjectStoreContract::list_all(s3::ListOptions options) {
  s3::ListPage all;
  for (int pages = 0; pages < 100; ++pages) {
    const auto page = store().list(options, {});
    EXPECT_TRUE(page) << test::why(page);
    if (!page) {
      return all;
    }
    EXPECT_LE(page->objects.size() + page->common_prefixes.size(), static_cast<std::size_t>(options.max_keys));
    all.objects.insert(all.objects.end(), page->objects.begin(), page->objects.end());
    all.common_prefixes.insert(all.common_prefixes.end(), page->common_prefixes.begin(), page->common_prefixes.end());
    if (page->next_token.empty()) {
      return all;
    }
    options.continuation_token = page->next_token;
  }
  ADD_FAILURE() << "the listing does not come to an end";
  return all;
}

std::vector<std::string> ObjectStoreContract::names_below(const s3::ListPage& page) const {
  std::vector<std::string> names;
  for (const ObjectInfo& info : page.objects) {
    names.push_back(info.key.str().substr(prefix_.size()));
  }
  for (const std::string& folder : page.common_prefixes) {
    names.push_back(folder.substr(prefix_.size()));
  }
  return names;
}

void ObjectStoreContract::expect_kept(const std::vector<std::string>& names) {
  std::vector<Key> keys;
  for (const std::string& name : names) {
    must_put(name, "content of " + name);
    keys.push_back(key(name));
  }
  for (const std::string& name : names) {
    EXPECT_EQ(must_get(name), "content of " + name);
    EXPECT_TRUE(exists(name)) << name;
    const auto copied = store().copy({key(name), {}}, key("copy"), {}, {});
    EXPECT_TRUE(copied) << test::why(copied);
    EXPECT_EQ(must_get("copy"), "content of " + name);
  }
  keys.push_back(key("copy"));
  s3::ListOptions options;
  options.prefix = prefix_;
  options.delimiter = "";
  std::vector<std::string> expected = names;
  expected.push_back("copy");
  EXPECT_THAT(names_below(list_all(options)), testing::UnorderedElementsAreArray(expected));
  std::vector<s3::RemoveTarget> targets;
  std::ranges::transform(keys, std::back_inserter(targets), [](const Key& one) { return s3::RemoveTarget{one}; });
  const auto outcomes = store().remove_many(targets, {});
  EXPECT_TRUE(outcomes) << test::why(outcomes);
  EXPECT_THAT(names_below(list_all(options)), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreContract, testing::ValuesIn(targets()), test_suffix);

}  // namespace prefixfs::contract

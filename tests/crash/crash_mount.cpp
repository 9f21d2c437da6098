// A whole file system on a cache directory and a real S3 endpoint, without a kernel: does the commands of its standard input one after another, says how each
// ended, and dies when it is told to. See README.md.
//
//   crash_mount endpoint=URL bucket=B prefix=P dir=D [commit=close|journal] [boot=ID] [kill_before=N | kill_after=N | fail=N]

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include "open_meta.h"
#include "prefixfs/http/engine.h"
#include "prefixfs/s3/client.h"
#include "prefixfs/sync/journalled_uploads.h"
#include "prefixfs/vfs/filesystem.h"
#include "support/fake_processes.h"
#include "support/faulty_store.h"

namespace prefixfs {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPartBytes = 5 << 20;
constexpr int kDrainRoundsMax = 200;

using Arguments = std::map<std::string, std::string>;

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    arguments[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return arguments;
}

int number(const Arguments& arguments, const std::string& name) {
  const auto found = arguments.find(name);
  return found == arguments.end() ? 0 : std::atoi(found->second.c_str());
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) {
    ::pause();
  }
}

/// `size` bytes that begin with their seed.
std::string pattern(const std::string& seed, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    text += seed + "|";
  }
  text.resize(size);
  return text;
}

/// One line on standard output, in one write.
void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    die();
  }
}

class CrashMount {
 public:
  explicit CrashMount(const Arguments& arguments) : arguments_(arguments) {}

  Result<void> start() {
    engine_ = http::make_curl_engine({});
    aws::Credentials keys;
    keys.access_key_id = "devs3";
    keys.secret_access_key = "devs3secret";
    keys.source = "crash test";
    credentials_ = aws::make_static_provider(keys);
    memory_ = s3::make_volatile_memory();
    s3::ClientOptions options{.bucket = arguments_.at("bucket"), .endpoint = arguments_.at("endpoint"), .region = "us-east-1"};
    client_ = s3::make_client(options, *engine_, *credentials_, clock_, *memory_, *log_);
    prefixed_ = s3::make_prefix_store(*client_, Prefix::from(arguments_.at("prefix")));
    store_ = std::make_unique<test::FaultyStore>(*prefixed_);
    arm_store();
    const std::string directory = arguments_.at("dir");
    TRY_ASSIGN(stage_, stage::StageDirectory::open(directory, 64 << 20, boot()));
    TRY_ASSIGN(meta_, meta::open_meta({.directory = directory, .source = "crash", .cache_map_bytes = 64 << 20, .journal_map_bytes = 16 << 20}, boot()));
    journalled_ = sync::make_journalled_uploads(*store_, *meta_.journal, clock_, *log_);
    sync::UploaderOptions upload;
    upload.limits.part_bytes = kPartBytes;
    uploader_ = std::make_unique<sync::Uploader>(*journalled_, uploaders_, upload, clock_, *log_);
    vfs::Settings settings;
    settings.journal_commits = settings.journal_removals = arguments_.at("commit") == "journal";
    settings.queue_in_outage = true;
    filesystem_ = std::make_unique<vfs::Filesystem>(
        settings, vfs::Surroundings{*journalled_, *store_, breaker_, *meta_.nodes, *meta_.journal, *stage_, *uploader_, fetchers_, processes_, clock_, random_, *log_});
    TRY(filesystem_->recover());
    filesystem_->end_reopening();
    return {};
  }

  /// In order, as at the end of a mount.
  void stop() {
    filesystem_->flush_all({});
    filesystem_.reset();
    uploader_.reset();
    journalled_.reset();
    meta_ = {};
    stage_.reset();
  }

  Result<void> act(std::istream& words) {
    std::string what;
    std::string path;
    words >> what >> path;
    if (what == "write") {
      return write(words, path, O_WRONLY | O_CREAT | O_TRUNC);
    }
    if (what == "append") {
      return write(words, path, O_WRONLY | O_CREAT | O_APPEND);
    }
    if (what == "patch") {
      return write(words, path, O_WRONLY);
    }
    if (what == "elsewhere") {
      return write_elsewhere(words, path);
    }
    if (what == "list") {
      TRY_ASSIGN(const vfs::Entry directory, find(path));
      return list(directory.attributes.id);
    }
    if (what == "drain") {
      return drain();
    }
    TRY_ASSIGN(const auto place, parent_of(path));
    const auto& [parent, name] = place;
    if (what == "unlink") {
      return filesystem_->unlink(parent, name, caller_);
    }
    if (what == "mkdir") {
      TRY(filesystem_->mkdir(parent, name, 0755, caller_));
      return {};
    }
    if (what == "rmdir") {
      return filesystem_->rmdir(parent, name, caller_);
    }
    if (what == "chmod") {
      TRY_ASSIGN(const vfs::Entry entry, find(path));
      vfs::SetAttributes changes;
      words >> std::oct >> changes.mode.emplace();
      TRY(filesystem_->setattr(entry.attributes.id, {}, changes, caller_));
      return {};
    }
    if (what == "rename") {
      std::string to;
      words >> to;
      TRY_ASSIGN(const auto target, parent_of(to));
      return filesystem_->rename(parent, name, target.first, target.second, 0, caller_);
    }
    return fail(Errc::invalid, "an unknown command: " + what);
  }

  std::string report() {
    return "owed " + std::to_string(filesystem_->owed().size());
  }

 private:
  std::string boot() const {
    const auto found = arguments_.find("boot");
    return found == arguments_.end() ? "boot-1" : found->second;
  }

  void arm_store() {
    if (const int at = number(arguments_, "fail")) {
      store_->add({.operation = "", .key = "", .skip = at - 1, .count = 1, .error = {Errc::unavailable, "the test fails this call", {}}});
    }
    store_->before_each([this, at = number(arguments_, "kill_before")](const test::FaultyStore::Call&) {
      if (++calls_ == at) {
        die();
      }
    });
    store_->after_each([this, at = number(arguments_, "kill_after")](const test::FaultyStore::Call&) {
      if (++answers_ == at) {
        die();
      }
    });
  }

  Result<vfs::Entry> find(const std::string& path) {
    vfs::Entry entry;
    entry.attributes = {.id = meta::kRootInode, .kind = meta::NodeKind::directory};
    std::istringstream parts(path == "." ? "" : path);
    for (std::string name; std::getline(parts, name, '/');) {
      TRY_ASSIGN(entry, filesystem_->lookup(entry.attributes.id, name, caller_));
    }
    return entry;
  }

  Result<std::pair<meta::InodeId, std::string>> parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    TRY_ASSIGN(const vfs::Entry parent, find(slash == std::string::npos ? "." : path.substr(0, slash)));
    return std::pair(parent.attributes.id, path.substr(slash == std::string::npos ? 0 : slash + 1));
  }

  Result<vfs::HandleId> open(const std::string& path, int flags) {
    const auto entry = find(path);
    if (entry) {
      TRY_ASSIGN(const vfs::Opened opened, filesystem_->open(entry->attributes.id, flags & ~O_CREAT, caller_));
      return opened.handle;
    }
    if (entry.error().code != Errc::not_found || (flags & O_CREAT) == 0) {
      return fail(entry.error());
    }
    TRY_ASSIGN(const auto place, parent_of(path));
    TRY_ASSIGN(const vfs::Created created, filesystem_->create(place.first, place.second, 0644, flags, caller_));
    return created.opened.handle;
  }

  Result<void> write(std::istream& words, const std::string& path, int flags) {
    std::uint64_t offset = 0;
    std::string seed;
    std::size_t size = 0;
    words >> offset >> seed >> size;
    TRY_ASSIGN(const vfs::HandleId handle, open(path, flags));
    const std::string text = pattern(seed, size);
    auto done = write_all(handle, offset, text, (flags & O_APPEND) != 0);
    auto closed = filesystem_->flush(handle, caller_);
    filesystem_->release(handle);
    return done ? closed : done;
  }

  /// Another client; its call is not counted.
  Result<void> write_elsewhere(std::istream& words, const std::string& path) {
    std::string seed;
    std::size_t size = 0;
    words >> seed >> size;
    const std::string text = pattern(seed, size);
    TRY(prefixed_->put(Key(path), SpanSource(std::as_bytes(std::span(text))), {}, s3::WriteCondition::none(), {}));
    return {};
  }

  Result<void> write_all(vfs::HandleId handle, std::uint64_t offset, const std::string& text, bool append) {
    constexpr std::size_t kOnce = 1 << 20;
    for (std::size_t at = 0; at < text.size(); at += kOnce) {
      const auto part = std::as_bytes(std::span(text)).subspan(at, std::min(kOnce, text.size() - at));
      TRY(filesystem_->write(handle, append ? std::nullopt : std::optional(offset + at), part, caller_));
    }
    return {};
  }

  Result<void> list(meta::InodeId directory) {
    TRY_ASSIGN(const vfs::HandleId handle, filesystem_->opendir(directory, caller_));
    auto done = filesystem_->readdir(handle, 0, [](const vfs::DirectoryEntry&) { return true; }, caller_);
    filesystem_->releasedir(handle);
    return done;
  }

  /// A pause after a failed call is not waited for.
  Result<void> drain() {
    for (int round = 0; round < kDrainRoundsMax; ++round) {
      auto done = filesystem_->drain(true, {std::chrono::steady_clock::now() + 50ms, {}});
      if (done || done.error().code != Errc::timeout) {
        return done;
      }
      filesystem_->resume();
    }
    return fail(Errc::timeout, "not delivered");
  }

  const Arguments& arguments_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Log> log_ = std::getenv("CRASH_LOG_LEVEL") ? make_log(LogTarget::stderr_stream, LogLevel::info) : make_null_log();
  std::atomic<int> calls_ = 0;
  std::atomic<int> answers_ = 0;
  std::unique_ptr<http::Engine> engine_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<s3::EndpointMemory> memory_;
  std::unique_ptr<s3::ObjectStore> client_;
  std::unique_ptr<s3::ObjectStore> prefixed_;
  std::unique_ptr<test::FaultyStore> store_;
  s3::Breaker breaker_{clock_, *log_};
  test::FakeProcesses processes_;
  WorkerPool fetchers_{"fetch", 2};
  WorkerPool uploaders_{"upload", 2};
  std::unique_ptr<stage::StageDirectory> stage_;
  meta::MetaStore meta_;
  std::unique_ptr<s3::ObjectStore> journalled_;
  std::unique_ptr<sync::Uploader> uploader_;
  std::unique_ptr<vfs::Filesystem> filesystem_;
  vfs::Caller caller_{.uid = 1000, .gid = 1000, .context = {}};
};

int run(const Arguments& arguments) {
  CrashMount mount(arguments);
  if (const auto started = mount.start(); !started) {
    say("refused " + describe(started.error()));
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    const auto done = mount.act(words);
    say(done ? "ok" : "error " + describe(done.error()));
  }
  say(mount.report());
  mount.stop();
  say("end");
  return 0;
}

}  // namespace
}  // namespace prefixfs

int main(int count, char** words) { return prefixfs::run(prefixfs::parse(count, words)); }

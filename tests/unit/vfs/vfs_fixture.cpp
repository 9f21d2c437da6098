#include "vfs_fixture.h"

#include <fstream>
#include <sstream>

namespace prefixfs::vfs {

Mount::Mount(const MountSettings& given) : given_(given) { start(); }

Mount::~Mount() { stop(); }

void Mount::restart() {
  stop();
  start();
}

void Mount::remember_state() {
  std::filesystem::remove_all(remembered());
  std::filesystem::copy(directory_.path() / "state", remembered(), std::filesystem::copy_options::recursive);
}

void Mount::die_there() {
  stop();
  std::filesystem::remove_all(directory_.path() / "state");
  std::filesystem::rename(remembered(), directory_.path() / "state");
  start();
}

void Mount::die() {
  remember_state();
  die_there();
}

void Mount::restart_without_cache() {
  stop();
  std::filesystem::remove_all(directory_.path() / "state" / "cache");
  start();
}

std::vector<std::string> Mount::requests() {
  std::vector<std::string> lines;
  for (const auto& call : store.calls()) {
    lines.push_back(call.operation + " " + call.key);
  }
  store.forget_calls();
  return lines;
}

Result<Entry> Mount::lookup(std::string_view path) {
  Entry entry;
  entry.attributes = {.id = meta::kRootInode, .kind = NodeKind::directory};
  std::istringstream parts{std::string(path)};
  for (std::string name; std::getline(parts, name, '/');) {
    TRY_ASSIGN(entry, fs().lookup(entry.attributes.id, name, caller_));
  }
  return entry;
}

InodeId Mount::id(std::string_view path) {
  const auto entry = lookup(path);
  EXPECT_TRUE(entry) << path << ": " << (entry ? "" : describe(entry.error()));
  return entry ? entry->attributes.id : 0;
}

Result<HandleId> Mount::open(std::string_view path, int flags) {
  auto opened = open_once(path, flags);
  return !opened && opened.error().code == Errc::stale ? open_once(path, flags) : std::move(opened);
}

Result<HandleId> Mount::open_once(std::string_view path, int flags) {
  TRY_ASSIGN(const Entry entry, lookup(path));
  TRY_ASSIGN(const Opened opened, fs().open(entry.attributes.id, flags, caller_));
  return remember(opened.handle, flags);
}

Result<HandleId> Mount::create(InodeId parent, std::string_view name, int flags, std::uint32_t mode) {
  TRY_ASSIGN(const Created created, fs().create(parent, name, mode, flags | O_CREAT, caller_));
  return remember(created.opened.handle, flags);
}

Result<void> Mount::write(HandleId handle, std::uint64_t offset, std::string_view text) {
  TRY_ASSIGN(const std::size_t written, fs().write(handle, appends(handle) ? std::nullopt : std::optional(offset), bytes_of(text), caller_));
  EXPECT_EQ(written, text.size());
  return {};
}

Result<std::string> Mount::read(HandleId handle, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  TRY_ASSIGN(const std::size_t got, fs().read(handle, offset, std::as_writable_bytes(std::span(text.data(), size)), caller_));
  text.resize(got);
  return text;
}

Result<void> Mount::close(HandleId handle) {
  const auto flushed = fs().flush(handle, caller_);
  fs().release(handle);
  return flushed;
}

Result<std::string> Mount::read_file(std::string_view path) {
  TRY_ASSIGN(const HandleId handle, open(path, O_RDONLY));
  auto text = read(handle);
  TRY(close(handle));
  return text;
}

Result<void> Mount::create_file(InodeId parent, std::string_view name, std::string_view text, int flags) {
  TRY_ASSIGN(const HandleId handle, create(parent, name, flags));
  const auto written = write(handle, 0, text);
  const auto closed = close(handle);
  return written ? closed : written;
}

Result<void> Mount::change_file(std::string_view path, int flags, std::uint64_t offset, std::string_view text) {
  TRY_ASSIGN(const HandleId handle, open(path, flags));
  const auto written = write(handle, offset, text);
  const auto closed = close(handle);
  return written ? closed : written;
}

Result<std::vector<std::string>> Mount::names(InodeId directory, std::size_t batch) {
  TRY_ASSIGN(const HandleId handle, fs().opendir(directory, caller_));
  std::vector<std::string> all;
  std::uint64_t position = 0;
  for (bool more = true; more;) {
    std::size_t given = 0;
    const auto outcome = fs().readdir(handle, position, [&](const DirectoryEntry& entry) {
      if (given == batch) {
        return false;
      }
      ++given;
      position = entry.position;
      if (entry.name != "." && entry.name != "..") {
        all.push_back(entry.name);
      }
      return true;
    }, caller_);
    if (!outcome) {
      fs().releasedir(handle);
      return fail(outcome.error());
    }
    more = given > 0;
  }
  fs().releasedir(handle);
  return all;
}

std::vector<std::string> Mount::kept() const {
  std::vector<std::string> texts;
  for (const auto& name : kept_names()) {
    std::ifstream file(directory_.path() / "state" / "kept" / name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

std::vector<std::string> Mount::kept_names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "state" / "kept")) {
    if (entry.path().extension() != ".why") {
      names.push_back(entry.path().filename());
    }
  }
  std::ranges::sort(names);
  return names;
}

std::size_t Mount::staged_files() const {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "state" / "stage")) {
    count += entry.file_size() > 0 ? 1 : 0;
  }
  return count;
}

void Mount::start() {
  const std::string state = directory_.file("state");
  auto stage = stage::StageDirectory::open(state, given_.stage_bytes, "boot");
  ASSERT_TRUE(stage) << describe(stage.error());
  stage_ = std::move(*stage);
  auto meta = meta::open_meta({.directory = state, .source = "test", .cache_map_bytes = 256 << 20, .journal_map_bytes = 16 << 20}, clock);
  ASSERT_TRUE(meta) << describe(meta.error());
  meta_ = std::move(*meta);
  fetchers_ = std::make_unique<WorkerPool>("fetch", 4);
  uploaders_ = std::make_unique<WorkerPool>("upload", 4);
  journal_ = wrap_journal ? wrap_journal(*meta_.journal) : nullptr;
  meta::Journal& journal = journal_ ? *journal_ : *meta_.journal;
  journalled_ = sync::make_journalled_uploads(store, journal, clock, *log_);
  uploader_ = std::make_unique<sync::Uploader>(*journalled_, *uploaders_, given_.upload, clock, *log_);
  if (given_.locks) {
    locks_ = std::make_unique<locks::Locks>(locks::Options(), *journalled_, clock, random_, *log_);
  }
  filesystem_ = std::make_unique<Filesystem>(
      given_.settings, Surroundings{*journalled_, store, breaker, *meta_.nodes, journal, *stage_, *uploader_, *fetchers_, processes, clock, random_, *log_,
                                    locks_.get()});
  EXPECT_TRUE(filesystem_->recover());
  if (reopen) {
    reopen();
  }
  filesystem_->end_reopening();
}

void Mount::stop() {
  filesystem_.reset();
  locks_.reset();
  uploader_.reset();
  uploaders_.reset();
  fetchers_.reset();
  journalled_.reset();
  journal_.reset();
  meta_ = {};
  stage_.reset();
}

HandleId Mount::remember(HandleId handle, int flags) {
  const std::lock_guard lock(flags_mutex_);
  flags_[handle] = flags;
  return handle;
}

bool Mount::appends(HandleId handle) {
  const std::lock_guard lock(flags_mutex_);
  return (flags_[handle] & O_APPEND) != 0;
}

}  // namespace prefixfs::vfs

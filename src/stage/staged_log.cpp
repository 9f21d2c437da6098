#include "staged_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>

#include "local_file.h"

namespace prefixfs::stage {

namespace {

constexpr std::string_view kMagic = "prefixfs open 1\n";
constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kNoteBytesMax = 64 << 10;

}  // namespace

void StagedLog::append_record(std::string& text, Change change, ByteRange range, std::uint64_t request) {
  const Record record{static_cast<std::uint64_t>(change), range.begin, range.end, request};
  text.append(reinterpret_cast<const char*>(&record), sizeof record);
}

Result<StagedLog> StagedLog::begin(const std::filesystem::path& path, const std::string& boot_id, const FormerFile& file, SpareFiles& spares) {
  const FileState& state = file.state;
  std::string text = std::string(kMagic) + boot_id + "\n";
  // The state before as changes: first what is clean, then what is not.
  append_record(text, Change::resized, {state.base_size, 0});
  append_record(text, Change::cleaned, {0, 0});
  append_record(text, Change::voided, {0, kEnd});
  for (const ByteRange& range : state.valid) {
    append_record(text, Change::filled, range);
  }
  for (const ByteRange& range : state.dirty) {
    append_record(text, Change::written, range);
  }
  append_record(text, Change::resized, {state.size, 0});
  append_record(text, Change::written, {0, 0}, file.last_request);  // of the last request only the number is needed
  append_record(text, Change::noted, {file.note.size(), 0});
  text += file.note;

  // A log of the same file may be there; it is right until this one, which is whole, takes its name.
  TRY_ASSIGN(SpareFiles::File spare, spares.take());
  if (write_all(spare.fd.get(), 0, std::as_bytes(std::span(text))).error_number != 0 || ::rename(spare.path.c_str(), path.c_str()) != 0) {
    spares.give(std::move(spare));
    return fail(Errc::no_space, "cannot write to " + path.native());
  }
  StagedLog log(path, std::move(spare.fd));
  log.end_ = text.size();
  return log;
}

bool StagedLog::add(Change change, ByteRange range, std::uint64_t request) {
  // One write after another becomes one record.
  const bool goes_on = change == Change::written && last_ && last_->end == range.begin;
  Record record{static_cast<std::uint64_t>(change), range.begin, range.end, request};
  if (goes_on) {
    record.begin = last_->begin;
  }
  const std::uint64_t at = goes_on ? end_ - sizeof record : end_;
  if (write_all(fd_.get(), at, std::as_bytes(std::span(&record, 1))).error_number != 0) {
    return false;
  }
  end_ = at + sizeof record;
  last_ = change == Change::written ? std::optional(record) : std::nullopt;
  return true;
}

bool StagedLog::add_note(const std::string& note) {
  std::string text;
  append_record(text, Change::noted, {note.size(), 0});
  text += note;
  if (write_all(fd_.get(), end_, std::as_bytes(std::span(text))).error_number != 0) {
    return false;
  }
  end_ += text.size();
  last_.reset();
  return true;
}

bool StagedLog::apply(const Record& record, FormerFile& file, RangeSet& valid, RangeSet& dirty) {
  const ByteRange range{record.begin, record.end};
  FileState& state = file.state;
  switch (static_cast<Change>(record.change)) {
    case Change::written:
      valid.add(range);
      dirty.add(range);
      state.size = std::max(state.size, range.end);
      file.last_request = record.request != 0 ? record.request : file.last_request;
      return range.begin <= range.end;
    case Change::filled:
      valid.add(range);
      return range.begin <= range.end;
    case Change::voided:
      valid.remove(range);
      dirty.remove(range);
      return true;
    case Change::resized:
      if (record.begin < state.size) {
        valid.remove({record.begin, kEnd});
        dirty.remove({record.begin, kEnd});
        state.base_size = std::min(state.base_size, record.begin);
      } else {
        valid.add({state.size, record.begin});
        dirty.add({state.size, record.begin});
      }
      state.size = record.begin;
      return true;
    case Change::cleaned:
      dirty.clear();
      state.base_size = state.size;
      return true;
    case Change::noted:
      return true;
  }
  return false;
}

std::optional<FormerFile> StagedLog::read(const std::filesystem::path& path, const std::string& boot_id) {
  std::ifstream in(path, std::ios::binary);
  std::string magic(kMagic.size(), '\0');
  std::string boot;
  if (!in.read(magic.data(), static_cast<std::streamsize>(magic.size())) || magic != kMagic || !std::getline(in, boot) || boot != boot_id) {
    return std::nullopt;
  }
  FormerFile file;
  file.state.name = path.filename();
  RangeSet valid;
  RangeSet dirty;
  bool noted = false;
  for (Record record; in.read(reinterpret_cast<char*>(&record), sizeof record) && apply(record, file, valid, dirty);) {
    if (static_cast<Change>(record.change) == Change::noted) {
      std::string note(std::min(record.begin, kNoteBytesMax), '\0');
      if (record.begin > kNoteBytesMax || !in.read(note.data(), static_cast<std::streamsize>(note.size()))) {
        break;
      }
      file.note = std::move(note);
      noted = true;
    }
  }
  file.state.valid = valid.all();
  file.state.dirty = dirty.all();
  return noted ? std::optional(std::move(file)) : std::nullopt;
}

}  // namespace prefixfs::stage

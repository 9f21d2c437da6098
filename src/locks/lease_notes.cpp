#include "lease_notes.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lease_object.h"
#include "prefixfs/base/environment.h"
#include "prefixfs/base/fields.h"

namespace prefixfs::locks {
namespace {

namespace fs = std::filesystem;

std::string text_of(const LeaseNote& note) {
  std::string inodes;
  for (const std::uint64_t inode : note.inodes) {
    inodes += fmt::format("{} ", inode);
  }
  return Fields{{"held", text_of(LeaseTable{.file = note.file.str(), .hosts = {note.held}})},
                {"inodes", inodes},
                {"renewed", std::to_string(note.renewed.time_since_epoch().count())}}
      .text();
}

std::optional<LeaseNote> parse(const std::string& text) {
  const auto fields = Fields::parse(text);
  const auto table = fields ? parse_lease_table(fields->get("held")) : Result<LeaseTable>(fail(Errc::invalid, "not a note"));
  if (!table || table->hosts.size() != 1) {
    return std::nullopt;
  }
  LeaseNote note{.file = Key(table->file), .held = table->hosts.front(), .inodes = {}};
  note.renewed = SteadyTime(SteadyTime::duration(static_cast<SteadyTime::rep>(fields->number("renewed"))));
  std::istringstream inodes(fields->get("inodes"));
  for (std::uint64_t inode = 0; inodes >> inode;) {
    note.inodes.push_back(inode);
  }
  return note;
}

}  // namespace

LeaseNotes::LeaseNotes(std::string directory, Log& log) : directory_(std::move(directory)), log_(log) {
  std::error_code problem;
  if (!directory_.empty() && !fs::create_directories(directory_, problem) && problem) {
    log_.warn("locks that are held cannot be noted in {}: {}", directory_, problem.message());
  }
}

std::string LeaseNotes::path_of(const Key& file) const {
  return (fs::path(directory_) / fs::path(object_of(file).str()).filename()).string();
}

void LeaseNotes::write(const LeaseNote& note) {
  if (directory_.empty()) {
    return;
  }
  const std::string path = path_of(note.file);
  const std::string fresh = path + ".new";
  std::ofstream(fresh, std::ios::trunc | std::ios::binary) << text_of(note);
  std::error_code problem;
  fs::rename(fresh, path, problem);
  if (problem) {
    log_.warn("the locks of {} are not noted, and end with this process: {}", note.file.str(), problem.message());
  }
}

void LeaseNotes::remove(const Key& file) {
  std::error_code ignored;
  if (!directory_.empty()) {
    fs::remove(path_of(file), ignored);
  }
}

std::vector<LeaseNote> LeaseNotes::all() {
  std::vector<LeaseNote> notes;
  std::vector<fs::path> unreadable;
  std::error_code problem;
  for (fs::directory_iterator at(directory_, problem), end; !problem && at != end; at.increment(problem)) {
    const auto text = SystemFileReader().read(at->path().string());
    auto note = text ? parse(*text) : std::nullopt;
    if (note) {
      notes.push_back(std::move(*note));
    } else {
      unreadable.push_back(at->path());
    }
  }
  for (const fs::path& path : unreadable) {
    fs::remove(path, problem);
  }
  return notes;
}

}  // namespace prefixfs::locks

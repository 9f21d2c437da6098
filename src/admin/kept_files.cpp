#include "kept_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "prefixfs/base/environment.h"
#include "prefixfs/base/fields.h"
#include "prefixfs/base/time_format.h"

namespace prefixfs::admin {
namespace {

constexpr std::string_view kNote = ".why";

Result<std::set<std::string>> names_in(const std::string& directory) {
  std::set<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    names.insert(entry->path().filename());
  }
  if (error) {
    const Errc code = error == std::errc::no_such_file_or_directory ? Errc::not_found
                      : error == std::errc::permission_denied       ? Errc::denied
                                                                    : Errc::io;
    return fail(code, fmt::format("{} cannot be read: {}", directory, error.message()));
  }
  return names;
}

/// A note without its file is a file of that name, which a program may have written.
bool is_note(const std::string& name, const std::set<std::string>& names) {
  return name.ends_with(kNote) && names.contains(name.substr(0, name.size() - kNote.size()));
}

KeptFile describe_kept(const std::string& directory, const std::string& name) {
  KeptFile file{.id = name, .path = directory + "/" + name};
  std::error_code error;
  const auto size = std::filesystem::file_size(file.path, error);
  file.bytes = error ? 0 : size;
  file.time = parse_iso8601_basic(name.substr(0, name.find('-'))).value_or(WallTime{});
  const auto text = SystemFileReader().read(file.path + std::string(kNote));
  const auto note = text ? Fields::parse(*text) : Result<Fields>(Fields());  // versions before this one wrote none
  if (note) {
    file.key = note->get("key");
    file.reason = note->get("reason");
    file.version = note->get("version");
    file.incomplete = note->get("incomplete") == "1";
  }
  return file;
}

}  // namespace

Result<std::vector<KeptFile>> list_kept(const std::string& cache_dir) {
  const std::string directory = cache_dir + "/kept";
  TRY_ASSIGN(const std::set<std::string> names, names_in(directory));
  std::vector<KeptFile> files;
  for (const std::string& name : names) {
    if (!is_note(name, names)) {
      files.push_back(describe_kept(directory, name));
    }
  }
  std::ranges::stable_sort(files, {}, &KeptFile::time);
  return files;
}

Result<KeptFile> find_kept(const std::string& cache_dir, const std::string& id) {
  TRY_ASSIGN(const std::vector<KeptFile> files, list_kept(cache_dir));
  const KeptFile* found = nullptr;
  for (const KeptFile& file : files) {
    if (file.id == id) {
      return file;
    }
    if (!id.empty() && file.id.starts_with(id)) {
      if (found != nullptr) {
        return fail(Errc::invalid, fmt::format("more than one file in kept/ begins with {}", id));
      }
      found = &file;
    }
  }
  return found != nullptr ? Result<KeptFile>(*found) : fail(Errc::not_found, fmt::format("there is no {} in {}/kept", id, cache_dir));
}

Result<void> remove_kept(const KeptFile& file) {
  if (::unlink(file.path.c_str()) != 0) {
    return fail(Errc::io, fmt::format("cannot remove {}: {}", file.path, std::generic_category().message(errno)));
  }
  ::unlink((file.path + std::string(kNote)).c_str());
  return {};
}

}  // namespace prefixfs::admin

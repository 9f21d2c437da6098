#include "shared_files.h"

#include <fmt/format.h>

namespace prefixfs::aws {
namespace {

/// Empty where there is neither the variable nor a home.
std::string file_path(const Environment& environment, std::string_view variable, std::string_view default_name) {
  const std::optional<std::string> home = environment.get("HOME");
  const std::optional<std::string> given = environment.get(variable);
  if (!given) {
    return home ? fmt::format("{}/.aws/{}", *home, default_name) : "";
  }
  if (home && (*given == "~" || given->starts_with("~/"))) {
    return *home + given->substr(1);
  }
  return *given;
}

Result<IniFile> read_file(const FileReader& files, const std::string& path) {
  if (path.empty()) {
    return IniFile{};
  }
  auto text = files.read(path);
  if (!text) {
    return text.error().code == Errc::not_found ? Result<IniFile>(IniFile{}) : fail(std::move(text.error()));
  }
  return parse_ini(*text, path);
}

std::optional<IniFile::Properties> find(const IniFile& file, const std::string& section) {
  const auto found = file.sections.find(section);
  return found == file.sections.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

ProfileChoice choose_profile(const Environment& environment, const std::string& option) {
  if (!option.empty()) {
    return {option, true};
  }
  const std::optional<std::string> variable = environment.get("AWS_PROFILE");
  return variable ? ProfileChoice{*variable, true} : ProfileChoice{};
}

Result<SharedFiles> SharedFiles::read(const Environment& environment, const FileReader& files) {
  SharedFiles result;
  result.credentials_path_ = file_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  result.config_path_ = file_path(environment, "AWS_CONFIG_FILE", "config");
  TRY_ASSIGN(result.credentials_, read_file(files, result.credentials_path_));
  TRY_ASSIGN(result.config_, read_file(files, result.config_path_));
  return result;
}

std::optional<IniFile::Properties> SharedFiles::profile(const std::string& name) const {
  std::optional<IniFile::Properties> merged = find(credentials_, name);
  std::optional<IniFile::Properties> config = find(config_, "profile " + name);
  if (!config && name == "default") {
    config = find(config_, "default");  // the one profile that needs no "profile" before its name
  }
  if (!merged || !config) {
    return merged ? merged : config;
  }
  merged->insert(config->begin(), config->end());
  return merged;
}

std::optional<IniFile::Properties> SharedFiles::services(const std::string& name) const { return find(config_, "services " + name); }

std::string SharedFiles::places() const {
  if (credentials_path_.empty() && config_path_.empty()) {
    return "any file, as HOME is not set";
  }
  if (credentials_path_.empty() || config_path_.empty()) {
    return credentials_path_ + config_path_;
  }
  return fmt::format("{} or {}", credentials_path_, config_path_);
}

std::string missing_profile(const ProfileChoice& choice, const SharedFiles& files) {
  return fmt::format("profile \"{}\" is not in {}; check the profile option or AWS_PROFILE", choice.name, files.places());
}

std::string value_of(const IniFile::Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? "" : found->second;
}

}  // namespace prefixfs::aws

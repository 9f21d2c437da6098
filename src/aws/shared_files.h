#pragma once

#include <optional>
#include <string>

#include "ini_file.h"
#include "prefixfs/base/environment.h"

namespace prefixfs::aws {

/// Which profile counts, and whether somebody asked for it by name.
struct ProfileChoice {
  std::string name = "default";
  bool by_name = false;
};
/// The mount option, AWS_PROFILE, "default", in this order.
ProfileChoice choose_profile(const Environment& environment, const std::string& option);

/// ~/.aws/credentials and ~/.aws/config, or what AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name.
class SharedFiles {
 public:
  /// A file that is not there is an empty one. Errors: invalid (the sentence names file and line), denied, too_large, io.
  static Result<SharedFiles> read(const Environment& environment, const FileReader& files);

  /// The settings of a profile from both files; those of the credentials file win. Nothing where no file has it.
  std::optional<IniFile::Properties> profile(const std::string& name) const;
  /// The section [services NAME] of the config file.
  std::optional<IniFile::Properties> services(const std::string& name) const;
  /// "/home/u/.aws/credentials or /home/u/.aws/config", for sentences.
  std::string places() const;

 private:
  std::string credentials_path_;
  std::string config_path_;
  IniFile credentials_;
  IniFile config_;
};

/// The sentence for a profile that was asked for by name and is nowhere.
std::string missing_profile(const ProfileChoice& choice, const SharedFiles& files);

/// The value, or empty where there is none.
std::string value_of(const IniFile::Properties& properties, const std::string& name);

}  // namespace prefixfs::aws

#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "prefixfs/base/environment.h"

namespace prefixfs::test {

/// The variables that the test says, and no others. Thread-safe.
class FakeEnvironment final : public Environment {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;

  FakeEnvironment() = default;
  FakeEnvironment(std::initializer_list<Variables::value_type> variables) : variables_(variables) {}
  explicit FakeEnvironment(Variables variables) : variables_(std::move(variables)) {}

  std::optional<std::string> get(std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = variables_.find(name);
    if (found == variables_.end() || found->second.empty()) {
      return std::nullopt;
    }
    return found->second;
  }
  void set(std::string name, std::string value) {
    const std::lock_guard lock(mutex_);
    variables_.insert_or_assign(std::move(name), std::move(value));
  }
  void unset(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (const auto found = variables_.find(name); found != variables_.end()) {
      variables_.erase(found);
    }
  }

 private:
  mutable std::mutex mutex_;
  Variables variables_;
};

/// Files in memory, path to content; every other path is not_found. Thread-safe.
class FakeFileReader final : public FileReader {
 public:
  using Files = std::map<std::string, std::string, std::less<>>;

  FakeFileReader() = default;
  FakeFileReader(std::initializer_list<Files::value_type> files) : files_(files) {}
  explicit FakeFileReader(Files files) : files_(std::move(files)) {}

  Result<std::string> read(const std::string& path) const override {
    const std::lock_guard lock(mutex_);
    if (const auto error = errors_.find(path); error != errors_.end()) {
      return fail(error->second, "cannot read " + path);
    }
    const auto found = files_.find(path);
    if (found == files_.end()) {
      return fail(Errc::not_found, "cannot read " + path + ": no such file");
    }
    return found->second;
  }
  void set(std::string path, std::string content) {
    const std::lock_guard lock(mutex_);
    errors_.erase(path);
    files_.insert_or_assign(std::move(path), std::move(content));
  }
  void remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    errors_.erase(path);
    files_.erase(path);
  }
  /// Reading `path` fails with `code` from now on.
  void set_error(std::string path, Errc code) {
    const std::lock_guard lock(mutex_);
    errors_.insert_or_assign(std::move(path), code);
  }

 private:
  mutable std::mutex mutex_;
  Files files_;
  std::map<std::string, Errc, std::less<>> errors_;
};

}  // namespace prefixfs::test

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace prefixfs::test {

/// The bytes of the worked example `tag` in FORMAT.md.
inline std::string example(const std::string& tag) {
  std::ifstream in((std::filesystem::path(TEST_DATA_DIR) / "../../src/meta/FORMAT.md").lexically_normal());
  EXPECT_TRUE(in);
  std::string bytes;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```" + tag;
      continue;
    }
    std::istringstream words(line);
    for (std::string word; inside && words >> word;) {
      bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  EXPECT_FALSE(bytes.empty()) << tag;
  return bytes;
}

}  // namespace prefixfs::test

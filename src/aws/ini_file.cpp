#include "ini_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::aws {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

bool is_blank(char c) { return kBlanks.contains(c); }
bool is_comment_mark(char c) { return c == '#' || c == ';'; }

/// A comment within a line begins with a mark after a blank: secrets and URLs may hold marks.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (is_comment_mark(line[i]) && is_blank(line[i - 1])) {
      return line.substr(0, i);
    }
  }
  return line;
}

/// "profile \t \"two words\"" becomes "profile two words".
std::string section_name(std::string_view inside) {
  std::string name;
  for (const char c : trim(inside)) {
    if (c == '"' || c == '\'') {
      continue;
    }
    if (!is_blank(c)) {
      name += c;
    } else if (!name.ends_with(' ')) {
      name += ' ';
    }
  }
  return name;
}

class Parser {
 public:
  explicit Parser(const std::string& path) : path_(path) {}

  Result<void> line(std::string_view text) {
    ++line_number_;
    const std::string_view content = trim(text);
    if (content.empty() || is_comment_mark(content.front())) {
      return {};
    }
    if (content.front() == '[' && !is_blank(text.front())) {
      return section(content);
    }
    if (properties_ == nullptr) {
      return error("a setting stands before the first [section]");
    }
    return is_blank(text.front()) && !last_name_.empty() ? indented(content) : property(content);
  }

  IniFile take() { return std::move(file_); }

 private:
  std::unexpected<Error> error(std::string_view what) const {
    return fail(Errc::invalid, fmt::format("{}:{}: {}", path_, line_number_, what));
  }

  Result<void> section(std::string_view content) {
    const std::size_t end = content.find(']');
    if (end == std::string_view::npos) {
      return error("the section has no closing bracket");
    }
    const std::string_view rest = trim(content.substr(end + 1));
    if (!rest.empty() && !is_comment_mark(rest.front())) {
      return error("something follows the closing bracket");
    }
    const std::string name = section_name(content.substr(1, end - 1));
    if (name.empty()) {
      return error("the section has no name");
    }
    properties_ = &file_.sections[name];
    last_name_.clear();
    return {};
  }

  Result<void> property(std::string_view content) {
    const std::size_t equals = content.find('=');
    const std::string name = lower(trim(content.substr(0, equals)));
    if (equals == std::string_view::npos || name.empty()) {
      return error("neither a [section] nor \"name = value\"");
    }
    (*properties_)[name] = std::string(trim(without_comment(content.substr(equals + 1))));
    last_name_ = name;
    return {};
  }

  /// Below an empty value: a nested setting. Below a value: its continuation.
  Result<void> indented(std::string_view content) {
    std::string& value = (*properties_)[last_name_];
    if (!value.empty()) {
      value += '\n';
      value += content;
      return {};
    }
    const std::size_t equals = content.find('=');
    const std::string name = lower(trim(content.substr(0, equals)));
    if (equals == std::string_view::npos || name.empty()) {
      return error("a nested setting must be \"name = value\"");
    }
    (*properties_)[last_name_ + "." + name] = std::string(trim(without_comment(content.substr(equals + 1))));
    return {};
  }

  const std::string& path_;
  int line_number_ = 0;
  IniFile file_;
  IniFile::Properties* properties_ = nullptr;
  std::string last_name_;
};

}  // namespace

Result<IniFile> parse_ini(std::string_view text, const std::string& path) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Parser parser(path);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    TRY(parser.line(line));
  }
  return parser.take();
}

}  // namespace prefixfs::aws

#pragma once
// Short forms of ObjectStore calls for tests.

#include <string>
#include <string_view>

#include "prefixfs/s3/object_store.h"

namespace prefixfs::test {

/// Collects a body; a retry starts it anew.
class StringSink final : public s3::GetSink {
 public:
  Result<void> begin(const s3::GetAnswer& answer) override {
    ++begun;
    first = answer;
    text.clear();
    return {};
  }
  Result<void> accept(std::span<const std::byte> data) override {
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  }

  std::string text;
  s3::GetAnswer first;  ///< what begin() was told
  int begun = 0;
};

/// A body that owns its text.
class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    text_.copy(reinterpret_cast<char*>(out.data()), out.size(), offset);
    return {};
  }

 private:
  std::string text_;
};

inline Result<s3::PutAnswer> put_text(s3::ObjectStore& store, const Key& key, std::string_view text,
                                      const s3::WriteCondition& condition = s3::WriteCondition::none(),
                                      const s3::ObjectHeaders& headers = {}) {
  return store.put(key, TextSource(std::string(text)), headers, condition, {});
}

inline Result<std::string> get_text(s3::ObjectStore& store, const Key& key, const s3::GetOptions& options = {}) {
  StringSink sink;
  TRY(store.get(key, options, sink, {}));
  return sink.text;
}

/// "" for success, otherwise the code's name: reads well in EXPECT_EQ.
template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : std::string(to_string(result.error().code));
}

/// The whole sentence, for messages.
template <class T>
std::string why(const Result<T>& result) {
  return result ? "success" : describe(result.error());
}

}  // namespace prefixfs::test

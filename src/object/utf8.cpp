#include <cstddef>
#include <string_view>

#include "prefixfs/object/key.h"

namespace prefixfs {
namespace {

struct Sequence {
  std::size_t length;          // bytes; 0: cannot begin a character
  unsigned char second_min;    // the range of the second byte keeps out overlong forms, surrogates and what is past U+10FFFF
  unsigned char second_max;
};

// RFC 3629, section 4, as a table.
constexpr Sequence sequence_of(unsigned char first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xc2) return {0, 0, 0};
  if (first < 0xe0) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

bool is_character(std::string_view bytes, Sequence sequence) {
  if (sequence.length == 1) {
    return true;
  }
  const auto second = static_cast<unsigned char>(bytes[1]);
  if (second < sequence.second_min || second > sequence.second_max) {
    return false;
  }
  for (const char byte : bytes.substr(2)) {
    if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Sequence sequence = sequence_of(static_cast<unsigned char>(text.front()));
    if (sequence.length == 0 || sequence.length > text.size() || !is_character(text.substr(0, sequence.length), sequence)) {
      return false;
    }
    text.remove_prefix(sequence.length);
  }
  return true;
}

}  // namespace prefixfs

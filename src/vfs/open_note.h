#pragma once
// What must be known of an open file that is changed, so that another process can go on with it: kept with its staged file.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "open_file.h"

namespace prefixfs::vfs {

struct OpenNote {
  meta::Node node;
  bool exclusive = false;
  bool presumed_new = false;
  bool overwrites = false;
  bool unstored = false;
  bool attributes_changed = false;
  bool explicit_mtime = false;
  bool unlinked = false;
  bool appends = false;  ///< as OpenFile has it when the note is made: later writes do not make another one
  std::vector<pid_t> users;  ///< as OpenFile has them: a close by another process is not the end of the file
};

std::string encode_note(const OpenNote& note);
/// Nothing when it is not what encode_note() gives.
std::optional<OpenNote> decode_note(const std::string& text);

OpenNote note_of_locked(const OpenFile& file);
/// The file goes on as the note says, with these bytes.
void restore_from_note(OpenFile& file, const OpenNote& note, std::shared_ptr<Content> content);
/// Writes the note down where programs would lose something without it, and ends that where they would not. Called with file.mutex held.
void note_locked(OpenFile& file);

}  // namespace prefixfs::vfs

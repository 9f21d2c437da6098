#pragma once
// The records of a bucket's index: one JSON object per line. {"put":...} {"delete":key} {"upload":...} {"part":...,"id":...} {"end":id}

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "object.h"

namespace prefixfs::devs3 {

struct PutRecord {
  Object object;
};
struct DeleteRecord {
  std::string key;
};
struct UploadRecord {
  Upload upload;  ///< without parts
};
struct PartRecord {
  std::string upload_id;
  Part part;
};
struct EndRecord {
  std::string upload_id;  ///< completed or aborted
};
using Record = std::variant<PutRecord, DeleteRecord, UploadRecord, PartRecord, EndRecord>;

std::string put_line(const Object& object);
std::string delete_line(std::string_view key);
std::string upload_line(const Upload& upload);
std::string part_line(std::string_view upload_id, const Part& part);
std::string end_line(std::string_view upload_id);

/// Nothing for a line that is no record, for example the last one of a killed process.
std::optional<Record> parse_line(std::string_view line, DataFiles& files);

}  // namespace prefixfs::devs3

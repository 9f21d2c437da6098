#include "object_json.h"

#include <nlohmann/json.hpp>

namespace prefixfs::devs3 {
namespace {

using nlohmann::json;

std::int64_t to_number(WallTime time) { return time.time_since_epoch().count(); }
WallTime to_time(std::int64_t number) { return WallTime(std::chrono::nanoseconds(number)); }

json extents_json(const std::vector<Extent>& extents) {
  auto out = json::array();
  for (const auto& extent : extents) {
    out.push_back({extent.file->id(), extent.offset, extent.length});
  }
  return out;
}

std::vector<Extent> read_extents(const json& in, DataFiles& files) {
  std::vector<Extent> out;
  for (const auto& extent : in) {
    out.push_back({files.adopt(extent.at(0).get<std::uint64_t>()), extent.at(1).get<std::uint64_t>(), extent.at(2).get<std::uint64_t>()});
  }
  return out;
}

json description_json(const Description& description) {
  json out = {{"headers", description.headers}, {"class", description.storage_class}, {"sse", description.sse}};
  if (!description.sse_key_id.empty()) {
    out["sse_key"] = description.sse_key_id;
  }
  if (!description.tags.empty()) {
    out["tags"] = description.tags;
  }
  for (const Grant& grant : description.acl) {
    out["acl"].push_back({grant.permission, grant.id, grant.uri});
  }
  return out;
}

Description read_description(const json& in) {
  Description out;
  out.headers = in.at("headers").get<Attributes>();
  out.storage_class = in.at("class").get<std::string>();
  out.sse = in.at("sse").get<std::string>();
  out.sse_key_id = in.value("sse_key", "");
  out.tags = in.value("tags", Attributes());
  for (const auto& grant : in.value("acl", json::array())) {
    out.acl.push_back({grant.at(0).get<std::string>(), grant.at(1).get<std::string>(), grant.at(2).get<std::string>()});
  }
  return out;
}

ChecksumKind read_kind(const json& in) { return checksum_kind(in.get<std::string>()).value_or(ChecksumKind::crc64nvme); }

Object read_object(const json& in, DataFiles& files) {
  Object out;
  out.key = in.at("key").get<std::string>();
  out.size = in.at("size").get<std::uint64_t>();
  out.etag = in.at("etag").get<std::string>();
  out.last_modified = to_time(in.at("time").get<std::int64_t>());
  out.description = read_description(in.at("about"));
  const auto& sum = in.at("sum");
  out.checksum = {read_kind(sum.at(0)), sum.at(1).get<std::string>(), sum.at(2).get<bool>()};
  out.extents = read_extents(in.at("data"), files);
  if (in.contains("restore")) {
    const auto& asked = in["restore"];
    out.restore = Restore{asked.at(0).get<int>(), asked.at(1).is_null() ? std::nullopt : std::optional(to_time(asked.at(1).get<std::int64_t>()))};
  }
  return out;
}

Upload read_upload(const json& in) {
  Upload out;
  out.id = in.at("id").get<std::string>();
  out.key = in.at("key").get<std::string>();
  out.initiator = in.at("by").get<std::string>();
  out.initiated = to_time(in.at("time").get<std::int64_t>());
  out.description = read_description(in.at("about"));
  out.checksum_kind = read_kind(in.at("kind"));
  out.checksum_chosen = in.at("chosen").get<bool>();
  out.composite = in.at("composite").get<bool>();
  return out;
}

Part read_part(const json& in, DataFiles& files) {
  Part out;
  out.number = in.at("number").get<int>();
  out.size = in.at("size").get<std::uint64_t>();
  out.etag = in.at("etag").get<std::string>();
  out.last_modified = to_time(in.at("time").get<std::int64_t>());
  out.checksum = in.at("sum").get<std::string>();
  out.extents = read_extents(in.at("data"), files);
  return out;
}

std::string line(const json& record) { return record.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

std::optional<Record> read_record(const json& in, DataFiles& files) {
  if (in.contains("put")) {
    return PutRecord{read_object(in["put"], files)};
  }
  if (in.contains("delete")) {
    return DeleteRecord{in["delete"].get<std::string>()};
  }
  if (in.contains("upload")) {
    return UploadRecord{read_upload(in["upload"])};
  }
  if (in.contains("part")) {
    return PartRecord{in.at("id").get<std::string>(), read_part(in["part"], files)};
  }
  if (in.contains("end")) {
    return EndRecord{in["end"].get<std::string>()};
  }
  return std::nullopt;
}

}  // namespace

std::string put_line(const Object& object) {
  json record = {{"key", object.key},
                 {"size", object.size},
                 {"etag", object.etag},
                 {"time", to_number(object.last_modified)},
                 {"about", description_json(object.description)},
                 {"sum", json::array({checksum_name(object.checksum.kind), object.checksum.value, object.checksum.composite})},
                 {"data", extents_json(object.extents)}};
  if (object.restore) {
    const auto& until = object.restore->until;
    record["restore"] = json::array({object.restore->days, until ? json(to_number(*until)) : json()});
  }
  return line({{"put", std::move(record)}});
}

std::string delete_line(std::string_view key) { return line({{"delete", key}}); }

std::string upload_line(const Upload& upload) {
  return line({{"upload",
                {{"id", upload.id},
                 {"key", upload.key},
                 {"by", upload.initiator},
                 {"time", to_number(upload.initiated)},
                 {"about", description_json(upload.description)},
                 {"kind", checksum_name(upload.checksum_kind)},
                 {"chosen", upload.checksum_chosen},
                 {"composite", upload.composite}}}});
}

std::string part_line(std::string_view upload_id, const Part& part) {
  return line({{"id", upload_id},
               {"part",
                {{"number", part.number},
                 {"size", part.size},
                 {"etag", part.etag},
                 {"time", to_number(part.last_modified)},
                 {"sum", part.checksum},
                 {"data", extents_json(part.extents)}}}});
}

std::string end_line(std::string_view upload_id) { return line({{"end", upload_id}}); }

std::optional<Record> parse_line(std::string_view text, DataFiles& files) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    return std::nullopt;
  }
  try {  // the library reports a missing or mistyped field only by throwing
    return read_record(parsed, files);
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace prefixfs::devs3

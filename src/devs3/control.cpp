#include "control.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "archive.h"
#include "config_json.h"
#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

using nlohmann::json;

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.add("Content-Type", "application/json");
  response.length = body.size();
  response.body = std::move(body);
  return response;
}

Response done() { return json_response(200, "{}\n"); }
Response bad(std::string_view why) { return json_response(400, json{{"error", why}}.dump() + "\n"); }

std::optional<std::int64_t> integer(const json& in, const char* name) {
  return in.is_object() && in.contains(name) && in[name].is_number_integer() ? std::optional(in[name].get<std::int64_t>()) : std::nullopt;
}

std::string text(const json& in, const char* name) {
  return in.is_object() && in.contains(name) && in[name].is_string() ? in[name].get<std::string>() : std::string();
}

std::string uploads_json(const ObjectStore& store) {
  auto out = json::array();
  for (const auto& info : store.buckets()) {
    const auto bucket = store.bucket(info.name);
    for (const auto& upload : bucket ? (*bucket)->uploads() : std::vector<Upload>()) {
      std::uint64_t bytes = 0;
      for (const auto& [number, part] : upload.parts) {
        bytes += part.size;
      }
      out.push_back({{"bucket", info.name}, {"key", upload.key}, {"upload_id", upload.id}, {"initiator", upload.initiator},
                     {"initiated", format_iso8601(upload.initiated)}, {"parts", upload.parts.size()}, {"bytes", bytes}});
    }
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Response expire(ObjectStore& store, const json& in) {
  const auto bucket = store.bucket(text(in, "bucket"));
  if (!bucket) {
    return bad("no such bucket");
  }
  const auto removed = (*bucket)->remove(text(in, "key"), [](const Object*) { return Outcome<void>(); });
  return removed ? done() : bad(removed.error().message);
}

/// What S3 needs hours for.
Response finish_restore(ObjectStore& store, const Clock& clock, const json& in) {
  const auto bucket = store.bucket(text(in, "bucket"));
  const auto object = bucket ? (*bucket)->find(text(in, "key")) : nullptr;
  if (!object || !object->restore || object->restore->until) {
    return bad("no restore of that object is under way");
  }
  const int days = object->restore->days;
  const auto put = put_restore(**bucket, object, {days, expiry_of(days, clock.now())});
  return put ? done() : bad(put.error().message);
}

std::uint64_t since(const HttpRequest& request) {
  std::uint64_t value = 0;
  for (const auto& [name, number] : parse_query(request.query).value_or(QueryPairs())) {
    if (name == "since") {
      std::from_chars(number.data(), number.data() + number.size(), value);
    }
  }
  return value;
}

}  // namespace

Response Control::handle(const HttpRequest& request, std::string_view body) {
  const auto call = fmt::format("{} {}", request.method, std::string_view(request.path).substr(kControlPath.size()));
  const auto in = json::parse(body, nullptr, false);
  if (call == "GET log") {
    return json_response(200, log.after(since(request)));
  }
  if (call == "POST log/clear") {
    log.clear();
    return done();
  }
  if (call == "GET faults") {
    return json_response(200, fault_counts_json(faults.counts()));
  }
  if (call == "POST faults") {
    auto rules = parse_fault_rules(body);
    if (!rules) {
      return bad(rules.error().what);
    }
    faults.replace(std::move(*rules));
    return done();
  }
  if (call == "POST latency") {
    const auto ms = integer(in, "ms");
    faults.set_base_latency(std::chrono::milliseconds(ms.value_or(0)));
    return ms ? done() : bad("ms is missing");
  }
  if (call == "POST clock") {
    const auto offset = integer(in, "offset_seconds");
    clock.set_offset(std::chrono::seconds(offset.value_or(0)));
    return offset ? done() : bad("offset_seconds is missing");
  }
  if (call == "GET uploads") {
    return json_response(200, uploads_json(store));
  }
  if (call == "POST objects/expire") {
    return expire(store, in);
  }
  if (call == "POST objects/finish-restore") {
    return finish_restore(store, clock, in);
  }
  return json_response(404, json{{"error", fmt::format("unknown call '{}'", call)}}.dump() + "\n");
}

}  // namespace prefixfs::devs3

#include "lease_object.h"

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"
#include "prefixfs/locks/locks.h"

namespace prefixfs::locks {
namespace {

constexpr std::size_t kNameBytes = 16;             // of the digest
constexpr std::size_t kTextBytesMax = 4U << 20;    // far more than a table of many hosts has
constexpr const char* kImpossibleETag = "00000000000000000000000000000000";

class TextSink final : public s3::GetSink {
 public:
  Result<void> begin(const s3::GetAnswer&) override {
    text.clear();
    return {};
  }
  Result<void> accept(std::span<const std::byte> data) override {
    if (text.size() + data.size() > kTextBytesMax) {
      return fail(Errc::unsupported, "a lease object is larger than prefixfs makes it");
    }
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  }
  std::string text;
};

Key in_directory(std::string_view name) { return Key(fmt::format("{}/{}", kDirectoryName, name)); }

/// Without s3:ListBucket S3 refuses what is not there; where it names the right to read, that is missing.
bool means_absent(const Error& error) {
  const bool no_bucket = error.origin.s3_code == "NoSuchBucket";
  return (error.code == Errc::not_found && !no_bucket) || (error.code == Errc::denied && error.origin.missing_right.empty());
}

Result<ETag> put_text(s3::ObjectStore& store, const Key& object, std::string_view text, const s3::WriteCondition& condition, const CallContext& context) {
  const SpanSource body(std::as_bytes(std::span(text.data(), text.size())));
  s3::ObjectHeaders headers;
  headers.content_type = "text/plain";
  TRY_ASSIGN(const s3::PutAnswer answer, store.put(object, body, headers, condition, context));
  return answer.etag;
}

}  // namespace

Key object_of(const Key& file) {
  const crypto::Sha256Digest digest = crypto::sha256(file.str());
  return in_directory(crypto::hex(std::span(digest).first(kNameBytes)));
}

Result<std::optional<Seen>> read_lease(s3::ObjectStore& store, const Key& object, const std::optional<Seen>& known, const CallContext& context) {
  TextSink sink;
  const auto answer = store.get(object, {.range = {}, .if_match = {}, .if_none_match = known ? known->etag : ETag()}, sink, context);
  if (!answer) {
    return means_absent(answer.error()) ? Result<std::optional<Seen>>(std::nullopt) : fail(answer.error());
  }
  if (answer->not_modified) {
    return known;
  }
  auto table = parse_lease_table(sink.text);
  if (!table) {
    table.error().what += ": " + object.str();
    return fail(std::move(table.error()));
  }
  return std::optional(Seen{.etag = answer->info.etag, .table = std::move(*table)});
}

Result<Seen> write_lease(s3::ObjectStore& store, const Key& object, LeaseTable table, const std::optional<Seen>& in_place_of, const CallContext& context) {
  const auto condition = in_place_of ? s3::WriteCondition::if_match(in_place_of->etag) : s3::WriteCondition::if_absent();
  TRY_ASSIGN(ETag etag, put_text(store, object, text_of(table), condition, context));
  return Seen{.etag = std::move(etag), .table = std::move(table)};
}

Result<void> remove_lease(s3::ObjectStore& store, const Key& object, const Seen& seen, const CallContext& context) {
  return store.remove(object, seen.etag, context);
}

Result<void> prove_conditions(s3::ObjectStore& store, std::string_view host, const CallContext& context) {
  const Key object = in_directory(fmt::format("proof-{}", host));
  const auto made = put_text(store, object, fmt::format("proof {}\n", host), s3::WriteCondition::if_absent(), context);
  if (!made && made.error().code != Errc::conflict) {
    return fail(made.error());
  }
  const auto wrong = put_text(store, object, "this must not be written\n", s3::WriteCondition::if_match(ETag::from_wire(kImpossibleETag)), context);
  const bool honoured = !wrong && wrong.error().code == Errc::conflict && store.capabilities().conditional_put == s3::Support::yes;
  const bool answered = wrong || wrong.error().code == Errc::conflict || wrong.error().code == Errc::unsupported || wrong.error().code == Errc::invalid;
  // With a condition, so that the client learns whether that is honoured as well.
  const ETag written = wrong ? *wrong : made ? *made : ETag();
  const auto removed = store.remove(object, written, context);
  if (!honoured && answered) {
    return fail(Errc::unsupported, "the endpoint does not honour If-Match and If-None-Match on PutObject, so that no lock can hold between hosts; use locks=local");
  }
  if (!honoured) {
    return fail(wrong.error());
  }
  return removed;
}

}  // namespace prefixfs::locks

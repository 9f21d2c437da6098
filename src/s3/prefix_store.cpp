#include <fmt/format.h>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

namespace {

/// Shows keys without the prefix to the caller's sink.
class StrippingSink final : public GetSink {
 public:
  StrippingSink(GetSink& sink, const Key& shown) : sink_(sink), shown_(shown) {}
  Result<void> begin(const GetAnswer& answer) override {
    GetAnswer below = answer;
    below.info.key = shown_;
    return sink_.begin(below);
  }
  Result<void> accept(std::span<const std::byte> data) override { return sink_.accept(data); }

 private:
  GetSink& sink_;
  const Key& shown_;
};

class PrefixStore final : public ObjectStore {
 public:
  PrefixStore(ObjectStore& inner, const Prefix& prefix) : inner_(inner), prefix_(prefix) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    TRY_ASSIGN(ObjectInfo info, inner_.head(whole, context));
    info.key = key;
    return info;
  }

  Result<std::string> tagging(const Key& key, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.tagging(whole, context);
  }

  Result<Grants> acl(const Key& key, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.acl(whole, context);
  }

  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.restore(whole, options, context);
  }

  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    StrippingSink stripping(sink, key);
    TRY_ASSIGN(GetAnswer answer, inner_.get(whole, options, stripping, context));
    answer.info.key = key;
    return answer;
  }

  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.put(whole, body, headers, condition, context);
  }

  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.remove(whole, if_match, context);
  }

  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override {
    std::vector<RemoveTarget> whole;
    whole.reserve(targets.size());
    for (const RemoveTarget& target : targets) {
      TRY_ASSIGN(Key one, whole_key(target.key));
      whole.push_back({std::move(one), target.if_match, target.best_effort});
    }
    TRY_ASSIGN(auto outcomes, inner_.remove_many(whole, context));
    for (DeleteOutcome& outcome : outcomes) {
      TRY_ASSIGN(outcome.key, key_below(outcome.key));
    }
    return outcomes;
  }

  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                          const CallContext& context) override {
    TRY_ASSIGN(const Key from, whole_key(source.key));
    TRY_ASSIGN(const Key to, whole_key(destination));
    return inner_.copy({from, source.if_match}, to, options, context);
  }

  Result<ListPage> list(const ListOptions& options, const CallContext& context) override {
    ListOptions whole = options;
    whole.prefix = prefix_.str() + options.prefix;
    if (!options.start_after.empty()) {
      whole.start_after = prefix_.str() + options.start_after;
    }
    TRY_ASSIGN(ListPage page, inner_.list(whole, context));
    for (ObjectInfo& info : page.objects) {
      TRY_ASSIGN(info.key, key_below(info.key));
    }
    for (std::string& folder : page.common_prefixes) {
      TRY_ASSIGN(const Key below, key_below(Key(folder)));
      folder = below.str();
    }
    return page;
  }

  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.create_upload(whole, headers, context);
  }

  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.upload_part(whole, upload, number, body, context);
  }

  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    TRY_ASSIGN(const Key from, whole_key(source.key));
    TRY_ASSIGN(const Key to, whole_key(key));
    return inner_.upload_part_copy(to, upload, number, {from, source.if_match}, range, context);
  }

  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.complete_upload(whole, upload, parts, condition, context);
  }

  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    TRY_ASSIGN(const Key whole, whole_key(key));
    return inner_.abort_upload(whole, upload, context);
  }

  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    TRY_ASSIGN(auto uploads, inner_.list_uploads(prefix_.str() + prefix, context));
    for (OpenUpload& upload : uploads) {
      TRY_ASSIGN(upload.key, key_below(upload.key));
    }
    return uploads;
  }

  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  Result<Key> whole_key(const Key& key) const {
    if (prefix_.str().size() + key.str().size() > kKeyBytesMax) {
      return fail(Errc::name_too_long, fmt::format("the prefix and '{}' together are longer than the {} bytes of a key",
                                                 key.str(), kKeyBytesMax));
    }
    return Key(prefix_.str() + key.str());
  }

  /// Checked, because a key from a server that ignores the prefix would otherwise be cut in the middle.
  Result<Key> key_below(const Key& key) const {
    if (!key.str().starts_with(prefix_.str())) {
      return fail(Errc::corrupt, fmt::format("the endpoint named the key '{}', which is not below '{}'", key.str(), prefix_.str()));
    }
    return Key(key.str().substr(prefix_.str().size()));
  }

  ObjectStore& inner_;
  const Prefix prefix_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_prefix_store(ObjectStore& inner, const Prefix& prefix) {
  return std::make_unique<PrefixStore>(inner, prefix);
}

}  // namespace prefixfs::s3

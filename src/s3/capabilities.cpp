#include "capabilities.h"

#include <fmt/format.h>

namespace prefixfs::s3 {

namespace {

struct Named {
  CapabilityBook::Field field;
  const char* name;
};

constexpr std::array kFields{
    Named{&Capabilities::conditional_put, "conditional_put"},   Named{&Capabilities::conditional_delete, "conditional_delete"},
    Named{&Capabilities::conditional_copy, "conditional_copy"}, Named{&Capabilities::crc64nvme, "crc64nvme"},
    Named{&Capabilities::part_copy, "part_copy"},
};

constexpr Capabilities kAll{Support::yes, Support::yes, Support::yes, Support::yes, Support::yes};

Support parse(const std::optional<std::string>& text) {
  if (text == "yes") {
    return Support::yes;
  }
  return text == "no" ? Support::no : Support::unknown;
}

std::string memory_name(const std::string& endpoint, const char* field) { return fmt::format("capability {} {}", endpoint, field); }

const char* name_of(CapabilityBook::Field field) {
  for (const Named& named : kFields) {
    if (named.field == field) {
      return named.name;
    }
  }
  return "";
}

}  // namespace

CapabilityBook::CapabilityBook(std::string endpoint_name, bool aws, EndpointMemory& memory, Log& log)
    : endpoint_name_(std::move(endpoint_name)), memory_(memory), log_(log) {
  if (aws) {
    known_ = kAll;
    whole_s3_ = true;
    return;
  }
  for (const Named& named : kFields) {
    known_.*named.field = parse(memory_.recall(memory_name(endpoint_name_, named.name)));
  }
}

Capabilities CapabilityBook::get() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

Support CapabilityBook::get(Field field) const {
  const std::lock_guard lock(mutex_);
  return known_.*field;
}

bool CapabilityBook::multipart_checksums() const {
  const std::lock_guard lock(mutex_);
  return whole_s3_ && known_.crc64nvme == Support::yes;
}

void CapabilityBook::learn(Field field, Support support) {
  {
    const std::lock_guard lock(mutex_);
    if (known_.*field == support) {
      return;
    }
    known_.*field = support;
  }
  const char* name = name_of(field);
  const char* word = support == Support::yes ? "yes" : "no";
  if (support == Support::yes) {
    log_.debug("endpoint {} honours {}", endpoint_name_, name);
  } else {
    log_.warn("endpoint {} does not honour {}; the next best way is used", endpoint_name_, name);
  }
  memory_.remember(memory_name(endpoint_name_, name), word);
}

void CapabilityBook::see(const http::Response& response) {
  const auto server = response.header("server");
  if (!server || (*server != "AmazonS3" && !server->starts_with("devs3"))) {
    return;
  }
  const std::lock_guard lock(mutex_);
  whole_s3_ = true;
  for (const Named& named : kFields) {
    if (known_.*named.field == Support::unknown) {  // what was learnt by trial stands above what a header says
      known_.*named.field = Support::yes;
    }
  }
}

}  // namespace prefixfs::s3

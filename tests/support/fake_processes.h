#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "prefixfs/vfs/processes.h"

namespace prefixfs::test {

/// What a test says of its callers; every thread is a process. Set up before the calls that ask.
class FakeProcesses final : public vfs::Processes {
 public:
  pid_t process_of(pid_t thread) const override { return thread; }
  bool has_descriptor(pid_t process, meta::InodeId inode) const override { return descriptors.contains({process, inode}); }
  vfs::LookupIntent intent_of(pid_t, std::string_view) const override { return intent; }

  std::set<std::pair<pid_t, meta::InodeId>> descriptors;
  vfs::LookupIntent intent = vfs::LookupIntent::unknown;
};

}  // namespace prefixfs::test

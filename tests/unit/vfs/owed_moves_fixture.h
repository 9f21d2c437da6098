#pragma once
// commit=journal: what is asked of renames and changes of attributes.

#include "write_back_fixture.h"

namespace prefixfs::vfs {

class OwedMovesTest : public WriteBackTest {
 protected:
  using WriteBackTest::WriteBackTest;
  Result<void> rename(std::string_view from, std::string_view to, unsigned flags = 0) {
    return mount.fs().rename(kRoot, from, kRoot, to, flags, mount.caller());
  }
  Result<void> unlink(std::string_view name) { return mount.fs().unlink(kRoot, name, mount.caller()); }
  Result<Entry> set(std::string_view name, const SetAttributes& changes) { return mount.fs().setattr(mount.id(name), {}, changes, mount.caller()); }
  std::string permissions_of(const std::string& key) {
    const auto info = mount.memory.info(key);
    const auto found = info->user_metadata.find("file-permissions");
    return found == info->user_metadata.end() ? "" : found->second;
  }
  /// Another client writes, long after the mount has acknowledged what it owes.
  void another_client_writes(const std::string& key, const std::string& text) {
    mount.clock.advance(60s);
    mount.memory.put_text(key, text);
  }
};

}  // namespace prefixfs::vfs

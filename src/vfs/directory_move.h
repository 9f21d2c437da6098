#pragma once
// The rename of a directory while S3 is owed it.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "prefixfs/meta/journal.h"
#include "prefixfs/sync/prefix_move.h"
#include "prefixfs/vfs/filesystem.h"
#include "subtree_gate.h"

namespace prefixfs::vfs {

struct DirectoryMove {
  struct Name {
    InodeId parent = 0;
    std::string name;
    std::string prefix;  ///< of the keys below it, with the '/' at its end
  };
  meta::IntentId intent = 0;
  InodeId directory = 0;
  Name from;
  Name to;
  WallTime since{};
  std::shared_ptr<SubtreeGate::Move> closed;  ///< for everybody else
  sync::MoveProgress progress;

  // Used by one delivery at a time; by others when there is none.
  meta::DirectoryMoveStage stage = meta::DirectoryMoveStage::copying;
  bool attempted = false;       ///< requests have gone out, perhaps of a former process
  std::unique_ptr<sync::PrefixMove> copied;  ///< with all copies, where S3 has not taken the removals yet: what has become of the copies since is no matter
  std::optional<Error> failed;  ///< what its caller is told, though S3 is owed no more of it
};

}  // namespace prefixfs::vfs

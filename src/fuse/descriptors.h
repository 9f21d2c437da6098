#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace prefixfs::fuse {

/// The process of a thread, by the line "Tgid:" of /proc/<tid>/status; 0: not known.
pid_t process_of(pid_t thread);
/// The same from the text of that file.
pid_t read_thread_group(std::string_view status);

/// Whether the process has a descriptor of an inode with this number, by /proc/<pid>/fdinfo (kernel 5.14 and later; before that: false).
/// Reading it asks the kernel alone, so it may be called while a request of the same process waits.
bool has_descriptor(pid_t process, std::uint64_t inode);

/// The same from the text of one fdinfo file: its line "ino:\t<number>".
bool names_inode(std::string_view fdinfo, std::uint64_t inode);

}  // namespace prefixfs::fuse

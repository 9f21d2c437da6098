#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace prefixfs::fuse {

/// The process of a thread, by the line "Tgid:" of /proc/<tid>/status; 0: not known.
pid_t process_of(pid_t thread);
/// The same from the text of that file.
pid_t read_thread_group(std::string_view status);

/// Whether the process has a descriptor of an inode with this number on the file system `device` ("major:minor"), by /proc/<pid>/fdinfo and
/// mountinfo (kernel 5.14 and later; before that: false). Reading them asks the kernel alone, so it may be called while a request of the
/// same process waits.
bool has_descriptor(pid_t process, std::string_view device, std::uint64_t inode);

/// Whether the text of one fdinfo file says "ino:\t<number>", and "mnt_id:\t<one of those>".
bool names_inode(std::string_view fdinfo, const std::vector<std::string>& mount_ids, std::uint64_t inode);

}  // namespace prefixfs::fuse

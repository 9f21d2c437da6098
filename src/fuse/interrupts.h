#pragma once

#include <sys/types.h>

#include <string_view>

namespace prefixfs::fuse {

/// Whether a waiting call of this thread should end with EINTR. The kernel reports every signal, also those that a runtime sends
/// to itself all the time (SIGURG of Go, SIGPROF, SIGCHLD); programs do not expect a file operation to fail for those.
/// True where the thread is being killed, or where one of SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM waits to be handled.
bool is_to_end(pid_t thread);

/// The same from the text of /proc/<thread>/status.
bool is_to_end(std::string_view status_text);

}  // namespace prefixfs::fuse

#pragma once

#include <string>
#include <string_view>

namespace prefixfs {

/// `text` with its control characters (C0, DEL, and the C1 set as UTF-8) written as \n, \r, \t or \xNN: it stays one line, and a
/// key chosen by somebody else cannot steer the terminal that shows it.
std::string escape_control(std::string_view text);

}  // namespace prefixfs

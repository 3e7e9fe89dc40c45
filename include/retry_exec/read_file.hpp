// Whole files, bounded: nothing that a user names is read without end.
#pragma once

#include <retry_exec/error.hpp>

#include <cstddef>
#include <string>

namespace retry_exec {

// The bytes of a regular file, or of what is open already (/dev/stdin, /dev/fd/N). Anything else,
// such as a named pipe, which may never have a writer, and more than `most_bytes` are errors.
Result<std::string> read_file(const std::string& path, std::size_t most_bytes);

// The same of a file that another file names: not even what is open already may be waited for.
Result<std::string> read_regular_file(const std::string& path, std::size_t most_bytes);

}  // namespace retry_exec

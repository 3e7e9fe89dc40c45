// How much TCP connections have carried.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace retry_exec {

// For each TCP socket of our network namespace, by inode, the bytes that it has received and those
// of which the other side has acknowledged the receipt. Nothing where the kernel does not tell: no
// sock_diag(7), Linux before 4.1, a sandbox.
std::optional<std::unordered_map<ino_t, std::uint64_t>> tcp_bytes();

}  // namespace retry_exec

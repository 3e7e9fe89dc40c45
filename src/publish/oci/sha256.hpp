// FIPS 180-4, for the digest of an index before a registry has told it.
#pragma once

#include <string>
#include <string_view>

namespace retry_exec::publish::oci {

// "sha256:" and 64 hexadecimal digits.
std::string digest_of(std::string_view bytes);

}  // namespace retry_exec::publish::oci

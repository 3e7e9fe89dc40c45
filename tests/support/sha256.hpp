// FIPS 180-4, for the digests of test images.
#pragma once

#include <string>
#include <string_view>

namespace test {

// "sha256:" and 64 hexadecimal digits.
std::string digest_of(std::string_view bytes);

}  // namespace test

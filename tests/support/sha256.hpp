// The digests of test images.
#pragma once

#include "publish/sha256.hpp"

namespace test {

using retry_exec::publish::digest_of;

}  // namespace test

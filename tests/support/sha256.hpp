// The digests of test images.
#pragma once

#include "publish/oci/sha256.hpp"

namespace test {

using retry_exec::publish::oci::digest_of;

}  // namespace test

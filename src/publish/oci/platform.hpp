// One spelling of each platform.
#pragma once

#include <retry_exec/publish_oci.hpp>

namespace retry_exec::publish::oci {

// arm64 for arm64/v8 and aarch64, arm/v7 for arm.
Platform normalized(Platform platform);

// A version of Windows without its revision, which every update changes: "10.0.20348".
Platform without_revision(Platform platform);

}  // namespace retry_exec::publish::oci

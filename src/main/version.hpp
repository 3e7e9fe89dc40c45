// What --version says behind a program's name: the release, the commit that it was built from, and
// the libraries that it was built with. Written by the build, from version.cpp.in.
#pragma once

#include <string_view>

namespace retry_exec {

extern const std::string_view version_text;

}  // namespace retry_exec

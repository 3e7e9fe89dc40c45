// Removing folders without ever leaving them: no symbolic link is followed, no other file system is
// entered, and what is not there under its name any more is not looked for elsewhere.
#pragma once

#include "values/unique_fd.hpp"

#include <string>

namespace retry_exec::publish {

// The folder `name` in the folder `parent` (AT_FDCWD: the current one); nothing where a symbolic
// link or anything else has that name.
UniqueFd open_folder(int parent, const std::string& name);

// Removes all that is in an open folder but `kept`, as far as that is possible.
void empty_folder(int folder, const std::string& kept);

// Removes the folder `name` of `parent` and all that is in it, as far as that is possible.
void remove_folder(int parent, const std::string& name);

}  // namespace retry_exec::publish

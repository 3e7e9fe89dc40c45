// Whole answers, which quote rule files, logs and names of files, made safe for where they are
// shown: a terminal, which obeys escape sequences, or a log of GitHub Actions, whose runner obeys
// commands.
#pragma once

#include <string>
#include <string_view>

namespace retry_exec {

// What an answer is for: to be read, or to be pasted or parsed.
enum class Form { text, yaml, json };

// Text is printable(), line by line. YAML and JSON stay as they are, but for what is unseen, which
// becomes an escape: in JSON the text means the same. `on_github`: and no line is a command.
std::string shown(std::string_view text, Form form, bool on_github);

}  // namespace retry_exec

// Where secrets stand: in variables, on command lines, in scripts.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace retry_exec::redact {

// GITHUB_TOKEN, AWS_SECRET_ACCESS_KEY, REGISTRY_AUTH; not GIT_AUTHOR_NAME or SSH_AUTH_SOCK.
bool names_a_secret(std::string_view variable);

// GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json, SSH_KEY=/root/keys/id_rsa: the error that names the
// file should say its name.
bool is_a_file_name(std::string_view value);

// What words are known to be: the arguments of a command, or a text that may quote one, where
// nothing is hidden that may as well be the next word of a sentence.
enum class Words { command, text };

// Calls `f(index, start)` for each word that carries a secret from `start` on.
void for_each_secret(std::span<const std::string> argv, Words kind,
                     const std::function<void(std::size_t index, std::size_t start)>& f);

}  // namespace retry_exec::redact

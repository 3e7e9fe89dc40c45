// The tables of texts that show a secret and of texts that show none: tests/unit/corpus/secrets.txt
// and harmless.txt, whose first lines say how they are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace test {

struct SecretForm {
  std::string text;
  std::vector<std::string> secrets;  // that stand in it
  std::vector<std::string> argv;     // of a command; else empty
};

// Every form, with `secret` in the place of the table's own.
std::vector<SecretForm> secret_forms(const std::string& folder, std::string_view secret);

std::vector<std::string> harmless_texts(const std::string& folder);

// Those of `secrets` that `shown` holds, or more than half of.
std::string leaked(std::string_view shown, const std::vector<std::string>& secrets);

}  // namespace test

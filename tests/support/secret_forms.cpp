#include "secret_forms.hpp"

#include <fstream>
#include <stdexcept>

namespace test {

namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ") || line == "#") continue;
    replace_all(line, "␤", "\n");
    replace_all(line, "␉", "\t");
    lines.push_back(std::move(line));
  }
  return lines;
}

// As a shell would, of what stands in the table.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool open = false;
  char quote = 0;
  for (const char c : line) {
    if (quote == 0 && c == ' ') {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote == 0 ? c : '\0';
    } else {
      words.back() += c;
    }
  }
  return words;
}

SecretForm form_of(std::string line, std::string_view secret) {
  constexpr std::string_view open = "«";
  constexpr std::string_view close = "»";
  SecretForm form;
  const bool command = line.starts_with("$ ");
  if (command) line.erase(0, 2);
  for (std::size_t at = 0; (at = line.find(open, at)) != std::string::npos;) {
    line.erase(at, open.size());
    const std::size_t end = line.find(close, at);
    line.erase(end, close.size());
    form.secrets.push_back(line.substr(at, end - at));
    at = end;
  }
  if (form.secrets.empty()) {
    replace_all(line, "hunter22", secret);
    form.secrets.emplace_back(secret);
  }
  if (command) form.argv = words_of(line);
  form.text = std::move(line);
  return form;
}

}  // namespace

std::vector<SecretForm> secret_forms(const std::string& folder, std::string_view secret) {
  std::vector<SecretForm> forms;
  for (std::string& line : lines_of(folder + "/secrets.txt"))
    forms.push_back(form_of(std::move(line), secret));
  return forms;
}

std::vector<std::string> harmless_texts(const std::string& folder) {
  return lines_of(folder + "/harmless.txt");
}

std::string leaked(std::string_view shown, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    const std::size_t half = secret.size() / 2 + 1;
    for (std::size_t at = 0; at + half <= secret.size(); ++at) {
      if (shown.find(secret.substr(at, half)) != std::string_view::npos) return secret;
    }
  }
  return {};
}

}  // namespace test

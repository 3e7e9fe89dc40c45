#include <retry_exec/error.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace retry_exec {

std::string to_string(const Error& error) {
  std::string text = text::printable(error.where.file);
  if (error.where.line != 0) {
    if (!text.empty()) text += ':';
    text += std::to_string(error.where.line);
    if (error.where.column != 0) text += ':' + std::to_string(error.where.column);
  }
  if (!text.empty()) text += ": ";
  return text + error.what;
}

Error wrong_value(std::string_view text, std::string_view why) {
  return {{}, text::quoted(text) + ' ' + std::string(why)};
}

void append(Errors& errors, Errors more) {
  for (Error& error : more) errors.push_back(std::move(error));
}

namespace {

// Restricted Damerau-Levenshtein: insert, delete, replace, swap of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t longest = 64;
  if (word.size() > longest) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    if (candidate.size() > longest) continue;
    if (const std::size_t d = distance(word, candidate); d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

void throw_exception_from_error(const Error& error, const boost::source_location& at) {
  std::fprintf(stderr, "retry-exec: bug at %s:%u: unexamined error: %s\n", at.file_name(),
               static_cast<unsigned>(at.line()), to_string(error).c_str());
  std::abort();
}

void throw_exception_from_error(const Errors& errors, const boost::source_location& at) {
  throw_exception_from_error(errors.empty() ? Error{{}, "an empty list of errors"} : errors.front(),
                             at);
}

}  // namespace retry_exec

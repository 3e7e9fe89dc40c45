#include "redact/quoted_commands.hpp"

#include "redact/command_words.hpp"
#include "redact/secret_patterns.hpp"
#include "redact/secret_places.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace retry_exec::redact {

namespace {

using Range = std::pair<std::size_t, std::size_t>;

constexpr unsigned deepest = 3;

// The secrets among the words of `text`, and of the scripts among those.
void find(const Word& text, unsigned depth, std::vector<Range>& found) {
  const std::vector<Word> words = words_of(text);
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const Word& word : words) texts.push_back(word.text);
  for_each_secret(texts, Words::text, [&](std::size_t i, std::size_t start) {
    if (texts[i].find(redacted, start) == start) return;
    const Word& word = words[i];
    found.emplace_back(start == 0 ? word.begin : word.at[start],
                       start == 0 ? word.end : word.at.back());
  });
  if (depth == deepest) return;
  for (const Word& word : words) {
    const bool same =
        word.end - word.begin == text.text.size() && words.size() == 1 && word.text == text.text;
    if (!same && word.text.find(' ') != std::string::npos) find(word, depth + 1, found);
  }
}

}  // namespace

void take_out_of_commands(std::string& text) {
  std::vector<Range> found;
  find(whole(text), 0, found);
  if (found.empty()) return;
  for (auto& [begin, end] : found) take_whole_marks(text, begin, end);
  std::sort(found.begin(), found.end());
  std::string result;
  std::size_t done = 0;
  for (std::size_t i = 0; i < found.size();) {
    const std::size_t begin = found[i].first;
    std::size_t end = found[i].second;
    for (++i; i < found.size() && found[i].first < end; ++i) end = std::max(end, found[i].second);
    if (begin >= end) continue;
    result.append(text, done, begin - done).append(redacted);
    done = end;
  }
  text = result.append(text, done);
}

}  // namespace retry_exec::redact

// The words of a command, wherever it is quoted: as a shell's script, as a list of Python or JSON,
// with quotes that are escaped once more, in the middle of a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::redact {

// A text taken out of a longer one: what it says without its quotes, and where that stands.
struct Word {
  std::string text;
  std::vector<std::size_t> at;  // where each byte of `text` stands in the whole, and its end
  std::size_t begin = 0;        // in the whole, with its quotes
  std::size_t end = 0;
};

// All of `text`.
Word whole(std::string_view text);

// Its words. What separates commands, and what redirects their input, are words of their own. One
// that holds blanks may be a script, to be taken apart in its turn.
std::vector<Word> words_of(const Word& text);

// Whether `word` ends a command or a part of a pipeline: ";", "|", "&".
bool ends_a_command(std::string_view word);

}  // namespace retry_exec::redact

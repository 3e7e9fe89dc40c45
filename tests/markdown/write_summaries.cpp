// write_summaries COUNT: prints so many lines of JSON, each a summary of a step and the texts that
// it has to show, of runs in which every name, tag and line of output tries to be something else.
#include "fuzz/summaries.hpp"

#include <retry_exec/text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace json = boost::json;
using retry_exec::text::printable;

constexpr std::array<std::string_view, 92> pieces = {
    // Markdown and what GitHub adds to it
    "|", "||", "\\|", "`", "``", "```", "~~~", "`a|b`", "*a*", "**b**", "_c_", "~d~", "~~e~~",
    "[f](g)", "![h](i)", "[j]: k", "[^1]", "# ", "## l", "> ", "- ", "+ ", "* ", "1. ", "2) ",
    "- [ ] ", "---", "===", "\\", "\\\\", "$m$", "$$n$$", "@octocat", "#12", "GH-3",
    "https://h.example/a_b*c?d=e|f", "http://me@h.example/~x_y_", "www.example.com/a_b_",
    "me@h.example", ":---:", "    four", "  \n",
    // HTML
    "<b>", "</td>", "<br>", "<img src=x onerror=alert(1)>", "<!--", "-->", "<![CDATA[", "&amp;",
    "&lt;i&gt;", "&#35;", "<script>alert(1)</script>", "<details>", "</details>", "<a@b.example>",
    // Mermaid
    ";", "#", "%%", "%%{init: {}}%%", "end", "section s", "title t", "click a href \"b\"", "done, ",
    "crit", ":", "::", ": active, 1, 2ms", "gantt", "dateFormat x", "accTitle: a", "accDescr {",
    "}", "{", "#quot;", "2026-01-01", "after a", "vert",
    // commands of CI, other scripts, wide characters
    "::error::x", "##[group]y", "::add-mask::z", "\"", "'", "ghcr.io/o/r:1.0-rc_2", "a/b",
    "הראל־שלום",
    "\xe2\x80\xae"
    "gnp.exe",
    "🎉", "👩‍💻", "漢字", "\x1b[31mred\x1b[0m"};

class Hand {
 public:
  std::string text() {
    std::string drawn;
    for (std::size_t n = below(4) + 1; n > 0; --n) {
      drawn += pieces[below(pieces.size())];
      if (below(3) == 0) drawn += ' ';
      if (below(9) == 0) drawn += '\n';
      if (below(40) == 0) drawn.append(200, 'x');
    }
    return drawn;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  std::mt19937 random_{1};  // NOLINT: the same each time
};

void write(const std::string& markdown, const std::vector<std::string>& shown) {
  json::array texts;
  for (const std::string& text : shown) texts.emplace_back(printable(text));
  std::cout << json::serialize(json::object{{"markdown", markdown}, {"shown", std::move(texts)}})
            << '\n';
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  const retry_exec::Redactor redact;
  Hand hand;
  for (unsigned long n = std::strtoul(words[1], nullptr, 10); n > 0; --n) {
    std::vector<std::string> texts(8);
    for (std::string& text : texts) text = hand.text();
    const fuzz::Summaries summaries = fuzz::summaries_of(texts);
    const std::string command =
        redact.command(std::vector<std::string>{texts[4], texts[5], texts[2]});
    write(summaries.of_run, {texts[0], texts[1], command});
    write(summaries.of_publish, {texts[0], redact(texts[5]), redact(texts[2]), command});
  }
  return std::cout.flush() ? 0 : 1;
}

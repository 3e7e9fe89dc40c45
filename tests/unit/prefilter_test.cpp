// The prefilter and the counters in patterns change what matching costs, never what matches.
#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/matching/prefilter.hpp"

#include "catch_shim.hpp"
#include "rules/matching/alternatives.hpp"
#include "source_paths.hpp"

#include <retry_exec/rule_tools.hpp>

#include <pcre2.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace retry_exec;
using namespace retry_exec::rules;

namespace {

using Match = std::optional<std::pair<std::size_t, std::size_t>>;

// PCRE2 as it is, without any of ours.
class PlainPattern {
 public:
  explicit PlainPattern(const std::string& source)
      : code_(compiled(source), &pcre2_code_free),
        data_(pcre2_match_data_create(64, nullptr), &pcre2_match_data_free) {
    INFO(source);
    REQUIRE(code_);
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
  }

  Match search(const std::string& text) const {
    const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                  text.size(), 0, 0, data_.get(), nullptr);
    if (found < 0) return std::nullopt;
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data_.get());
    return std::pair(ends[0], ends[1]);
  }

 private:
  static pcre2_code* compiled(const std::string& source) {
    pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                                     PCRE2_MULTILINE, &error, &offset, context);
    pcre2_compile_context_free(context);
    return code;
  }

  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code_;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data_;
};

std::vector<std::string> shipped_patterns() {
  std::set<std::string> patterns;
  for (const BuiltinSet& builtin : builtin_sets()) {
    const auto set = load_rule_set(std::string(builtin.name));
    REQUIRE(set.has_value());
    for (const Rule& rule : set->rules) {
      if (rule.match) patterns.insert(rule.match->text);
      if (rule.unless) patterns.insert(rule.unless->text);
      if (rule.unless_near) patterns.insert(rule.unless_near->text);
    }
    for (const EvidenceSource& source : set->evidence) {
      for (const PatternSource& mask : source.mask) patterns.insert(mask.text);
    }
  }
  return {patterns.begin(), patterns.end()};
}

// The failures of every file of the corpus, a few in one text.
std::vector<std::string> texts_of_corpus() {
  std::vector<std::string> texts(1);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(UNIT_TEST_FOLDER) + "/corpus")) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto records = read_corpus(text, entry.path());
    REQUIRE(records.has_value());
    for (const LabelledFailure& record : *records) {
      if (texts.back().size() > 1000) texts.emplace_back();
      texts.back() += record.text + "\n";
    }
  }
  REQUIRE(texts.size() > 100);
  return texts;
}

void same_as_plain(const std::vector<std::string>& sources, const std::vector<std::string>& texts) {
  const Prefilter prefilter(std::vector<std::string_view>(sources.begin(), sources.end()));
  std::vector<PlainPattern> plain;
  std::vector<Pattern> ours;
  for (const std::string& source : sources) {
    plain.emplace_back(source);
    ours.push_back(*Pattern::compile(source));
  }
  MatchMemory memory;
  for (const std::string& text : texts) {
    const Prefilter::Found found = prefilter.find(text);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      WorkBudget budget(1'000'000'000);
      const Search search = search_places(ours[i], text, found[i], memory, budget);
      const Match place =
          search == Search::found ? Match(std::pair(memory.begin(), memory.end())) : std::nullopt;
      if (search != Search::limit && place == plain[i].search(text)) continue;
      FAIL_CHECK("'" << sources[i] << "' in:\n" << text);
    }
  }
}

// Where the first match of any alternative of a pattern begins.
std::optional<std::size_t> first_of_alternatives(const std::vector<Pattern>& alternatives,
                                                 const std::string& text, MatchMemory& memory) {
  std::optional<std::size_t> first;
  for (const Pattern& alternative : alternatives) {
    WorkBudget budget(1'000'000'000);
    if (alternative.search(text, 0, memory, budget) != Search::found) continue;
    first = std::min(first.value_or(text.size()), memory.begin());
  }
  return first;
}

void same_by_alternatives(const std::vector<std::string>& sources,
                          const std::vector<std::string>& texts) {
  MatchMemory memory;
  for (const std::string& source : sources) {
    const PlainPattern plain(source);
    const Alternatives apart = alternatives_of(source);
    std::vector<Pattern> alternatives;
    for (const std::string_view alternative : apart.sources)
      alternatives.push_back(*Pattern::compile(alternative, apart.ignore_case));
    for (const std::string& text : texts) {
      const Match place = plain.search(text);
      const std::optional<std::size_t> first = first_of_alternatives(alternatives, text, memory);
      if (place.has_value() == first.has_value() && (!place || place->first == *first)) continue;
      FAIL_CHECK("'" << source << "' in:\n" << text);
    }
  }
}

}  // namespace

TEST_CASE("every pattern finds in the whole corpus what plain PCRE2 finds", "[rules][prefilter]") {
  same_as_plain(shipped_patterns(), texts_of_corpus());
}

TEST_CASE("the alternatives of a pattern find between them what it finds", "[rules][prefilter]") {
  same_by_alternatives(shipped_patterns(), texts_of_corpus());
}

TEST_CASE("a pattern is taken apart only where its alternatives mean the same by themselves",
          "[rules][prefilter]") {
  using Sources = std::vector<std::string_view>;
  CHECK(alternatives_of("timed out|no route to host").sources ==
        Sources{"timed out", "no route to host"});
  const Alternatives any_case = alternatives_of("(?i)\\btimed out|(?:bad|no) gateway[|)]");
  CHECK(any_case.sources == Sources{"\\btimed out", "(?:bad|no) gateway[|)]"});
  CHECK(any_case.ignore_case);
  for (const std::string whole : {
           "timed out after all",
           "a|b|c|d",
           "timed (out)|no route \\1 to host",
           "timed (?<w>out)|no route \\k<w> to host",
           "timed (out)|no route (?1) to host",
           "timed out: \\K\\w+|no route to host",
           "timed (out)|no route (?(1)to|from) host",
           "timed out|(?i)no route to host|refused",
           "(?m)timed out|(?x) no route | to host",
           "(*ANYCRLF)timed out|no route to host",
           "timed out|no route (?|(to)|(from)) host",
       }) {
    CHECK(alternatives_of(whole).sources == Sources{whole});
  }
  same_by_alternatives(
      {"(?i)\\Qa|b\\E timed out|no (?-i:Route|b+) to|^ab\\b[^|]|(?#a|b)bab bab bab",
       "no (?i)route|refused by b|timed out", "(?:a(?i)b|b)a no route|aba aba aba"},
      {"", "a|b timed OUT", "NO Route to", "no route to", "no ROUTE", "abx", "ab|", "bab bab bab",
       "REFUSED by b", "aBa no route", "aba ABA aba", "a timed out"});
}

TEST_CASE("counters change nothing of what a pattern matches", "[rules][prefilter]") {
  same_as_plain({"a+b",
                 "(a|b)*c",
                 "(?<x>a)\\k<x>+",
                 "(?i:A+)b",
                 "[]a]+x",
                 "[^]a]*x",
                 "\\Qa+b\\E+",
                 "(?#a comment)a{2,}",
                 "(?=a+)\\w+b",
                 "(?<!a|b)c+",
                 "(?x) a + b",
                 "\\x{61}+b",
                 "(?(?=a)a+b|c)",
                 "(?:a|b)?+c",
                 "(?>a+)b",
                 "a??b",
                 "a*?b",
                 "(a)(?1)+b",
                 "(?|(a)|(b))+c",
                 "[[:alpha:]]+\\d",
                 "\\d{,5}x",
                 "a|b+|c",
                 "x{1,",
                 "(*ANYCRLF)a+$",
                 "\\ba+\\b",
                 "(?m)^a+$",
                 "\\c[+a",
                 "a\\+b+",
                 "503|404 (?:not|no) found"},
                {"", "a", "aab", "aaaaaab", "xabcabc", "a+b", "aa\nab\r\nabc", "]]x", "AAb",
                 "ac bc cc", "x{1,", "abc 404 not found\nb503", "a1 b22x", "aaaaaa"});
}

TEST_CASE("what stands around a literal is told as the pattern says it", "[rules][prefilter]") {
  const std::vector<std::string> patterns = {
      "[ :(]503\\b(?!\\d|-)",
      "(?<![\\w./-])(?:503|404 +a)",
      "\\berr\\b(?! 4)",
      "^err[ :]{1,3}40[34]$",
      "(?i)(?:err|bab)[^\\n]{0,4}\\b(?:404|503)\\b(?![.:]?\\d)",
      "(?:err|abb?a)(?: 4| 5)?.*503",
      "a?b?err+(?=:)|503[^4]",
      "\\S+: (?:404|err)\\s|bab",
      "(?<=a)bab(?!a)",
      "(?:[ab]rr|e[rb]r)\\.?(?:40\\d|5\\d3)",
      "err(?:\\n|:)(?:503|bab)",
      "(?m)^(?![^\\n]*404)[^\\n]*503",
      "a\\*err|bab\\*",
      "\\A(?:[^\\n]*\\n)*err: \\K503",
      "503\\b(?![.,:]?4|-\\w)(?! ?(?:bab|err|[ab]b?a|4\\d)\\b)",
      "(?i)503(?! ?(?:err|a)\\b)",
      "err(?!: |a)(?! 4)",
      "503(?!(?!a)\\w|:(?! ))",
      "503(?!\\bbab|\\B4|a$|^)",
      "err(?!(?>a|ab)b)",
      "bab(?!a?+a)",
      "(?:503(?!a)|err(?!: ))?(?:bab|aba)(?!4|:)",
      "(?:503(?! ))*err(?!\\n|(?i:a))",
      "([ab])err\\1(?:503|404)",
      "(a?\\n?)err\\1503",
      "(?:(a)|b)\\1{0,2}err",
      "[\\x34\\x35]0[\\x30-\\x34]\\x3a",
      "(?i)\\x45rr[^\\x20\\x3A\\n]",
      "e\\x72{2}\\x{a}503",
      "bab(?![\\x2d:]|\\x20)",
      "(?<=[ :])503|(?<=\\.)404",
      "503(?!bab|a$)",
  };
  const std::vector<std::string> pieces = {"err", "ERR", "503", "404", "403", "bab", "aba",
                                           "a",   "b",   "4",   "5",   " ",   ":",   ": ",
                                           ".",   "-",   "_",   "*",   "\n"};
  std::uint32_t state = 1;
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) {
    std::string& text = texts.emplace_back();
    for (int n = i % 40; n > 0; --n) {
      state = state * 1664525 + 1013904223;
      text += pieces[(state >> 16) % pieces.size()];
    }
  }
  same_as_plain(patterns, texts);
}

#include "rules/evidence/evidence.hpp"
#include "rules/evidence/json_member.hpp"

#include <retry_exec/rule_tools.hpp>
#include <retry_exec/text.hpp>

#include <boost/system/result.hpp>

#include <algorithm>
#include <array>

namespace retry_exec {

using namespace rules;

namespace {

// What differs from one failure to the next, and what stands for it in a pattern. The first that
// begins earliest wins.
struct Variable {
  std::string_view pattern;
  std::string_view replacement;
};

constexpr std::array variables = {
    Variable{"…", ".*"},
    Variable{R"(\[redacted\])", ".*"},
    Variable{R"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)",
             R"(\S+ ?\S*)"},
    Variable{R"([a-z][a-z0-9+.-]*://[^\s"',;<>]*[^\s"',;<>:.])", R"(\S+)"},
    Variable{R"(sha(?:256|512):[0-9a-f]{6,})", R"(sha\d+:[0-9a-f]+)"},
    Variable{R"re((?<!code: )(?<!code=)(?<!Code: )"[^"\n]*")re", R"("[^"\n]*")"},
    Variable{R"('[^'\n]*')", R"('[^'\n]*')"},
    Variable{R"(\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b)", R"([\d.]+(?::\d+)?)"},
    Variable{R"(\[[0-9a-fA-F:]{3,}\](?::\d+)?)", R"(\[[0-9a-fA-F:]+\](?::\d+)?)"},
    Variable{R"(\b[\w.-]+\.[a-z]{2,}(?::\d+)?(?:/[\w./@:+-]*\w)?)", R"(\S+)"},
    Variable{R"((?<![\w.])/[\w./@:+-]*\w)", R"(\S+)"},
    Variable{R"(\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)", "[0-9a-f-]+"},
    // Elsewhere it is a code, which tells two failures apart.
    Variable{R"((?i)(?<=\bat |\baddress |\bpointer )0x[0-9a-f]+\b)", "0x[0-9a-fA-F]+"},
    Variable{R"(\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b)", "[0-9a-f]+"},
    Variable{R"(\b\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)\b)", R"([\d.]+\w+)"},
    Variable{R"((?i)(?<=retry in |again in |retry after |retry-after: )\d+\b)", R"(\d+)"},
    // A number that names an error tells two failures apart.
    Variable{
        R"((?i)(?<!code )(?<!code: )(?<!code=)(?<!error )(?<!error: )(?<!errno )(?<!(?-i:[A-Z])-)\b\d{4,}\b)",
        R"(\d+)"},
};

constexpr char32_t unseen_mark = 0xfffd;

constexpr std::uint64_t allowed = 20'000'000;  // steps
constexpr std::size_t longest_line = 400;

// `f` makes a text of each character; `otherwise` stands for some that a rule file cannot hold, or
// that nobody would see there.
template <class F>
std::string for_rule_file(std::string_view text, std::string_view otherwise, F f) {
  std::string result;
  bool in_a_row = false;
  while (!text.empty()) {
    const text::CodePoint point = text::first_code_point(text);
    const bool shown = point.valid && !text::is_unseen(point.value) && point.value != unseen_mark;
    if (shown) {
      result += f(text.substr(0, point.length));
    } else if (!in_a_row) {
      result += otherwise;
    }
    in_a_row = !shown;
    text.remove_prefix(point.length);
  }
  return result;
}

// Bytes, as patterns are of bytes: how many there are of a character is not known where it is
// marked only.
std::string escaped(std::string_view text) {
  return for_rule_file(text, "[^ -~]+", [](std::string_view c) {
    const bool special = std::string_view(R"(\^$.[]|()?*+{})").find(c) != std::string_view::npos;
    return (special ? "\\" : "") + std::string(c);
  });
}

// The literal parts of the line escaped, its variable ones made variable.
std::string pattern_for(std::string_view line) {
  std::vector<LazyPattern> patterns;
  patterns.reserve(std::size(variables));
  for (const Variable& variable : variables) patterns.emplace_back(variable.pattern);
  MatchMemory memory;
  WorkBudget budget(allowed);
  std::string result;
  for (std::size_t from = 0; from < line.size();) {
    std::size_t begin = line.size();
    std::size_t end = line.size();
    std::string_view replacement;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const Pattern* pattern = patterns[i].get(budget);
      if (pattern == nullptr || pattern->search(line, from, memory, budget) != Search::found)
        continue;
      if (memory.begin() >= begin) continue;
      begin = memory.begin();
      end = memory.end();
      replacement = variables[i].replacement;
    }
    result += escaped(line.substr(from, begin - from));
    result += replacement;
    from = end;
  }
  return result;
}

std::optional<std::size_t> last_match(const std::string& source, std::string_view text) {
  const LazyPattern lazy(source);
  MatchMemory memory;
  WorkBudget budget(allowed);
  const Pattern* pattern = lazy.get(budget);
  std::optional<std::size_t> found;
  for (std::size_t from = 0; pattern != nullptr && from < text.size();) {
    if (pattern->search(text, from, memory, budget) != Search::found) break;
    found = memory.begin();
    from = std::max(memory.end(), from + 1);
  }
  return found;
}

// A line that tells of a try, sums up that something failed, or stands in a stack says not why.
constexpr std::string_view not_a_summary =
    R"((?i)^(?!\s+at |\s*File "|[^\n]*(?:\bwarn|\bretrying|\bwill retry|did not complete|didn't exit successfully|failed to restore|build failed|build failure|failed with an exception|exit(?:ed|s)? (?:with )?(?:non-zero )?(?:code|status)|returned (?:a )?non-zero|make(?:\[\d+\])?: \*\*\*|^error \d+$|a complete log of this run|ELIFECYCLE|\[Help \d\]|re-run |for more (?:information|details)|run with --|see the (?:log|report)|failed to push some refs|fetching [^\n]* failed!$|recipe for target)))";

constexpr std::string_view a_cause =
    R"([^\n]*(?:timed? ?-?out|timeout|deadline exceeded|refused|reset by|\bEOF\b|unreachable|no such host|resolve|x509|certificate|TLS|SSL|denied|unauthori[sz]ed|forbidden|not found|no space|rate limit|too many|unavailable|\b[45]\d\d\b|(?-i:\bE[A-Z]{4,}\b)|\bcode:? ?\d+))";

constexpr std::string_view an_error =
    R"([^\n]*\b(?:error|fatal|fail(?:ed|ure)?|cannot|could not|unable to)\b)";

// The line that tells most: the last that names a cause, else the last that speaks of an error,
// else the last; none where all only sum up.
std::optional<std::size_t> telling_line(std::string_view text) {
  for (const std::string_view words : {a_cause, an_error, std::string_view("[^\\n]*\\S")}) {
    const auto found = last_match(std::string(not_a_summary) + std::string(words), text);
    if (found) return found;
  }
  return std::nullopt;
}

// Named after the first words of the line that do not vary.
std::string id_for(std::string_view pattern) {
  std::string id;
  std::size_t words = 0;
  std::string word;
  const auto take = [&] {
    const bool telling = word.size() > 2 && word != "error" && word != "fatal" && word != "the";
    if (telling && words < 5) {
      text::append_to(id, word, "-");
      ++words;
    }
    word.clear();
  };
  for (const char c : pattern) {
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'z') {
      word += lower;
    } else {
      take();
    }
  }
  take();
  return id.empty() ? "new-rule" : id.substr(0, 60);
}

// Whether anything is left in a pattern by which one failure can be told from another.
bool tells_anything(std::string pattern) {
  const auto erase = [&](std::string_view text) {
    for (std::size_t at = 0; (at = pattern.find(text, at)) != std::string::npos;)
      pattern.erase(at, text.size());
  };
  for (const Variable& variable : variables) erase(variable.replacement);
  for (const std::string_view word :
       {"error", "Error", "ERROR", "fatal", "FATAL", "failed", "Failed", "FAILED", "failure",
        "Failure", "FAILURE", "unknown", "Unknown", "UNKNOWN"})
    erase(word);
  const auto tells = [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80) != 0;
  };
  return std::count_if(pattern.begin(), pattern.end(), tells) >= 3;
}

// As YAML takes it: some words are not strings there.
std::string as_yaml_text(const std::string& id) {
  constexpr std::array<std::string_view, 8> words = {"null", "true", "false", "yes",
                                                     "no",   "on",   "off",   "nan"};
  const bool word = std::find(words.begin(), words.end(), id) != words.end();
  return word ? "'" + id + "'" : id;
}

std::string in_single_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    result += c;
    if (c == '\'') result += c;
  }
  return result + "'";
}

std::string as_example(std::string_view text) {
  return for_rule_file(text, "\uFFFD", [](std::string_view c) { return std::string(c); });
}

// Of a telling member: what stands between the quotation marks.
std::string_view value_of(std::string_view member) {
  const std::size_t value = member.find('"', member.find(':')) + 1;
  return member.substr(value, member.size() - value - 1);
}

// Its value is not a quoted string that varies.
std::string pattern_for_member(std::string_view member) {
  const std::string_view value = value_of(member);
  const auto name = member.substr(0, static_cast<std::size_t>(value.data() - member.data()));
  return escaped(name) + pattern_for(value.substr(0, longest_line)) +
         (value.size() <= longest_line ? "\"" : "");
}

// The member by which the line can be told from others, if it is JSON.
std::string_view member_of(std::string_view line) {
  const std::string_view member = telling_member(line);
  const bool tells = !member.empty() && tells_anything(std::string(value_of(member)));
  return tells ? member : std::string_view();
}

// Of JSON no more than what stands before it.
std::string pattern_for_line(std::string_view line) {
  std::string_view telling = before_json(line).substr(0, longest_line);
  const bool whole = telling.size() == line.size();
  const std::size_t first = telling.find_first_not_of(" \t");
  telling.remove_prefix(std::min(first, telling.size()));
  return (first == 0 ? "^" : "") + pattern_for(telling) + (whole ? "$" : "");
}

// The text, and of each line of JSON what tells: numbers and words beside it are of no failure.
std::string telling_parts(std::string_view text) {
  std::string parts;
  text::for_each_part(text, '\n', [&](std::string_view line) {
    const std::string_view member = member_of(line);
    parts += member.empty() ? before_json(line) : member;
    parts += '\n';
  });
  return parts;
}

}  // namespace

std::string Suggestion::yaml() const {
  return "  - id: " + as_yaml_text(id) +
         "\n    class: suspect     # or transient, throttled, absent, permanent: does it pass by "
         "itself?"
         "\n    match: " +
         in_single_quotes(match) +
         "\n    because: say why it does (or does not) pass by itself"
         "\n    examples:"
         "\n      match: [" +
         in_single_quotes(example) + "]\n";
}

std::optional<Suggestion> suggest_rule(const Explanation& explanation) {
  const std::string parts = telling_parts(explanation.evidence);
  const std::optional<std::size_t> at = telling_line(parts);
  if (!at) return std::nullopt;
  const std::size_t number = line_number(parts, *at);
  const std::string_view line = nth_line(explanation.evidence, number);
  const std::string_view member = member_of(line);
  Suggestion suggestion;
  suggestion.match = member.empty() ? pattern_for_line(line) : pattern_for_member(member);
  const std::string telling =
      member.empty() ? suggestion.match : pattern_for(value_of(member).substr(0, longest_line));
  if (!tells_anything(telling)) return std::nullopt;
  suggestion.id = id_for(telling);
  suggestion.example =
      as_example(member.empty() ? before_json(nth_line(explanation.unmasked, number)) : member);
  return suggestion;
}

std::vector<std::string> permanent_look_alikes(const Suggestion& suggestion) {
  std::vector<std::string> found;
  const LazyPattern lazy(suggestion.match);
  WorkBudget budget(allowed);
  const Pattern* pattern = lazy.get(budget);
  MatchMemory memory;
  for (const BuiltinSet& builtin : builtin_sets()) {
    const Result<RuleSet, Errors> set = load_rule_set(std::string(builtin.name));
    if (!set || pattern == nullptr) continue;
    for (const Rule& rule : set->rules) {
      if (rule.set_name != set->name || rule.class_name != "permanent") continue;
      for (const Example& example : rule.examples_match) {
        if (pattern->search(example.text, 0, memory, budget) == Search::found) {
          found.push_back(rule.full_id() + ": " + example.text);
        }
      }
    }
  }
  return found;
}

}  // namespace retry_exec

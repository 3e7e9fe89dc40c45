// PCRE2, so wrapped that no pattern and no text can cost more than it may.
#pragma once

#include "rules/matching/work_budget.hpp"
#include "text/pcre2.hpp"

#include <retry_exec/rules.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace retry_exec::rules {

// What a match needs beside the pattern: reused from one to the next.
class MatchMemory {
 public:
  MatchMemory();

  // Of the last match that was found.
  std::size_t begin() const { return group(0).first; }
  std::size_t end() const { return group(0).second; }
  // Both npos when the group took no part in the match.
  std::pair<std::size_t, std::size_t> group(std::size_t number) const;

 private:
  friend class Pattern;
  text::Pcre2<pcre2_match_data> data_;
  text::Pcre2<pcre2_match_context> context_;
  text::Pcre2<pcre2_jit_stack> stack_;
};

enum class Search { found, nothing, limit };

class Pattern {
 public:
  // `ignore_case`: as with "(?i)" before it.
  static Result<Pattern, text::Pcre2Error> compile(std::string_view source,
                                                   bool ignore_case = false);

  bool may_match_empty() const;
  // The number of a named group, or of the first group; 0 when there is none.
  std::size_t group_named(const char* name) const;
  std::size_t first_group() const;

  // The first match that begins at `from` or later, and not behind `last`. `limit`: it could not be
  // found out within PCRE2's limits or the budget.
  Search search(std::string_view text, std::size_t from, MatchMemory& memory, WorkBudget& budget,
                std::size_t last = std::string_view::npos) const;

 private:
  Pattern(text::Pcre2<pcre2_code> code, std::size_t length);
  bool prepare_for(std::size_t bytes, WorkBudget& budget) const;

  text::Pcre2<pcre2_code> code_;
  std::size_t length_;  // of its text
  bool refers_back_ = false;
  mutable std::size_t bytes_seen_ = 0;
  mutable bool jit_tried_ = false;
  mutable bool jit_ = false;
};

// A pattern that is compiled when it is first needed: most rules never are.
class LazyPattern {
 public:
  LazyPattern() = default;
  explicit LazyPattern(std::string_view source, bool ignore_case = false)
      : source_(source), ignore_case_(ignore_case) {}

  // nullptr for a pattern that does not compile (files with such are refused when they are read),
  // or that is longer than the budget allows.
  const Pattern* get(WorkBudget& budget) const;
  std::string_view source() const { return source_; }

 private:
  std::string_view source_;
  bool ignore_case_ = false;
  mutable std::optional<Pattern> pattern_;
};

}  // namespace retry_exec::rules

// PCRE2, so wrapped that no pattern and no text can cost more than it may.
#pragma once

#include "rules/work_budget.hpp"

#include <retry_exec/rules.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace retry_exec::rules {

struct PatternError {
  std::string what;
  std::size_t offset = 0;  // in the pattern's text
};

// What a match needs beside the pattern: reused from one to the next.
class Scratch {
 public:
  Scratch();
  Scratch(Scratch&&) noexcept;
  ~Scratch();

  // Of the last match that was found.
  std::size_t begin() const { return group(0).first; }
  std::size_t end() const { return group(0).second; }
  // Both npos when the group took no part in the match.
  std::pair<std::size_t, std::size_t> group(std::size_t number) const;

 private:
  friend class Pattern;
  struct Free {
    void operator()(pcre2_real_match_data_8* data) const;
    void operator()(pcre2_real_match_context_8* context) const;
    void operator()(pcre2_real_jit_stack_8* stack) const;
  };
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack_;
};

enum class Search { found, nothing, limit };

class Pattern {
 public:
  static Result<Pattern, PatternError> compile(std::string_view source);

  bool may_match_empty() const;
  // The number of a named group, or of the first group; 0 when there is none.
  std::size_t group_named(const char* name) const;
  std::size_t first_group() const;

  // The first match that begins at `from` or later, and not behind `last`. `limit`: it could not be
  // found out within PCRE2's limits or the budget.
  Search search(std::string_view text, std::size_t from, Scratch& scratch, WorkBudget& budget,
                std::size_t last = std::string_view::npos) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  Pattern(pcre2_real_code_8* code, std::size_t length);
  bool prepare_for(std::size_t bytes, WorkBudget& budget) const;

  std::unique_ptr<pcre2_real_code_8, Free> code_;
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
  explicit LazyPattern(std::string_view source) : source_(source) {}

  // nullptr for a pattern that does not compile (files with such are refused when they are read),
  // or that is longer than the budget allows.
  const Pattern* get(WorkBudget& budget) const;
  std::string_view source() const { return source_; }

 private:
  std::string_view source_;
  mutable std::optional<Pattern> pattern_;
};

}  // namespace retry_exec::rules

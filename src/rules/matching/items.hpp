// A pattern taken apart into what PCRE2 reads as one: an escape, a class, the beginning of a group.
#pragma once

#include <cstddef>
#include <string_view>

namespace retry_exec::rules {

// Takes items of a pattern off its front.
class Items {
 public:
  explicit Items(std::string_view pattern) : rest_(pattern) {}

  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  bool starts_with(std::string_view text) const { return rest_.starts_with(text); }
  std::string_view take(std::size_t length);

  // Behind "(?".
  bool looks_around() const {
    return starts_with("=") || starts_with("!") || starts_with("<=") || starts_with("<!");
  }

  // A quoted text, an escape, a class, a comment, "(?", or one byte.
  std::string_view item();
  // "*", "+?", "{2,3}"; empty where there is none.
  std::string_view quantifier();

 private:
  std::string_view take_past(std::string_view end, std::size_t from);
  std::size_t class_length() const;

  std::string_view rest_;
};

}  // namespace retry_exec::rules

// PCRE2's objects, each with an owner, and its two calls that everyone needs. Patterns that a user
// may have written are rules/matching/pattern.hpp's.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace retry_exec::text {

struct FreePcre2 {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};
template <class Object>
using Pcre2 = std::unique_ptr<Object, FreePcre2>;

inline PCRE2_SPTR pcre2_bytes(std::string_view text) {
  // Older PCRE2 takes no null pointer, not even for an empty text.
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

struct Pcre2Error {
  std::string what;
  std::size_t offset = 0;  // in the pattern
};

// Nullptr, and an error, when the pattern does not compile.
Pcre2<pcre2_code> compile(std::string_view pattern, std::uint32_t options,
                          pcre2_compile_context* context, Pcre2Error& error);

}  // namespace retry_exec::text

#include "text/pcre2.hpp"

#include <algorithm>

namespace retry_exec::text {

Pcre2<pcre2_code> compile(std::string_view pattern, std::uint32_t options,
                          pcre2_compile_context* context, Pcre2Error& error) {
  int number = 0;
  error = {};
  Pcre2<pcre2_code> code(pcre2_compile(pcre2_bytes(pattern), pattern.size(), options, &number,
                                       &error.offset, context));
  if (code) return code;
  error.what.resize(256);
  const int length = pcre2_get_error_message(
      number, reinterpret_cast<PCRE2_UCHAR*>(error.what.data()), error.what.size());
  error.what.resize(static_cast<std::size_t>(std::max(length, 0)));
  return code;
}

}  // namespace retry_exec::text

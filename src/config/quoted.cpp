// Writing texts so that parse() reads them as they are.
#include <retry_exec/config.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>

namespace retry_exec::config {

namespace {

constexpr unsigned bits_of_a_digit = 4;

std::string hexadecimal(char32_t value, unsigned digits) {
  static constexpr std::string_view all = "0123456789ABCDEF";
  std::string text(digits, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, value >>= bits_of_a_digit) {
    *at = all[value & 0xfU];
  }
  return text;
}

// What YAML does not allow, takes for a line break, or is not seen where it stands.
bool needs_escape(char32_t value) {
  const bool no_character = value >= 0xfffe && (value & 0xfffeU) == 0xfffe;
  return no_character || text::is_unseen(value);
}

std::string escaped(char32_t value) {
  if (value == '\n') return "\\n";
  if (value == '\r') return "\\r";
  if (value == '\t') return "\\t";
  if (value <= 0xff) return "\\x" + hexadecimal(value, 2);
  return value <= 0xffff ? "\\u" + hexadecimal(value, 4) : "\\U" + hexadecimal(value, 8);
}

template <class Visit>
void for_each_code_point(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const text::CodePoint point = text::first_code_point(text);
    visit(point, text.substr(0, point.length));
    text.remove_prefix(point.length);
  }
}

}  // namespace

std::string in_quotation_marks(std::string_view text) {
  bool plain = true;
  std::string single = "'";
  std::string twice = "\"";
  for_each_code_point(text, [&](const text::CodePoint& point, std::string_view bytes) {
    const bool escape = point.valid && needs_escape(point.value);
    plain = plain && !escape;
    single += bytes == "'" ? "''" : bytes;
    if (bytes == "\"" || bytes == "\\") twice += '\\';
    twice += escape ? escaped(point.value) : std::string(bytes);
  });
  return plain ? single + "'" : twice + "\"";
}

}  // namespace retry_exec::config

#include "redact/secret_forms.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace retry_exec::redact {

namespace {

// Boost 1.81 has base64 in the details of Beast only, and percent-encoding in Boost.URL, which is a
// library to link and writes one form where secrets need each.
std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += digits[(bits >> (count - 6)) & 0x3fU];
  }
  if (count > 0) text += digits[(bits << (6 - count)) & 0x3fU];
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// The base64 digits that say `secret`, and nothing of what is around it, when `before` bytes (of
// three) are encoded before it: user:secret.
std::string base64_inside(std::string_view secret, std::size_t before) {
  constexpr std::array<std::size_t, 3> shared = {0, 2, 3};  // digits that tell of those bytes too
  const std::string text = base64(std::string(before, '\0').append(secret));
  const std::size_t whole = (before + secret.size()) * 8 / 6;
  return text.substr(shared[before], whole - shared[before]);
}

std::string for_url(std::string text) {
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string in_hexadecimal(std::string_view bytes, std::string_view digits) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {digits[byte >> 4U], digits[byte & 0xfU]};
  }
  return text;
}

// As base64(1) and openssl break it.
void for_each_line(std::string_view text, const std::function<void(std::string_view)>& f) {
  constexpr std::size_t shortest = 16;
  for (const std::size_t width : {64U, 76U}) {
    for (std::size_t at = 0; text.size() > width && at < text.size(); at += width) {
      if (text.size() - at >= shortest) f(text.substr(at, width));
    }
  }
}

}  // namespace

void for_each_form(std::string_view secret, const std::function<void(std::string_view)>& f) {
  const std::string whole = base64(secret);
  const std::string unpadded = whole.substr(0, whole.find('='));
  for (const std::string& form : {whole, unpadded, for_url(whole), for_url(unpadded)}) f(form);
  for (std::size_t before = 0; before < 3; ++before) {
    f(base64_inside(secret, before));
    f(for_url(base64_inside(secret, before)));
  }
  for (const std::string_view digits : {"0123456789abcdef", "0123456789ABCDEF"}) {
    f(in_hexadecimal(secret, digits));
  }
  for_each_line(whole, f);
}

}  // namespace retry_exec::redact

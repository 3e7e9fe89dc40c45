// Which bytes may stand at a place of a text, or that the text ends there.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>

namespace retry_exec::rules {

class ByteSet {
 public:
  static ByteSet all() {
    ByteSet set;
    set.bits_.set();
    return set;
  }
  static ByteSet of(std::string_view bytes) {
    ByteSet set;
    for (const char c : bytes) set.add(c);
    return set;
  }
  // What \w stands for: patterns know ASCII only.
  static ByteSet word() {
    ByteSet set;
    for (char c = 'a'; c <= 'z'; ++c) set.add(c);
    for (char c = 'A'; c <= 'Z'; ++c) set.add(c);
    for (char c = '0'; c <= '9'; ++c) set.add(c);
    set.add('_');
    return set;
  }
  static ByteSet edge() {
    ByteSet set;
    set.bits_.set(edge_place);
    return set;
  }

  void add(char c) { bits_.set(static_cast<unsigned char>(c)); }
  bool has(char c) const { return bits_.test(static_cast<unsigned char>(c)); }
  bool has_edge() const { return bits_.test(edge_place); }
  std::size_t bytes() const { return bits_.count() - (has_edge() ? 1 : 0); }

  ByteSet operator&(const ByteSet& other) const { return ByteSet(bits_ & other.bits_); }
  ByteSet operator|(const ByteSet& other) const { return ByteSet(bits_ | other.bits_); }
  // Every byte that is not in it, and the edge if that is not.
  ByteSet operator~() const { return ByteSet(~bits_); }
  bool operator==(const ByteSet&) const = default;

  // Of each letter both cases.
  ByteSet in_both_cases() const {
    ByteSet both = *this;
    for (char c = 'a'; c <= 'z'; ++c) {
      const char upper = static_cast<char>(c - 'a' + 'A');
      if (has(c)) both.add(upper);
      if (has(upper)) both.add(c);
    }
    return both;
  }

 private:
  static constexpr std::size_t edge_place = 256;
  ByteSet() = default;
  explicit ByteSet(const std::bitset<257>& bits) : bits_(bits) {}
  std::bitset<257> bits_;
};

bool is_alphanumeric(char c);  // of ASCII

// What "\d" and the like stand for, by their letter.
std::optional<ByteSet> set_of_escape(char c);

}  // namespace retry_exec::rules

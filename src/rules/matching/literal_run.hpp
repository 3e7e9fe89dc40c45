// What is known of the parts of a pattern, and how it adds up along a concatenation.
#pragma once

#include "rules/matching/literals.hpp"

#include <cstdint>
#include <optional>

namespace retry_exec::rules {

// A literal in the making: it may be shorter, and a \b at its ends is not worked out yet.
struct Fragment {
  std::string text;
  ByteSet before = ByteSet::all();
  ByteSet after = ByteSet::all();
  bool edge_before = false;
  bool edge_after = false;
  Bars bars = {};
  std::uint32_t reach = 0;
};
using Fragments = std::vector<Fragment>;

Fragment joined(const Fragment& left, const Fragment& right);
// What stands on the other side of a \b from a byte.
ByteSet beyond_edge(char c);
std::vector<Literal> resolved(const Fragments& fragments);
// How rare the commonest of them is, in bits; 0 where one is too short to be looked for.
int rarity_of(const Fragments& fragments);

// What is known of a part of a pattern: it matches nothing that lacks all of `fragments`. When
// `exact` it matches just these.
struct Known {
  Fragments fragments;
  bool exact = false;
  Fragments also = {};             // nor what lacks all of these; may be empty
  bool one_byte = false;           // it matches one byte, of the set `first`
  ByteSet first = ByteSet::all();  // what a match may begin with, and end with
  ByteSet last = ByteSet::all();
  std::uint32_t longest = any_reach;  // bytes of a match

  static Known text(std::string_view text);
  static Known byte_of(const ByteSet& set);
  static Known zero_width(const Fragment& fragment);
  static Known unknown() { return {}; }
};

struct Repeat {
  enum class Kind { once, maybe, more, any };
  Kind kind = Kind::once;
  std::uint32_t most = 1;
};

// The run of exact pieces that a concatenation is in the middle of, and the best two of what stood
// before it.
class Run {
 public:
  // `whole`: as far as can be, all that it matches is written out, whether that tells much or not.
  explicit Run(bool whole = false) : wants_whole_(whole) {}
  void add(Known piece, const Repeat& repeat);
  Known known();

 private:
  std::size_t shortest_text() const;
  bool begins_with_signs(const Known& piece) const;
  bool worth_writing_out(const Fragments& pieces) const;
  void append(const Fragments& pieces, std::uint32_t start);
  // Ends the run: a byte of `next` follows it, and one of `previous` stands before what comes then,
  // so many bytes behind the beginning.
  void cut(const ByteSet& next, const ByteSet& previous, std::uint32_t start);
  void consider(Fragments fragments, std::uint32_t start);

  Fragments fragments_ = {{}};
  Fragments best_;
  Fragments second_;
  int best_rarity_ = 0;
  int second_rarity_ = 0;
  std::uint32_t start_ = 0;   // of the run, behind the beginning, at most
  std::uint32_t length_ = 0;  // of all so far, at most
  bool whole_ = true;
  bool wants_whole_ = false;
};

}  // namespace retry_exec::rules

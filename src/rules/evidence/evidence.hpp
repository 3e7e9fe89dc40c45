// From what a command printed to what rules may look at.
#pragma once

#include "rules/matching/pattern.hpp"
#include "rules/matching/prefilter.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::rules {

// Of a longer line the middle is left out, and "…" stands there.
inline constexpr std::size_t longest_line_seen = std::size_t{16} << 10;

// The text as a person would have seen it on a terminal, in bounded lines: escape sequences and
// other control characters gone, CR LF as LF, of a line that was overwritten by CR the last state.
std::string as_seen(std::string_view text);
std::string as_seen(const CapturedStream& stream);

// A line without what a CI system (time stamp, "##[error]") or a builder ("#12 1.234 ") put before
// it: patterns say with ^ where a line of the command begins.
std::string_view without_line_prefix(std::string_view line);

// Makes one line again of text that a tool broke at 80 columns: a pattern is of words, and does not
// know where one of them found no room.
void unwrap(std::string& text);

// Stands where a mask hid something.
inline constexpr std::string_view masked_mark = "…";

// An evidence source with its patterns.
struct EvidencePatterns {
  const EvidenceSource* source = nullptr;  // nullptr: the default
  LazyPattern focus;
  std::vector<LazyPattern> masks;
  std::size_t first_mask = 0;  // its number in the prefilter of the set
};

// How much of a stream is looked at. Causes stand in its last lines, behind what else a command has
// to say; so these are looked at by themselves first.
enum class Extent { end, whole };

// Views of an EvidenceRoom's texts, and valid as long as that: megabytes are copied only where a
// mask changes them.
struct Evidence {
  std::string stream;                   // "stderr", "stdout", "stdout and stderr"
  std::string_view unmasked;            // focused
  std::unique_ptr<std::string> hidden;  // the same with masks applied, where any did

  // Where the patterns of the set are worth trying in them.
  Prefilter::Found in_unmasked;
  Prefilter::Found in_hidden;

  // What rules see: line by line the same.
  std::string_view masked() const { return hidden ? std::string_view(*hidden) : unmasked; }
  const Prefilter::Found& in_masked() const { return hidden ? in_hidden : in_unmasked; }
};

// The evidence of one attempt, worked out when it is first asked for.
class EvidenceRoom {
 public:
  EvidenceRoom(const CapturedOutput& output, MatchMemory& memory, WorkBudget& budget)
      : output_(output), memory_(memory), budget_(budget) {}

  // Whether a mask met a limit: what it could not search is hidden, and rules see less than there
  // is.
  bool cut_short() const { return cut_short_; }

  // Whether there is more than the end of a stream.
  bool is_long();

  // What `patterns` makes of `stream`; without a stream, of the source's. `prefilter` is that of
  // the set.
  Evidence evidence(const EvidencePatterns& patterns, const Prefilter& prefilter,
                    std::optional<Stream> stream, Extent extent);

 private:
  std::string_view seen(Stream stream, Extent extent);
  std::string_view seen_of_one(Stream stream, Extent extent);
  std::string_view focused(const EvidencePatterns& patterns, std::string_view text);
  std::unique_ptr<std::string> masked(const EvidencePatterns& patterns, std::string_view text,
                                      const Prefilter::Found& found);
  // Nullptr where nothing was hidden.
  std::unique_ptr<std::string> without(const Pattern& mask, std::string_view text,
                                       const Places& places);

  const CapturedOutput& output_;
  MatchMemory& memory_;
  WorkBudget& budget_;
  bool cut_short_ = false;
  std::optional<std::string> seen_[2];          // by Stream
  std::optional<std::string> seen_of_both_[2];  // by Extent
};

// The line of `text` that holds the byte at `offset`, and its number from 0.
std::string_view line_at(std::string_view text, std::size_t offset);
std::size_t line_number(std::string_view text, std::size_t offset);
std::string_view nth_line(std::string_view text, std::size_t number);
std::string_view last_line(std::string_view text);  // that is not blank

// A line as it is shown: whole, or what stands around `matched`, or its end. What is cut
// is said.
std::string excerpt_of(std::string_view line, std::string_view matched);

// The same of a line of `text`; with the line that stands before it where that may say that it is a
// secret ("password: |"), so that who takes secrets out can see it.
std::string excerpt_below(std::string_view text, std::string_view line, std::string_view matched);

}  // namespace retry_exec::rules

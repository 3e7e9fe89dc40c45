// A report or a summary that one of our programs writes between what a command prints.
#pragma once

#include <string_view>

namespace retry_exec::rules {

// Reads an output line by line, as seen. A report ends at the first line that none could have: one
// that was cut off hides nothing of what follows.
class OwnReport {
 public:
  enum class Line {
    of_the_command,
    of_a_report,
    and_the_last_one,  // of a report, and so was the line before
  };
  Line read(std::string_view line);

 private:
  enum class Place {
    outside,
    behind_command,
    behind_start,
    in_text,
    in_table,
    in_chart,
    behind_chart
  };

  // Where the next line is, if `line` can stand in this place of a report; else outside.
  Place after(std::string_view line) const;

  Place place_ = Place::outside;
};

}  // namespace retry_exec::rules

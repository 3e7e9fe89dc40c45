#include "rules/evidence/own_lines.hpp"

#include <retry_exec/outcome.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace retry_exec::rules {

namespace {

bool remove_up_to(std::string_view& text, std::string_view what) {
  const std::size_t at = text.find(what);
  if (at == std::string_view::npos) return false;
  text.remove_prefix(at + what.size());
  return true;
}

// "attempt 1/5 failed in 2s: timed out after 2s", "gave up after 5 attempts in 19s: stalled for
// 2s". The command could not say it.
bool tells_of_a_limit(std::string_view text) {
  constexpr std::array<std::string_view, 4> endings = {"attempt ", "gave up ",
                                                       "not retried: ", "not retried again: "};
  constexpr std::array<std::string_view, 3> limits = {"timed out after ", "printed nothing for ",
                                                      "stalled for "};
  return text::starts_with_one_of(text, endings) && remove_up_to(text, ": ") &&
         text::starts_with_one_of(text, limits);
}

// What each line begins with that the log, or --explain, has of a run.
bool is_of_a_run(std::string_view text) {
  constexpr std::array<std::string_view, 29> starts = {"attempt ",
                                                       "waiting ",
                                                       "not retried: ",
                                                       "not retried again: ",
                                                       "gave up ",
                                                       "succeeded ",
                                                       "interrupted",
                                                       "save the output to a file: ",
                                                       "because: ",
                                                       "rule ",
                                                       "and so were ",
                                                       "rules: ",
                                                       "inside another retry-exec",
                                                       "the attempt has read standard input",
                                                       "--before-retry succeeded ",
                                                       "--before-retry failed ",
                                                       "--stall-timeout has no effect here",
                                                       "removed ",
                                                       "put back ",
                                                       "cannot remove what the failed attempt",
                                                       "output was cut off",
                                                       "SIG",
                                                       "evidence, from ",
                                                       "as rules see it, masked:",
                                                       "rules tried, in order:",
                                                       "verdict: ",
                                                       "    ",
                                                       "next attempt in ",
                                                       "process "};
  return text.empty() || text::starts_with_one_of(text, starts);
}

OwnLine told_in(std::string_view text) {
  if (tells_of_a_limit(text))
    return text.starts_with("attempt ") ? OwnLine::attempt_at_limit : OwnLine::cause;
  if (text.starts_with("waiting ")) return OwnLine::another_attempt;
  constexpr std::array<std::string_view, 5> ends = {
      "gave up ", "not retried: ", "not retried again: ", "succeeded ", "interrupted"};
  if (text::starts_with_one_of(text, ends)) return OwnLine::end_of_run;
  return is_of_a_run(text) ? OwnLine::of_a_run : OwnLine::cause;
}

OwnLine told_in_annotation(std::string_view line) {
  if (!text::remove_prefix_of(line, "::error") && !text::remove_prefix_of(line, "::warning"))
    return OwnLine::cause;
  if (!text::remove_prefix_of(line, " title=retry-exec") || !remove_up_to(line, "::"))
    return OwnLine::cause;
  return told_in(line);
}

bool is_json_of_a_limit(std::string_view line) {
  return remove_up_to(line, R"("event":"attempt-finished")") &&
         remove_up_to(line, R"("outcome":{"kind":"timed-out","limit":")") &&
         !line.starts_with(to_string(TimeLimit::deadline));
}

}  // namespace

bool is_json_of(std::string_view program, std::string_view line) {
  return text::remove_prefix_of(line, R"({"time":")") && remove_up_to(line, "\"") &&
         text::remove_prefix_of(line, R"(,"program":")") && text::remove_prefix_of(line, program) &&
         line.starts_with('"');
}

OwnLine own_line(std::string_view line) {
  if (text::remove_prefix_of(line, "retry-exec: ")) return told_in(line);
  if (line.starts_with("::")) return told_in_annotation(line);
  if (!is_json_of("retry-exec", line)) return OwnLine::cause;
  if (remove_up_to(line, R"("event":"note","text":")"))
    return line.starts_with('"') || is_of_a_run(line) ? OwnLine::of_a_run : OwnLine::cause;
  if (line.find(R"("event":"wait-started")") != line.npos) return OwnLine::another_attempt;
  if (is_json_of_a_limit(line)) return OwnLine::attempt_at_limit;
  if (remove_up_to(line, R"("event":"run-finished","reason":")"))
    return line.starts_with(R"(internal")") ? OwnLine::cause : OwnLine::end_of_run;
  const bool not_started = line.find(R"("outcome":{"kind":"not-started")") != line.npos;
  return not_started ? OwnLine::cause : OwnLine::of_a_run;
}

}  // namespace retry_exec::rules

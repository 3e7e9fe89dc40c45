// The one place that prints: whatever a program of ours says on standard output or standard error
// passes here, and is made safe for who reads it there, a terminal or the runner of a CI job. A
// test finds any other (tests/unit/map_test.cpp).
#pragma once

#include "report/shown.hpp"

#include <retry_exec/quantity.hpp>
#include <retry_exec/report.hpp>

#include <string>
#include <string_view>

namespace retry_exec {

// Lines of the log, as report/ makes them, on standard error. In `format` github alone what reads
// like a command of the runner is one. Returns 0 or an errno, as write_all().
int print_log(std::string_view lines, LogFormat format, TimePoint give_up = TimePoint::max());

// What is drawn in place at a terminal, of which every row is printable already.
int print_status(std::string_view drawing, TimePoint give_up);

// An answer, or a complaint in its place, on `fd`: shown(), and without the secrets of the
// environment.
int print_answer(int fd, std::string_view text, Form form);

// What the build made, byte for byte, on standard output: manual pages, completions.
int print_documentation(std::string_view text);

// That there is no memory, in whatever format the log is: there may be none for a line of it.
void print_out_of_memory(std::string_view program);

// Text that is safe for the terminal or, where GITHUB_ACTIONS says so, the job's log: for reports.
std::string shown(std::string_view text, Form form);

}  // namespace retry_exec

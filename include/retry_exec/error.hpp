// Errors that a user can cause, as values.
//
// An Error says where (file:line:column, where it is known), what is wrong, and what would be
// right. Functions that can fail for a user's reason return Result<T>; those that read whole files
// return Result<T, Errors>, every error of the file at once. Errors that are our own bug abort
// loudly and never travel this way. An interruption is not an error (see outcome.hpp).
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec {

// A place in a text that a user wrote. Lines and columns count from 1; 0 means not known.
struct Position {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  bool operator==(const Position&) const = default;
};

struct Error {
  Position where;
  std::string what;

  bool operator==(const Error&) const = default;
};

using Errors = std::vector<Error>;

// Adds `more` to `errors`. By value: Result::error() returns a copy, so its begin() and end() must
// not be taken from two calls.
void append(Errors& errors, Errors more);

template <class T, class E = Error>
using Result = boost::system::result<T, E>;

// "ghcr.yaml:12:5: unknown key 'patern'; did you mean 'pattern'?"; the parts of the position that
// are not known are left out.
std::string to_string(const Error& error);

// "'x' is not a number from 1 to 9": `text`, of which a message holds the start, and what is wrong
// with it.
Error wrong_value(std::string_view text, std::string_view why);

// The known word nearest to `word`, or an empty view when none is near enough to be meant: at most
// a third of its letters away, by Damerau-Levenshtein distance.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

// Asking a Result for a value that it does not hold is our bug: both abort with the error's words.
// boost::system::result finds them by their argument.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);
[[noreturn]] void throw_exception_from_error(const Errors& errors,
                                             const boost::source_location& at);

}  // namespace retry_exec

// YAML texts with positions, read strictly: the form that rule files and publish plans share.
//
// yaml-cpp's own nodes keep duplicate keys, unterminated quotes and anchors without a word, and
// lose positions. This room reads yaml-cpp's events into a small tree of its own, in which
// everything has a line and a column, and refuses what a settings file has no use for: anchors,
// aliases, tags, keys that are not plain words, duplicate keys, a second document, absurd depth or
// size.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/quantity.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec::yaml {

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  std::string text;     // of a scalar
  bool quoted = false;  // '5' and "5" are strings, 5 is a number
  Position where;
  std::vector<Node> items;                     // of a sequence
  std::vector<std::pair<Node, Node>> entries;  // of a mapping, in the order of the file

  // The value under `key`, or nullptr.
  const Node* find(std::string_view key) const;
};

struct Limits {
  std::size_t bytes = std::size_t{1} << 20;
  std::size_t nodes = 100'000;
  std::size_t depth = 16;
};

// `file` is for the positions. Errors of syntax end the reading, so there is one; duplicate keys
// and the like are all reported.
Result<Node, Errors> parse(std::string_view text, const std::string& file,
                           const Limits& limits = {});

// Reads the file at `path` (a regular file or a pipe, at most limits.bytes) and parses it.
Result<Node, Errors> parse_file(const std::string& path, const Limits& limits = {});

// Takes the known keys out of a mapping, one after the other, and gathers every error instead of
// stopping at the first. A key that nobody asked for is an error that names the nearest known one.
//
//   Mapping fields(node, errors, "a rule");
//   rule.id = fields.text("id").value_or("");
//   ...
//   fields.finish();
class Mapping {
 public:
  // `what` names the thing for messages ("a rule"). A node that is no mapping is an error; all
  // fields are then absent.
  Mapping(const Node& node, Errors& errors, std::string_view what);

  const Node* node(std::string_view key);
  std::optional<std::string> text(std::string_view key);  // a scalar, quoted or not; not empty
  std::optional<bool> boolean(std::string_view key);      // true or false, unquoted
  std::optional<long long> integer(std::string_view key, long long least, long long most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<Duration> duration(std::string_view key);
  std::optional<std::uint64_t> size(std::string_view key);
  // A list of scalars; a lone scalar counts as a list of one.
  std::vector<const Node*> texts(std::string_view key);
  const Node* required(std::string_view key);

  // Reports the keys that nobody asked for.
  void finish();

 private:
  const Node* node_ = nullptr;
  Errors& errors_;
  std::string what_;
  std::vector<std::string_view> asked_;
};

}  // namespace retry_exec::yaml

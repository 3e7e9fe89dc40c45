// YAML texts with positions, read strictly: the form that rule files and publish plans share.
//
// yaml-cpp parses; its events become a tree of our own, because its nodes keep duplicate keys and
// quotes that are never closed without a word, and lose positions. A settings file has no use for
// anchors, aliases, tags, merge keys, keys that are not words, duplicate keys, a second document,
// or absurd depth or size: all are refused. Values are read by their text, never by YAML 1.1's
// rules: `no` is not a boolean, and 010 is not 8.
#pragma once

#include <retry_exec/error.hpp>
#include <retry_exec/quantity.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retry_exec::config {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  enum class Style : std::uint8_t { plain, single_quoted, double_quoted, block };
  std::string text;  // of a scalar
  Style style = Style::plain;
  bool one_line = true;  // a scalar that was written on one line
  Position where;
  struct Entry;
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a mapping, in the order of the file

  bool quoted() const { return style != Style::plain; }  // '5' is a string, 5 is a number

  // Where the byte at `offset` of a scalar's text was written; for one that was written over
  // several lines, where it begins.
  Position position_of(std::size_t offset) const;

  // The value under `key`, or nullptr.
  const Node* find(std::string_view key) const;
};

struct Node::Entry {
  Node key;
  Node value;
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

// A text in quotation marks, on one line, which parse() reads as it is. What YAML does not allow or
// would take for a line break is escaped, and what would not be seen. Bytes that are not UTF-8
// stay: YAML cannot have them.
std::string in_quotation_marks(std::string_view text);

// A tree as a constant table, in the order of the file: how built-in sets are compiled in, so that
// nobody waits for their YAML to be parsed. Offsets instead of pointers: nothing to relocate at the
// start of a program.
struct FlatNode {
  Node::Kind kind;
  Node::Style style;
  bool one_line;
  std::uint16_t column;
  std::uint32_t line;
  std::uint32_t size;  // bytes of a scalar's text; values of a sequence; entries of a mapping
  std::uint32_t text;  // where a scalar's text begins in the texts
};

struct FlatTree {
  std::string_view texts;
  std::span<const FlatNode> nodes;
};

// `texts` and `nodes` are appended to.
void flatten(const Node& tree, std::string& texts, std::vector<FlatNode>& nodes);
Node unflatten(const FlatTree& tree, const std::string& file);

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
  // `what` names the thing for messages ("a rule"). A node that is not a mapping is an error; all
  // fields are then absent.
  Mapping(const Node& node, Errors& errors, std::string_view what);

  const Node* node(std::string_view key);
  std::optional<std::string> text(std::string_view key);  // a scalar, quoted or not; not empty
  const Node* text_node(std::string_view key);            // the same, with its place
  std::optional<bool> boolean(std::string_view key);      // true or false, unquoted
  std::optional<long long> integer(std::string_view key, long long least, long long most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<Duration> duration(std::string_view key);
  std::optional<std::uint64_t> size(std::string_view key);
  // A list of scalars; a lone scalar counts as a list of one.
  std::vector<const Node*> texts(std::string_view key);
  std::vector<std::string> strings(std::string_view key);  // the texts of texts()
  // One of `words`, or an error that names them all.
  std::optional<std::string> one_of(std::string_view key, std::span<const std::string_view> words);
  const Node* required(std::string_view key);

  // A scalar that `parse` reads; its error stands at the scalar. `wanted` is for values of another
  // kind: "a duration such as 30s".
  template <class T>
  std::optional<T> parsed(std::string_view key, std::string_view wanted,
                          Result<T> (*parse)(std::string_view)) {
    const Node* value = scalar(key, wanted);
    if (value == nullptr) return std::nullopt;
    Result<T> result = parse(value->text);
    if (result) return *std::move(result);
    error(value->where, "'" + std::string(key) + "': " + result.error().what);
    return std::nullopt;
  }

  void error(const Position& where, std::string what);

  // What this mapping is called in messages.
  const std::string& what() const { return what_; }

  // Reports the keys that nobody asked for.
  void finish();

 private:
  const Node* scalar(std::string_view key, std::string_view wanted);
  const Node* node_ = nullptr;
  Errors& errors_;
  std::string what_;
  std::vector<std::string_view> asked_;
};

}  // namespace retry_exec::config

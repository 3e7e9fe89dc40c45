#include "yaml/reader.hpp"

#include <boost/system/result.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace retry_exec::yaml {

void refuse(Position where, std::string what) {
  throw Error{std::move(where), std::move(what)};
}

namespace {

bool is_null_word(std::string_view text) {
  return text == "~" || text == "null" || text == "Null" || text == "NULL";
}

constexpr std::size_t usual_entries = 6;

class Reader {
 public:
  Reader(std::string_view text, const std::string& file, const Limits& limits, Errors& errors)
      : cursor_(text, file), limits_(limits), errors_(errors) {}

  Node document();

 private:
  // One value of a block. `indent` is the column of the collection around it; `starts_line` is
  // false behind "key: ", where no block collection may begin.
  Node block_value(int indent, bool starts_line);
  Node block_mapping();
  Node block_sequence(int indent);
  Node value_behind_key(int indent);
  Node flow_value(int indent);
  Node flow_sequence(int indent);
  Node flow_mapping(int indent);
  Node scalar(int indent, Context context);

  bool at_item() const { return cursor_.peek() == '-' && cursor_.gap_at(1); }
  bool at_key() const;
  Node key(Context context, int indent);
  void add(Node& mapping, Node key, Node value);
  Node empty_here();
  Node counted(Node node);
  Node open(Node::Kind kind);
  void close() { --depth_; }
  void end_of_value();
  void skip_in_flow(const Position& opened, char bracket);

  Cursor cursor_;
  const Limits& limits_;
  Errors& errors_;
  std::size_t nodes_ = 0;
  std::size_t depth_ = 0;
};

Node Reader::counted(Node node) {
  if (++nodes_ > limits_.nodes) {
    refuse(node.where, "more than " + std::to_string(limits_.nodes) + " values in one file");
  }
  return node;
}

Node Reader::empty_here() {
  Node node;
  node.where = cursor_.here();
  return counted(std::move(node));
}

Node Reader::open(Node::Kind kind) {
  Node node = empty_here();
  node.kind = kind;
  if (++depth_ > limits_.depth) {
    refuse(node.where, "nested more than " + std::to_string(limits_.depth) + " deep");
  }
  return node;
}

Node Reader::document() {
  cursor_.skip_to_content();
  if (cursor_.peek() == '%' && cursor_.column() == 0) {
    refuse(cursor_.here(), "directives (%YAML, %TAG) are not read");
  }
  if (cursor_.at_marker() && cursor_.peek() == '-') {
    cursor_.advance(3);
    cursor_.skip_to_content();
  }
  Node root = cursor_.finished() ? empty_here() : block_value(-1, true);
  cursor_.skip_to_content();
  if (cursor_.at_marker() && cursor_.peek() == '.') {
    cursor_.advance(3);
    cursor_.skip_to_content();
  }
  if (cursor_.at_marker()) refuse(cursor_.here(), "a second document; one file holds one");
  if (!cursor_.at_end()) {
    refuse(cursor_.here(),
           "this is neither in what stands above nor on its level; is it indented as meant?");
  }
  return root;
}

Node Reader::scalar(int indent, Context context) {
  Node node;
  switch (cursor_.peek()) {
    case '\'':
      node = read_single_quoted(cursor_, indent);
      break;
    case '"':
      node = read_double_quoted(cursor_, indent);
      break;
    default:
      node = read_plain(cursor_, indent, context);
      if (is_null_word(node.text)) {
        node.kind = Node::Kind::null;
        node.text.clear();
      }
  }
  return counted(std::move(node));
}

// Behind the closing quote of what stands at the start of `line`; npos when it is not closed.
std::size_t behind_quotes(std::string_view line) {
  const char quote = line.front();
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (line[at] == '\\' && quote == '"') {
      ++at;
    } else if (line[at] == quote) {
      const bool doubled = quote == '\'' && at + 1 < line.size() && line[at + 1] == quote;
      if (!doubled) return at + 1;
      ++at;
    }
  }
  return std::string_view::npos;
}

// Whether what stands here is "key:", found by looking along the line.
bool Reader::at_key() const {
  const std::string_view line = cursor_.rest_of_line();
  const auto blank_at = [&](std::size_t at) {
    return at >= line.size() || line[at] == ' ' || line[at] == '\t';
  };
  switch (cursor_.peek()) {
    case '[':
    case '{':
    case '|':
    case '>':
      return false;
    case '\'':
    case '"': {
      const std::size_t end = line.find_first_not_of(" \t", behind_quotes(line));
      return end < line.size() && line[end] == ':' && blank_at(end + 1);
    }
    default:
      break;
  }
  for (std::size_t at = line.find_first_of(":#"); at < line.size();
       at = line.find_first_of(":#", at + 1)) {
    if (line[at] == ':' && blank_at(at + 1)) return true;
    if (line[at] == '#' && at > 0 && blank_at(at - 1)) return false;
  }
  return false;
}

Node Reader::key(Context context, int indent) {
  const Position where = cursor_.here();
  if (cursor_.peek() == '[' || cursor_.peek() == '{')
    refuse(where, "a key is a word, not a list or a mapping");
  if (cursor_.peek() == '<' && cursor_.peek(1) == '<' && cursor_.peek(2) == ':') {
    refuse(where, "merge keys (<<) are not read");
  }
  Node node = scalar(indent, context);
  if (node.kind != Node::Kind::scalar || node.text.empty())
    refuse(where, "a key is a word, not empty");
  return node;
}

void Reader::add(Node& mapping, Node key, Node value) {
  const auto same = [&](const auto& entry) { return entry.key.text == key.text; };
  const auto first = std::find_if(mapping.entries.begin(), mapping.entries.end(), same);
  if (first == mapping.entries.end()) {
    mapping.entries.push_back({std::move(key), std::move(value)});
    return;
  }
  errors_.push_back({key.where, "duplicate key '" + key.text + "'; the first is on line " +
                                    std::to_string(first->key.where.line)});
}

Node Reader::block_value(int indent, bool starts_line) {
  if (at_item()) {
    if (!starts_line) refuse(cursor_.here(), "a list behind a key begins on its own line");
    return block_sequence(cursor_.column());
  }
  switch (cursor_.peek()) {
    case '|':
    case '>':
      return counted(read_block_scalar(cursor_, indent));
    case '[':
    case '{': {
      Node node = flow_value(indent);
      end_of_value();
      return node;
    }
    default:
      break;
  }
  if (starts_line && at_key()) return block_mapping();
  Node node = scalar(indent, Context::block);
  end_of_value();
  return node;
}

// Behind a scalar or a flow collection: nothing more on its line.
void Reader::end_of_value() {
  cursor_.skip_spaces();
  if (cursor_.at_break() || (cursor_.peek() == '#' && cursor_.behind_blank())) return;
  if (cursor_.peek() == ':' && cursor_.gap_at(1)) {
    refuse(cursor_.here(),
           "a ':' that begins a value, inside a value; a text with ': ' in it needs quotes");
  }
  refuse(cursor_.here(),
         "more text after the end of a value; a quote inside quotes is written twice");
}

Node Reader::block_mapping() {
  const int column = cursor_.column();
  Node mapping = open(Node::Kind::mapping);
  mapping.entries.reserve(usual_entries);
  for (;;) {
    if (at_item()) refuse(cursor_.here(), "a list item where a key was expected");
    if (!at_key()) refuse(cursor_.here(), "'key: value' was expected here");
    Node name = key(Context::block, column);
    cursor_.skip_spaces();
    cursor_.advance();  // the ':'
    Node value = value_behind_key(column);
    add(mapping, std::move(name), std::move(value));
    cursor_.skip_to_content();
    if (cursor_.finished() || cursor_.column() < column) break;
    if (cursor_.column() > column)
      refuse(cursor_.here(), "this is indented further than the key above it");
  }
  close();
  return mapping;
}

Node Reader::value_behind_key(int indent) {
  Node nothing;
  nothing.where = cursor_.here();
  if (!cursor_.skip_to_content()) {
    return cursor_.finished() ? counted(std::move(nothing)) : block_value(indent, false);
  }
  if (cursor_.finished() || cursor_.column() < indent) return counted(std::move(nothing));
  if (cursor_.column() > indent) return block_value(indent, true);
  return at_item() ? block_sequence(indent) : counted(std::move(nothing));
}

Node Reader::block_sequence(int column) {
  Node sequence = open(Node::Kind::sequence);
  for (;;) {
    cursor_.advance();  // the '-'
    Node nothing;
    nothing.where = cursor_.here();
    cursor_.skip_to_content();
    const bool empty = cursor_.finished() || cursor_.column() <= column;
    sequence.items.push_back(empty ? counted(std::move(nothing)) : block_value(column, true));
    cursor_.skip_to_content();
    if (cursor_.finished() || cursor_.column() < column) break;
    if (cursor_.column() > column)
      refuse(cursor_.here(), "this is indented further than the list item above it");
    if (!at_item()) break;  // the next key of the mapping around
  }
  close();
  return sequence;
}

Node Reader::flow_value(int indent) {
  switch (cursor_.peek()) {
    case '[':
      return flow_sequence(indent);
    case '{':
      return flow_mapping(indent);
    default:
      return scalar(indent, Context::flow);
  }
}

void Reader::skip_in_flow(const Position& opened, char bracket) {
  cursor_.skip_to_content();
  if (cursor_.finished()) refuse(opened, std::string("this '") + bracket + "' is never closed");
}

Node Reader::flow_sequence(int indent) {
  Node sequence = open(Node::Kind::sequence);
  cursor_.advance();
  for (;;) {
    skip_in_flow(sequence.where, '[');
    if (cursor_.peek() == ']') break;
    sequence.items.push_back(flow_value(indent));
    skip_in_flow(sequence.where, '[');
    if (cursor_.peek() == ']') break;
    if (cursor_.peek() == ':')
      refuse(cursor_.here(), "a mapping in a list is written {key: value}");
    if (cursor_.peek() != ',') refuse(cursor_.here(), "',' or ']' was expected here");
    cursor_.advance();
  }
  cursor_.advance();
  close();
  return sequence;
}

Node Reader::flow_mapping(int indent) {
  Node mapping = open(Node::Kind::mapping);
  cursor_.advance();
  for (;;) {
    skip_in_flow(mapping.where, '{');
    if (cursor_.peek() == '}') break;
    Node name = key(Context::flow, indent);
    skip_in_flow(mapping.where, '{');
    if (cursor_.peek() != ':')
      refuse(cursor_.here(), "':' was expected after the key '" + name.text + "'");
    cursor_.advance();
    skip_in_flow(mapping.where, '{');
    const bool empty = cursor_.peek() == ',' || cursor_.peek() == '}';
    Node value = empty ? empty_here() : flow_value(indent);
    add(mapping, std::move(name), std::move(value));
    skip_in_flow(mapping.where, '{');
    if (cursor_.peek() == '}') break;
    if (cursor_.peek() != ',') refuse(cursor_.here(), "',' or '}' was expected here");
    cursor_.advance();
  }
  cursor_.advance();
  close();
  return mapping;
}

// Control characters that no text editor writes: a binary file, or UTF-16.
std::optional<Position> first_unprintable(std::string_view text, const std::string& file) {
  Position where{file, 1, 1};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x7F || (byte < 0x20 && c != '\n' && c != '\t' && c != '\r')) return where;
    where.column = c == '\n' ? 1 : where.column + 1;
    if (c == '\n') ++where.line;
  }
  return std::nullopt;
}

Errors one_error(Position where, std::string what) {
  return {{std::move(where), std::move(what)}};
}

Error too_big(const std::string& file, const Limits& limits) {
  return {{file}, "bigger than " + format_size(limits.bytes)};
}

}  // namespace

Result<Node, Errors> parse(std::string_view text, const std::string& file, const Limits& limits) {
  if (text.size() > limits.bytes) return Errors{too_big(file, limits)};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const auto where = first_unprintable(text, file)) {
    return one_error(*where, "a control character; this is no text file in UTF-8");
  }
  Errors errors;
  try {
    Node root = Reader(text, file, limits, errors).document();
    if (errors.empty()) return root;
  } catch (Error& error) {
    errors.push_back(std::move(error));
  }
  return errors;
}

namespace {

Result<std::string, Errors> read_bounded(int descriptor, const std::string& path,
                                         const Limits& limits) {
  std::string text;
  for (;;) {
    constexpr std::size_t step = std::size_t{64} << 10;
    const std::size_t before = text.size();
    text.resize(before + step);
    const ssize_t got = ::read(descriptor, text.data() + before, step);
    if (got < 0 && errno == EINTR) {
      text.resize(before);
      continue;
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (got < 0) return one_error({path}, std::string("cannot be read: ") + std::strerror(errno));
    text.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > limits.bytes) return Errors{too_big(path, limits)};
  }
}

}  // namespace

Result<Node, Errors> parse_file(const std::string& path, const Limits& limits) {
  const Result<std::string, Errors> text = read_file(path, limits);
  if (!text) return text.error();
  return parse(*text, path, limits);
}

Result<std::string, Errors> read_file(const std::string& path, const Limits& limits) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    return one_error({path}, std::string("cannot be read: ") + std::strerror(errno));
  }
  struct stat status {};
  Result<std::string, Errors> text = ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)
                                         ? one_error({path}, "is a folder, not a file")
                                         : read_bounded(descriptor, path, limits);
  ::close(descriptor);
  return text;
}

}  // namespace retry_exec::yaml

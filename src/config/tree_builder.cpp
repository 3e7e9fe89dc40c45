#include "config/tree_builder.hpp"

#include <algorithm>

namespace retry_exec::config {

void refuse(Position where, std::string what) {
  throw Error{std::move(where), std::move(what)};
}

std::string reserved_at(char c) {
  const std::string quotes = std::string("a text that begins with '") + c + "' needs quotes";
  switch (c) {
    case '&':
      return "anchors (&name) are not supported; " + quotes;
    case '*':
      return "aliases (*name) are not supported; " + quotes;
    case '!':
      return "tags (!name) are not supported; " + quotes;
    case '%':
    case '@':
    case '`':
    case ',':
    case ']':
    case '}':
      return quotes;
    default:
      return {};
  }
}

namespace {

// What is written from an opening quote to behind the closing one.
std::string_view quoted(std::string_view source) {
  const char quote = source.front();
  std::size_t end = 1;
  for (; end < source.size(); ++end) {
    if (source[end] == '\\' && quote == '"') {
      ++end;
    } else if (source[end] == quote) {
      if (quote == '"' || end + 1 >= source.size() || source[end + 1] != quote) break;
      ++end;
    }
  }
  return source.substr(0, end + 1);
}

Node::Style style_by(char first) {
  switch (first) {
    case '\'':
      return Node::Style::single_quoted;
    case '"':
      return Node::Style::double_quoted;
    case '|':
    case '>':
      return Node::Style::block;
    default:
      return Node::Style::plain;
  }
}

}  // namespace

bool TreeBuilder::key_comes_next() const {
  return !open_.empty() && open_.back().node.kind == Node::Kind::mapping && !open_.back().key;
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 1) return;
  const auto offset = static_cast<std::size_t>(mark.pos);
  if (source_.substr(offset).starts_with("---")) {
    refuse(position(offset), "a second document; one file holds one");
  }
  refuse(wrong_in_block(nullptr, offset).where, wrong_in_block(nullptr, offset).what);
}

// yaml-cpp's marks count from 0, in bytes.
Node TreeBuilder::node_at(const YAML::Mark& mark, Node::Kind kind) {
  Node node;
  node.kind = kind;
  node.where = {file_, static_cast<unsigned>(mark.line) + 1,
                static_cast<unsigned>(mark.column) + 1};
  const char first = at(static_cast<std::size_t>(mark.pos));
  if (first == '&' || first == '*' || first == '!') refuse(node.where, reserved_at(first));
  if (++nodes_ > limits_.nodes) {
    refuse(node.where, "more than " + std::to_string(limits_.nodes) + " values in one file");
  }
  return node;
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  node_at(mark, Node::Kind::null);
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t) {
  Node node = node_at(mark, Node::Kind::null);
  const auto offset = static_cast<std::size_t>(mark.pos);
  const char first = at(offset);
  if (key_comes_next()) {
    refuse(node.where,
           first == ':' ? "a ':' without a key before it" : "a key is a word, not empty");
  }
  // The mark of a value that is not there is that of what follows, lines below maybe.
  if (first != '~' && first != 'n' && first != 'N') node.where = behind_last_text(mark);
  add(std::move(node));
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                           const std::string& value) {
  Node node = node_at(mark, Node::Kind::scalar);
  const auto offset = static_cast<std::size_t>(mark.pos);
  const std::string_view rest = source_.substr(offset);
  node.text = value;
  node.style = style_by(rest.front());
  if (node.style == Node::Style::plain) {
    node.one_line = rest.starts_with(value);
  } else if (node.style == Node::Style::block) {
    node.one_line = false;
  } else {
    const std::string_view written = quoted(rest);
    node.one_line = written.find('\n') == std::string_view::npos;
    if (offset + written.size() > size_) refuse(node.where, "this quote is never closed");
    check_quotes(node, written);
  }
  folded_ = node.style == Node::Style::plain && !node.one_line;
  if (value.find('\0') != std::string::npos) refuse(node.where, "a NUL character in a text");
  if (key_comes_next()) {
    add_key(std::move(node));
  } else {
    add(std::move(node));
  }
}

// A line that is not further in than the block around a quoted text shows that its closing quote is
// missing: yaml-cpp finds it in the next quoted text.
void TreeBuilder::check_quotes(const Node& scalar, std::string_view written) const {
  const auto block =
      std::find_if(open_.rbegin(), open_.rend(), [](const Open& around) { return !around.flow; });
  if (block == open_.rend()) return;
  for (std::size_t end = written.find('\n'); end < written.size();
       end = written.find('\n', end + 1)) {
    const std::size_t text = written.find_first_not_of(" \t", end + 1);
    const bool blank = written[text] == '\n' || written[text] == '\r';
    if (!blank && text - end <= block->node.where.column) {
      refuse(scalar.where, "this quote is never closed");
    }
  }
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                                  YAML::EmitterStyle::value style) {
  open(mark, Node::Kind::sequence, style);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                             YAML::EmitterStyle::value style) {
  open(mark, Node::Kind::mapping, style);
}

void TreeBuilder::open(const YAML::Mark& mark, Node::Kind kind, YAML::EmitterStyle::value style) {
  Node node = node_at(mark, kind);
  if (open_.size() == limits_.depth) {
    refuse(node.where, "nested more than " + std::to_string(limits_.depth) + " deep");
  }
  open_.push_back({std::move(node), std::nullopt, style == YAML::EmitterStyle::Flow, {}});
}

void TreeBuilder::close() {
  Node node = std::move(open_.back().node);
  open_.pop_back();
  // Not before its end: yaml-cpp takes what is never closed for a key.
  if (key_comes_next()) refuse(node.where, "a key is a word, not a list or a mapping");
  add(std::move(node));
}

void TreeBuilder::add(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
  } else if (Open& around = open_.back(); around.node.kind == Node::Kind::sequence) {
    around.node.items.push_back(std::move(node));
  } else {
    add_entry(around, std::move(node));
  }
}

void TreeBuilder::add_key(Node key) {
  if (key.text.empty()) refuse(key.where, "a key is a word, not empty");
  if (!key.quoted() && key.text == "<<") refuse(key.where, "merge keys (<<) are not supported");
  open_.back().key = std::move(key);
}

void TreeBuilder::add_entry(Open& mapping, Node value) {
  Node key = *std::exchange(mapping.key, std::nullopt);
  const auto [first, fresh] = mapping.lines.emplace(key.text, key.where.line);
  if (fresh) {
    mapping.node.entries.push_back({std::move(key), std::move(value)});
    return;
  }
  errors_.push_back({key.where, "duplicate key '" + key.text + "'; the first is on line " +
                                    std::to_string(first->second)});
}

}  // namespace retry_exec::config

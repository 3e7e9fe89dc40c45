#include <retry_exec/config.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <cmath>

namespace retry_exec::config {

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

Position Node::position_of(std::size_t offset) const {
  Position position = where;
  if (!one_line || kind != Kind::scalar) return position;
  const std::string_view before = std::string_view(text).substr(0, offset);
  std::size_t columns = before.size();
  if (quoted()) columns += 1;
  if (style == Style::single_quoted) {
    columns += static_cast<std::size_t>(std::count(before.begin(), before.end(), '\''));
  } else if (style == Style::double_quoted) {
    const auto escaped = [](char c) {
      return c == '\\' || c == '"' || static_cast<unsigned char>(c) < ' ';
    };
    columns += static_cast<std::size_t>(std::count_if(before.begin(), before.end(), escaped));
  }
  position.column += static_cast<unsigned>(columns);
  return position;
}

namespace {

std::string one_of_these(std::span<const std::string_view> words) {
  return text::joined(words, ", ", " or ");
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
  }
  return "";
}

std::string misfit(std::string_view key, std::string_view wanted, std::string_view found) {
  return "'" + std::string(key) + "' takes " + std::string(wanted) + ", not " + std::string(found);
}

std::string misfit(std::string_view key, std::string_view wanted, const Node& node) {
  if (node.kind != Node::Kind::scalar) return misfit(key, wanted, kind_name(node.kind));
  return misfit(key, wanted, node.text.empty() ? "an empty text" : "'" + node.text + "'");
}

template <class T, class Words>
std::optional<T> in_range(const Node* value, Words words, T least, T most, Errors& errors,
                          std::string_view key) {
  if (value == nullptr) return std::nullopt;
  const auto number = value->quoted() ? std::nullopt : text::number_from<T>(value->text);
  if (number && *number >= least && *number <= most) return number;
  errors.push_back(
      {value->where, misfit(key, "a number from " + words(least) + " to " + words(most), *value)});
  return std::nullopt;
}

}  // namespace

Mapping::Mapping(const Node& node, Errors& errors, std::string_view what)
    : errors_(errors), what_(what) {
  asked_.reserve(16);
  if (node.kind == Node::Kind::mapping) {
    node_ = &node;
  } else {
    error(node.where,
          what_ + " is a mapping (key: value), not " + std::string(kind_name(node.kind)));
  }
}

void Mapping::error(const Position& where, std::string what) {
  errors_.push_back({where, std::move(what)});
}

const Node* Mapping::node(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.push_back(key);
  return node_ == nullptr ? nullptr : node_->find(key);
}

const Node* Mapping::required(std::string_view key) {
  const Node* value = node(key);
  if (value == nullptr && node_ != nullptr) {
    error(node_->where, what_ + " needs '" + std::string(key) + "'");
  }
  return value;
}

const Node* Mapping::scalar(std::string_view key, std::string_view wanted) {
  const Node* value = node(key);
  if (value == nullptr || (value->kind == Node::Kind::scalar && !value->text.empty())) return value;
  error(value->where, misfit(key, wanted, *value));
  return nullptr;
}

std::optional<std::string> Mapping::text(std::string_view key) {
  const Node* value = text_node(key);
  if (value == nullptr) return std::nullopt;
  return value->text;
}

const Node* Mapping::text_node(std::string_view key) {
  return scalar(key, "a text");
}

std::optional<bool> Mapping::boolean(std::string_view key) {
  const Node* value = scalar(key, "true or false");
  if (value == nullptr) return std::nullopt;
  if (!value->quoted() && value->text == "true") return true;
  if (!value->quoted() && value->text == "false") return false;
  error(value->where, misfit(key, "true or false", *value));
  return std::nullopt;
}

std::optional<long long> Mapping::integer(std::string_view key, long long least, long long most) {
  const auto words = [](long long value) { return std::to_string(value); };
  return in_range(scalar(key, "a number"), words, least, most, errors_, key);
}

std::optional<double> Mapping::number(std::string_view key, double least, double most) {
  return in_range(scalar(key, "a number"), format_number, least, most, errors_, key);
}

std::optional<Duration> Mapping::duration(std::string_view key) {
  return parsed(key, "a duration such as 30s", parse_duration);
}

std::optional<std::uint64_t> Mapping::size(std::string_view key) {
  return parsed(key, "a size such as 4MiB", parse_size);
}

std::vector<const Node*> Mapping::texts(std::string_view key) {
  const Node* value = node(key);
  std::vector<const Node*> texts;
  if (value == nullptr) return texts;
  const auto take = [&](const Node& item) {
    if (item.kind == Node::Kind::scalar && !item.text.empty()) {
      texts.push_back(&item);
    } else {
      error(item.where, misfit(key, "a list of texts", item));
    }
  };
  if (value->kind == Node::Kind::sequence) {
    for (const Node& item : value->items) take(item);
  } else {
    take(*value);
  }
  return texts;
}

std::vector<std::string> Mapping::strings(std::string_view key) {
  std::vector<std::string> strings;
  for (const Node* text : texts(key)) strings.push_back(text->text);
  return strings;
}

std::optional<std::string> Mapping::one_of(std::string_view key,
                                           std::span<const std::string_view> words) {
  const Node* value = scalar(key, one_of_these(words));
  if (value == nullptr) return std::nullopt;
  if (std::find(words.begin(), words.end(), value->text) != words.end()) return value->text;
  error(value->where, misfit(key, one_of_these(words), *value));
  return std::nullopt;
}

void Mapping::finish() {
  if (node_ == nullptr) return;
  for (const auto& [name, value] : node_->entries) {
    if (std::find(asked_.begin(), asked_.end(), name.text) != asked_.end()) continue;
    std::string what = "unknown key '" + name.text + "' in " + what_;
    if (const std::string_view near = nearest_word(name.text, asked_); !near.empty()) {
      what += "; did you mean '" + std::string(near) + "'?";
    } else {
      what += "; expected " + one_of_these(asked_);
    }
    error(name.where, std::move(what));
  }
}

}  // namespace retry_exec::config

// yaml-cpp's events → our tree.
#pragma once

#include <retry_exec/config.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>

#include <unordered_map>

namespace retry_exec::config {

// Ends the parsing. Thrown through yaml-cpp; outside parse() it is a value.
[[noreturn]] void refuse(Position where, std::string what);

// What cannot stand for itself at the start of a value, and how to say it; empty: it can.
std::string reserved_at(char c);

class TreeBuilder final : public YAML::EventHandler {
 public:
  // `source` is what yaml-cpp reads; of it, what lies behind `size` is the trailer that closes what
  // the file leaves open. Duplicate keys go to `errors`, all others are thrown.
  TreeBuilder(std::string_view source, std::size_t size, const std::string& file,
              const Limits& limits, Errors& errors)
      : source_(source), size_(size), file_(file), limits_(limits), errors_(errors) {
    root_.where = {file, 1, 1};  // of an empty file
  }

  Node take_root() { return std::move(root_); }

  // What is wrong where yaml-cpp gave up, by what was being read.
  Error explain(const YAML::ParserException& exception) const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  // A collection whose end has not come.
  struct Open {
    Node node;
    std::optional<Node> key;  // of a mapping: the value comes next
    bool flow;
    std::unordered_map<std::string, unsigned> lines;  // of the keys of a mapping
  };

  Node node_at(const YAML::Mark& mark, Node::Kind kind);
  void open(const YAML::Mark& mark, Node::Kind kind, YAML::EmitterStyle::value style);
  void close();
  void add(Node node);
  void add_key(Node key);
  void add_entry(Open& mapping, Node value);
  void check_quotes(const Node& scalar, std::string_view written) const;
  bool key_comes_next() const;

  char at(std::size_t offset) const { return offset < size_ ? source_[offset] : '\0'; }
  bool gap_at(std::size_t offset) const;
  std::size_t line_start(std::size_t offset) const;
  Position position(std::size_t offset) const;
  Position behind_last_text(const YAML::Mark& mark) const;
  Error wrong_in_flow(const Open& around, std::size_t offset) const;
  Error wrong_in_block(const Open* around, std::size_t offset) const;
  Error wrong_colon(std::size_t offset) const;

  std::string_view source_;
  std::size_t size_;
  const std::string& file_;
  const Limits& limits_;
  Errors& errors_;
  Node root_;
  std::vector<Open> open_;
  bool folded_ = false;  // the last scalar was plain and went on over line breaks
  std::size_t nodes_ = 0;
  unsigned documents_ = 0;
};

}  // namespace retry_exec::config

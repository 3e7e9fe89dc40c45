#include <retry_exec/config.hpp>

namespace retry_exec::config {

void flatten(const Node& tree, std::string& texts, std::vector<FlatNode>& nodes) {
  const std::size_t known = texts.find(tree.text);
  const std::size_t text = known == std::string::npos ? texts.size() : known;
  if (known == std::string::npos) texts += tree.text;
  const std::size_t size = tree.text.size() + tree.items.size() + tree.entries.size();
  nodes.push_back({tree.kind, tree.style, tree.one_line,
                   static_cast<std::uint16_t>(tree.where.column), tree.where.line,
                   static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(text)});
  for (const Node& item : tree.items) flatten(item, texts, nodes);
  for (const auto& [key, value] : tree.entries) {
    flatten(key, texts, nodes);
    flatten(value, texts, nodes);
  }
}

namespace {

Node next_node(std::string_view texts, const FlatNode*& at, const std::string& file) {
  const FlatNode& flat = *at++;
  Node node;
  node.kind = flat.kind;
  node.style = flat.style;
  node.one_line = flat.one_line;
  node.where = {file, flat.line, flat.column};
  if (flat.kind == Node::Kind::scalar) {
    node.text = texts.substr(flat.text, flat.size);
  } else if (flat.kind == Node::Kind::sequence) {
    node.items.reserve(flat.size);
    for (std::uint32_t i = 0; i < flat.size; ++i) node.items.push_back(next_node(texts, at, file));
  } else if (flat.kind == Node::Kind::mapping) {
    node.entries.reserve(flat.size);
    for (std::uint32_t i = 0; i < flat.size; ++i) {
      Node key = next_node(texts, at, file);
      node.entries.push_back({std::move(key), next_node(texts, at, file)});
    }
  }
  return node;
}

}  // namespace

Node unflatten(const FlatTree& tree, const std::string& file) {
  const FlatNode* at = tree.nodes.data();
  return next_node(tree.texts, at, file);
}

}  // namespace retry_exec::config

#include "catch_shim.hpp"
#include "temporary_folder.hpp"

#include <retry_exec/config.hpp>

#include <boost/locale/encoding_utf.hpp>
#include <yaml-cpp/yaml.h>

using namespace retry_exec;
using config::Node;

namespace {

// Our tree and yaml-cpp's own in one notation.
std::string dump(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::null:
      return "~";
    case Node::Kind::scalar:
      return "<" + node.text + ">";
    case Node::Kind::sequence:
      for (const Node& item : node.items) text += dump(item) + ",";
      return "[" + text + "]";
    case Node::Kind::mapping:
      for (const auto& [key, value] : node.entries) text += dump(key) + ":" + dump(value) + ",";
      return "{" + text + "}";
  }
  return text;
}

std::string dump(const YAML::Node& node) {
  std::string text;
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "<" + node.Scalar() + ">";
    case YAML::NodeType::Sequence:
      for (const auto& item : node) text += dump(item) + ",";
      return "[" + text + "]";
    case YAML::NodeType::Map:
      for (const auto& entry : node) text += dump(entry.first) + ":" + dump(entry.second) + ",";
      return "{" + text + "}";
    default:
      return "~";
  }
}

std::string errors_of(std::string_view text) {
  const auto root = config::parse(text, "f");
  if (root) return "read: " + dump(*root);
  std::string list;
  for (const Error& error : root.error()) list += (list.empty() ? "" : "\n") + to_string(error);
  return list;
}

Node read(std::string_view text) {
  auto root = config::parse(text, "f");
  INFO(errors_of(text));
  REQUIRE(root.has_value());
  return *std::move(root);
}

}  // namespace

TEST_CASE("what settings files are made of reads as yaml-cpp reads it", "[config]") {
  const std::string_view text = GENERATE(
      as<std::string_view>(),
      "a: b   # a comment\nb:\n- 1\n-   - x\n    - y: z\n      w: 'it''s'\n",
      "- {a: 1, \"b\": [x, y z, {q: 'r'}], c: , d: http://x:80/y}\n- []\n- {}\n",
      "e: \"a\\tb\\u00e9\\U0001F600 \\\n   c\n   d\n\n   e\"\n",
      "f: |\n  lit\n    more\n\n  end\n\n\ng: >-\n  folded\n  text\n\n  para\nh: x\n",
      "h: plain text\n  goes on\n\n  here\ni: >2\n    two\n   x\nj: |+\n  keep\n\nk: ~\nl:\nm: "
      "a#b\n",
      "{\"a\": [1, 2.5, true, null, \"x\\ny\"], \"b\": {\"c\":\"d\"}}\n",
      "---\r\na: b\r\nc: |\r\n  x\r\n  y\r\nd: \"x\r\n  y\"\r\n...\r\n", "plain\n", "",
      "# only a comment", "[a, b,\n c d\n e, # x\n \"f\"]", "o: a:b::c\np: -1\nq: '#'\n",
      "a:\n  b:\n    c: [1,\n      2]\n  d: 'x\n    y'\n", "- a\n-\n- b: c\n  d: e\n-\n  f: g\n");
  CAPTURE(text);
  CHECK(dump(read(text)) == dump(YAML::Load(std::string(text))));
}

TEST_CASE("every value knows its line and column", "[config]") {
  const Node root = read("a: 1\nb:\n  - 'it''s (here'\n  - \"tab\\t(\"\n");
  CHECK(root.find("a")->where == Position{"f", 1, 4});
  const Node& list = *root.find("b");
  CHECK(list.items[0].where == Position{"f", 3, 5});
  CHECK(list.items[0].position_of(5) == Position{"f", 3, 12});  // the '(', behind a doubled quote
  CHECK(list.items[1].position_of(4) == Position{"f", 4, 11});
  CHECK(root.find("c") == nullptr);
}

TEST_CASE("a value that is not there has the place behind its key or dash", "[config]") {
  const Node root = read("a:   # nothing\n\nb:\n- # none\n-\nc: {d: , e: }\nf: ~\n");
  CHECK(root.find("a")->where == Position{"f", 1, 3});
  CHECK(root.find("b")->items[0].where == Position{"f", 4, 2});
  CHECK(root.find("b")->items[1].where == Position{"f", 5, 2});
  CHECK(root.find("c")->find("d")->where == Position{"f", 6, 7});
  CHECK(root.find("c")->find("e")->where == Position{"f", 6, 12});
  CHECK(root.find("f")->where == Position{"f", 7, 4});
  CHECK(read("").where == Position{"f", 1, 1});
}

TEST_CASE("a value's text is what was written: YAML 1.1's booleans and numbers are not read",
          "[config]") {
  const Node root = read("a: no\nb: 010\nc: 0x1f\nd: '5'\ne: 5\nf: 1_000\ng: .inf\n");
  const auto integer = [&](std::string_view key) {
    Errors errors;
    return config::Mapping(root, errors, "a thing").integer(key, 0, 2000);
  };
  Errors errors;
  CHECK_FALSE(config::Mapping(root, errors, "a thing").boolean("a"));
  CHECK(integer("b") == 10);
  CHECK_FALSE(integer("c"));
  CHECK_FALSE(integer("d"));
  CHECK(integer("e") == 5);
  CHECK_FALSE(integer("f"));
  CHECK_FALSE(config::Mapping(root, errors, "a thing").number("g", 0, 1e9));
}

TEST_CASE("line ends, a byte order mark and the lack of a last line end change nothing",
          "[config]") {
  const std::string_view text = GENERATE(as<std::string_view>(), "a: b\nc: |\n  x\n  y\nd: 'z'\n",
                                         "a: b\r\nc: |\r\n  x\r\n  y\r\nd: 'z'\r\n",
                                         "\xEF\xBB\xBF"
                                         "a: b\nc: |\n  x\n  y\nd: 'z'",
                                         "\xEF\xBB\xBF\xEF\xBB\xBF"
                                         "a: b\nc: |\n  x\n  y\nd: 'z'");
  const Node root = read(text);
  CHECK(dump(root) == "{<a>:<b>,<c>:<x\ny\n>,<d>:<z>,}");
  CHECK(root.find("c")->where == Position{"f", 2, 4});  // of a block: where its '|' stands
  CHECK_FALSE(root.find("c")->one_line);
  CHECK(root.find("d")->where == Position{"f", 5, 4});
}

TEST_CASE("a text over several lines is one, and says so", "[config]") {
  const Node root = read("a: plain\n  goes on\nb: 'x\n\n  y'\nc: one line\nd: \"x\\\n  y\"\n");
  CHECK(root.find("a")->text == "plain goes on");
  CHECK_FALSE(root.find("a")->one_line);
  CHECK(root.find("b")->text == "x\ny");
  CHECK_FALSE(root.find("b")->one_line);
  CHECK(root.find("c")->one_line);
  CHECK(root.find("d")->text == "xy");
  CHECK_FALSE(root.find("d")->one_line);
  CHECK(root.find("a")->position_of(8) == Position{"f", 1, 4});
}

namespace {

struct Refused {
  std::string_view text;
  std::string_view error;
};

}  // namespace

TEST_CASE("what a settings file has no use for is refused, with its place", "[config]") {
  const auto [text, error] = GENERATE(values<Refused>({
      {"a: &x 1\n",
       "f:1:4: anchors (&name) are not supported; a text that begins with '&' needs quotes"},
      {"&x a: 1\n",
       "f:1:1: anchors (&name) are not supported; a text that begins with '&' needs quotes"},
      {"a: &x [*x]\n",
       "f:1:4: anchors (&name) are not supported; a text that begins with '&' needs quotes"},
      {"a: *x\n",
       "f:1:4: aliases (*name) are not supported; a text that begins with '*' needs quotes"},
      {"*x : 1\n",
       "f:1:1: aliases (*name) are not supported; a text that begins with '*' needs quotes"},
      {"a: !!str 1\n",
       "f:1:4: tags (!name) are not supported; a text that begins with '!' needs quotes"},
      {"a: ! 1\n",
       "f:1:4: tags (!name) are not supported; a text that begins with '!' needs quotes"},
      {"!t\na: b\n",
       "f:1:1: tags (!name) are not supported; a text that begins with '!' needs quotes"},
      {"a: 1\n---\nb: 2\n", "f:2:1: a second document; one file holds one"},
      {"a: 1\n---\n", "f:2:1: a second document; one file holds one"},
      {"a: 1\n...\nb: 2\n", "f:3:1: the indentation of this line does not match what is above it"},
      {"[a]: b\n", "f:1:1: a key is a word, not a list or a mapping"},
      {"? {a: b}\n: c\n", "f:1:3: a key is a word, not a list or a mapping"},
      {"{[a, b]: c}\n", "f:1:2: a key is a word, not a list or a mapping"},
      {"{<<: x}\n", "f:1:2: merge keys (<<) are not supported"},
      {"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a'; the first is on line 1"},
      {"{a: 1, a: 2, 'a': 3}\n",
       "f:1:8: duplicate key 'a'; the first is on line 1\nf:1:14: duplicate key 'a'; the first is "
       "on line 1"},
      {": b\n", "f:1:1: a ':' without a key before it"},
      {"'': b\n", "f:1:1: a key is a word, not empty"},
      {"~: b\n", "f:1:1: a key is a word, not empty"},
      {"a: \"\\0\"\n", "f:1:4: a NUL character in a text"},
      {"a: b\x01\n", "f:1:5: a control character; this is not a text file in UTF-8"},
      {"a: b\nc: d\re: f\n", "f:2:5: a carriage return inside a line"},
      {"a: caf\xE9\n", "f:1:7: bytes that are not UTF-8; \"\\xE9\" in double quotes is U+00E9"},
      {"\xFF\xFE"
       "a: b\n",
       "f:1:1: bytes that are not UTF-8; \"\\xE9\" in double quotes is U+00E9"},
  }));
  CAPTURE(text);
  CHECK(errors_of(text) == error);
  CHECK(errors_of(std::string_view("a: b\0\n", 6)) ==
        "f:1:5: a control character; this is not a text file in UTF-8");
}

TEST_CASE("a mistake is explained where it was made, by what was being read", "[config]") {
  const auto [text, error] = GENERATE(values<Refused>({
      {"a: 'x\nb: y\n", "f:1:4: this quote is never closed"},
      {"a: 'x\nb: 'y'\n", "f:1:4: this quote is never closed"},
      {"- 'x\n- y'\n", "f:1:3: this quote is never closed"},
      {"a: \"x\n", "f:1:4: this quote is never closed"},
      {"a: \"x\\", "f:1:4: this quote is never closed"},
      {"[a, 'x\n", "f:1:5: this quote is never closed"},
      {"'abc \n", "f:1:1: this quote is never closed"},
      {"a: 'x' y\n",
       "f:1:8: more text after the end of a value; a quote inside quotes is written twice"},
      {"a: b: c\n",
       "f:1:5: a ':' that begins a value, inside a value; a text with ': ' in it needs quotes"},
      {"a: - b\n", "f:1:4: a list after a key begins on its own line"},
      {"a: ? b\n", "f:1:4: a '?' that begins a key, inside a value"},
      {"\ta: b\n", "f:1:1: a tab in the indentation; YAML indents with spaces"},
      {"a:\n\tb: c\n", "f:2:1: a tab in the indentation; YAML indents with spaces"},
      {"a: |\n\tb\n", "f:2:1: a tab in the indentation; YAML indents with spaces"},
      {"- a\nb: 1\n", "f:2:1: the indentation of this line does not match what is above it"},
      {" a: 1\nb: 2\n", "f:2:1: the indentation of this line does not match what is above it"},
      {"a: 1\n  b: 2\n",
       "f:2:3: a key in the middle of a text; is the line indented too far, or a quote missing?"},
      {"a: 'x'\n  b: 2\n", "f:2:3: this is indented further than the key above it"},
      {"- 'x'\n  b: 2\n", "f:2:3: this is indented further than the list item above it"},
      {"a:\n    b: 1\n  c: 2\n", "f:3:3: this is indented further than the key above it"},
      {"a: 1\n- b\n", "f:2:1: a list item where a key was expected"},
      {"a: 1\nb\n", "f:2:1: 'key: value' was expected here"},
  }));
  CAPTURE(text);
  CHECK(errors_of(text) == error);
}

TEST_CASE("a mistake in brackets, or in how a text begins, is explained where it was made",
          "[config]") {
  const auto [text, error] = GENERATE(values<Refused>({
      {"a: [1, 2\n", "f:1:4: this '[' is never closed"},
      {"a: {b: 1\n", "f:1:4: this '{' is never closed"},
      {"a: [1 2]]\n", "f:1:9: a text that begins with ']' needs quotes"},
      {"a: ]\n", "f:1:4: a text that begins with ']' needs quotes"},
      {"a: ['x' y]\n", "f:1:9: ',' or ']' was expected here"},
      {"a: [b,\n  c\nd: e\n",
       "f:3:2: ',' or ']' was expected here, in the list that begins on line 1"},
      {"a: [b}\n", "f:1:6: ',' or ']' was expected here"},
      {"a: {'b' c}\n", "f:1:9: ',' or '}' was expected here"},
      {"a: [@b]\n", "f:1:5: a text that begins with '@' needs quotes"},
      {"a: \"\\d\"\n",
       "f:1:5: unknown escape in double quotes; single quotes take a backslash as it is"},
      {"a: \"\\u12\"\n", "f:1:5: an escape that lacks hexadecimal digits"},
      {"a: \"\\ud800\"\n", "f:1:5: an escape that is not a character"},
      {"a: |x\n  y\n",
       "f:1:5: after '|' or '>' comes the end of the line; a text that begins so needs quotes"},
      {"a: |0\n  y\n",
       "f:1:6: after '|' or '>' comes the end of the line; a text that begins so needs quotes"},
      {"a: @b\n", "f:1:4: a text that begins with '@' needs quotes"},
      {"a: %b\n", "f:1:4: a text that begins with '%' needs quotes"},
      {",\n", "f:1:1: a text that begins with ',' needs quotes"},
  }));
  CAPTURE(text);
  CHECK(errors_of(text) == error);
}

TEST_CASE("a tree is the same after it was a constant table", "[config]") {
  const Node root = read("a: [1, {b: '2'}, ~]\nc: |\n  d\n  e\nf: \"g\\th\"\n");
  std::string texts = "a: [1";
  std::vector<config::FlatNode> nodes;
  config::flatten(root, texts, nodes);
  const Node again = config::unflatten({texts, nodes}, "f");
  CHECK(dump(again) == dump(root));
  const Node& two = again.find("a")->items[1].entries[0].value;
  CHECK(two.where == Position{"f", 1, 12});
  CHECK(two.quoted());
  CHECK_FALSE(again.find("c")->one_line);
}

TEST_CASE("depth, number and size are bounded, and hostile files are refused quickly", "[config]") {
  CHECK(errors_of(std::string(100'000, '[')) == "f:1:9: nested more than 16 deep");
  CHECK(errors_of(std::string(17, '[') + std::string(17, ']')) ==
        "f:1:17: nested more than 16 deep");
  CHECK(errors_of(std::string(100'000, '{')) == "f:1:16: nested more than 16 deep");
  std::string dashes;
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  CHECK(errors_of(dashes) == "f:1:33: nested more than 16 deep");
  std::string many = "[";
  for (int i = 0; i < 200'000; ++i) many += "a,";
  CHECK(errors_of(many + "]").ends_with("more than 100000 values in one file"));
  CHECK(errors_of(std::string((std::size_t{1} << 20) + 1, 'a')) == "f: bigger than 1 MiB");
}

TEST_CASE("a folder, a missing file and a binary one are not YAML", "[config]") {
  const test::TemporaryFolder folder;
  const auto error = [](const std::string& path) {
    const auto root = config::parse_file(path);
    REQUIRE_FALSE(root.has_value());
    return to_string(root.error().front());
  };
  CHECK(error(folder.path()) == folder.path().string() + ": is a folder, not a file");
  CHECK(error(folder / "x") == (folder / "x") + ": cannot be read: No such file or directory");
  const std::string elf = folder.write("elf", std::string_view("\x7f"
                                                               "ELF\0\0",
                                                               6));
  CHECK(error(elf) == elf + ":1:1: a control character; this is not a text file in UTF-8");
}

TEST_CASE("a mapping gathers all that is wrong, and names the nearest known key", "[config]") {
  const Node root = read("delay: 5 parsecs\nattemps: 3\nlist: {a: b}\nflag: yes\nnumber: 99\n");
  Errors errors;
  config::Mapping fields(root, errors, "a thing");
  CHECK_FALSE(fields.duration("delay"));
  CHECK_FALSE(fields.integer("attempts", 1, 10));
  CHECK(fields.texts("list").empty());
  CHECK_FALSE(fields.boolean("flag"));
  CHECK_FALSE(fields.integer("number", 1, 10));
  CHECK(fields.required("must") == nullptr);
  fields.finish();
  std::vector<std::string> texts;
  for (const Error& error : errors) texts.push_back(to_string(error));
  REQUIRE(texts.size() == 6);
  CHECK(texts[0].starts_with("f:1:8: 'delay': "));
  CHECK(texts[1] == "f:3:7: 'list' takes a list of texts, not a mapping");
  CHECK(texts[2] == "f:4:7: 'flag' takes true or false, not 'yes'");
  CHECK(texts[3] == "f:5:9: 'number' takes a number from 1 to 10, not '99'");
  CHECK(texts[4] == "f:1:1: a thing needs 'must'");
  CHECK(texts[5] == "f:2:1: unknown key 'attemps' in a thing; did you mean 'attempts'?");
}

TEST_CASE("a text that is written in quotation marks reads back as it was", "[config]") {
  const auto check = [](const std::string& text) {
    const std::string written = config::in_quotation_marks(text);
    CAPTURE(written);
    CHECK(written.find('\n') == std::string::npos);
    const Node tree = read("a: " + written + "\nb: [" + written + ", c]\n");
    CHECK(tree.find("a")->text == text);
    CHECK(tree.find("b")->items.at(0).text == text);
  };
  for (const char* text : {"", " ", "'", "\"", "\\", "it's \\ \"q\" # x: y", "  a  ", "a\n\n b \n",
                           "\r\n", "{a: [b]}", "\t\ta\t", "\x1b[31mred", "\u00e9\u0085\\x85'"}) {
    check(text);
  }
  std::string many;
  for (std::uint32_t value = 1; value <= 0x10ffff; ++value) {
    if (value >= 0xd800 && value <= 0xdfff) continue;
    const std::string character = boost::locale::conv::utf_to_utf<char>(std::u32string{value});
    // Those that some YAML does not have as they are, or takes for the end of a line.
    const bool alone = value < 0x100 || (value >= 0x2028 && value <= 0x2029) || value == 0xfeff ||
                       (value & 0xfffe) == 0xfffe;
    if (alone) {
      check(character);
      check("a" + character + "b");
    }
    many += character;
    if (value % 0x1000 == 0xfff) {
      check(many);
      many.clear();
    }
  }
}

TEST_CASE("what YAML does not allow as it is, is written as an escape", "[config]") {
  CHECK(config::in_quotation_marks("it's") == "'it''s'");
  CHECK(config::in_quotation_marks("a\u0085\u2028\u2029\ufeff\x7f\uffff\"") ==
        R"("a\x85\u2028\u2029\uFEFF\x7F\uFFFF\"")");
  CHECK(config::in_quotation_marks("\U0001fffe\n") == R"("\U0001FFFE\n")");
  CHECK(config::in_quotation_marks("\u00e9\U0001f600") == "'\u00e9\U0001f600'");
}

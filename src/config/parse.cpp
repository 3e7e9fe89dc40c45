#include "config/tree_builder.hpp"

#include <retry_exec/read_file.hpp>

#include <boost/locale/utf.hpp>
#include <boost/system/result.hpp>
#include <yaml-cpp/parser.h>

#include <sstream>

namespace retry_exec::config {

namespace {

// Closes what the file leaves open: inside a quoted text it ends it, behind anything else it is a
// comment. Without it yaml-cpp takes an unterminated quote for a text.
constexpr std::string_view trailer = "# end of file ' # \"\n";

// What yaml-cpp would read as UTF-16, or treats differently from release to release.
std::optional<Error> first_unreadable(std::string_view text, const std::string& file) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  const auto* line = text.begin();
  unsigned lines = 1;
  for (const auto* at = text.begin(); at != text.end();) {
    const auto* const begin = at;
    const auto code = Utf8::decode(at, text.end());
    const auto refused = [&](const char* what) {
      return Error{{file, lines, static_cast<unsigned>(begin - line) + 1}, what};
    };
    if (!boost::locale::utf::is_valid_codepoint(code)) {
      return refused("bytes that are not UTF-8; \"\\xE9\" in double quotes is U+00E9");
    }
    if (code == '\n') {
      line = at;
      ++lines;
    } else if (code == '\r' && (at == text.end() || *at != '\n')) {
      return refused("a carriage return inside a line");
    } else if (code == 0x7F || (code < 0x20 && code != '\t' && code != '\r')) {
      return refused("a control character; this is not a text file in UTF-8");
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Node, Errors> parse(std::string_view text, const std::string& file, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return Errors{{{file}, "bigger than " + format_size(limits.bytes)}};
  }
  while (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const auto error = first_unreadable(text, file)) return Errors{*error};
  std::string source(text);
  if (!source.ends_with('\n')) source += '\n';
  source += trailer;
  Errors errors;
  TreeBuilder builder(source, text.size(), file, limits, errors);
  try {
    std::istringstream stream(source);
    YAML::Parser parser(stream);
    // Once more: what is behind the first document is refused there.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (Error& error) {
    errors.push_back(std::move(error));
  } catch (const YAML::ParserException& exception) {
    errors.push_back(builder.explain(exception));
  }
  if (!errors.empty()) return errors;
  return builder.take_root();
}

Result<Node, Errors> parse_file(const std::string& path, const Limits& limits) {
  const Result<std::string> text = read_file(path, limits.bytes);
  if (!text) return Errors{text.error()};
  return parse(*text, path, limits);
}

}  // namespace retry_exec::config

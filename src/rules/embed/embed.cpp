// Build-time: checks the shipped rule files, runs their examples, and turns them into a table that
// is compiled in.
//
//   embed OUTPUT.cpp RULES.yaml…
//
// The table stands where the library's own would: this program is its own builtin_sets().

#include <retry_exec/config.hpp>
#include <retry_exec/read_file.hpp>
#include <retry_exec/rules.hpp>

#include <algorithm>
#include <cstdio>

namespace {

struct EmbeddedFile {
  std::string path;
  std::string name;
  std::size_t yaml_size;
  std::string texts;  // the YAML, and behind it what stands in no one place of it
  std::vector<retry_exec::config::FlatNode> nodes;

  std::string_view yaml() const { return std::string_view(texts).substr(0, yaml_size); }
};

std::vector<EmbeddedFile> files;
std::vector<retry_exec::BuiltinSet> sets;

std::string stem_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

bool report(const retry_exec::Errors& errors) {
  for (const retry_exec::Error& error : errors) {
    std::fprintf(stderr, "%s\n", to_string(error).c_str());
  }
  return errors.empty();
}

bool read_files(int count, char** paths) {
  for (int i = 0; i < count; ++i) {
    const std::string path = paths[i];
    const auto text = retry_exec::read_file(path, retry_exec::config::Limits().bytes);
    if (!text) return report({text.error()});
    const auto tree = retry_exec::config::parse(*text, path);
    if (!tree) return report(tree.error());
    EmbeddedFile& file =
        files.emplace_back(EmbeddedFile{path, stem_of(path), text->size(), *text, {}});
    flatten(*tree, file.texts, file.nodes);
  }
  std::sort(files.begin(), files.end(),
            [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.name < b.name; });
  for (const EmbeddedFile& file : files) {
    sets.push_back({.name = file.name,
                    .about = {},
                    .yaml = file.yaml(),
                    .tree = {file.texts, file.nodes},
                    .commands = {},
                    .hosts = {},
                    .see = {},
                    .policy = {}});
  }
  return true;
}

std::string raw(std::string_view text) {
  return "R\"rule_set(" + std::string(text) + ")rule_set\"";
}

// What is not text that an editor writes: escape sequences, carriage returns.
std::string escaped(std::string_view text) {
  std::string code = "\"";
  for (const char c : text) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned char>(c));
    code += octal;
  }
  return code + "\"";
}

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) text += raw(word) + ", ";
  return text;
}

std::string code(unsigned value) {
  return std::to_string(value) + "U";
}
std::string code(double value) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  return std::string("double(") + digits + ")";
}
std::string code(retry_exec::Duration value) {
  return "Duration(" + std::to_string(value.count()) + ")";
}
std::string code(retry_exec::Growth value) {
  return "Growth(" + std::to_string(static_cast<int>(value)) + ")";
}
std::string code(const retry_exec::Jitter& value) {
  return "Jitter{Jitter::Kind(" + std::to_string(static_cast<int>(value.kind)) + "), " +
         code(value.percent) + ", " + code(value.added) + "}";
}

// Where a set's words come from: what the file says of itself, then what its own rules say.
std::vector<std::string> sources_of(const retry_exec::RuleSet& set) {
  std::vector<std::string> sources = set.see;
  for (const retry_exec::Rule& rule : set.rules) {
    if (rule.set_name != set.name) continue;
    for (const std::string& source : rule.see) {
      if (std::find(sources.begin(), sources.end(), source) == sources.end()) {
        sources.push_back(source);
      }
    }
  }
  return sources;
}

std::string policy_code(const retry_exec::PolicyFields& policy) {
  std::string text;
  retry_exec::for_each_policy_field([&](const auto& field) {
    std::string member(field.name);
    std::replace(member.begin(), member.end(), '-', '_');
    if (const auto& said = policy.*field.said) text += "." + member + " = " + code(*said) + ", ";
  });
  if (policy.delay_outranks_max) text += ".delay_outranks_max = true, ";
  return text;
}

struct EmbeddedTables {
  std::string lists;
  std::string entries;

  void add_tree(const EmbeddedFile& file, const std::string& n) {
    lists += "constexpr std::string_view texts_" + n + " =\n" + raw(file.yaml()) +
             escaped(std::string_view(file.texts).substr(file.yaml_size)) + ";\n";
    lists += "constexpr config::FlatNode nodes_" + n + "[] = {\n";
    for (const retry_exec::config::FlatNode& node : file.nodes) {
      char line[128];
      std::snprintf(line, sizeof line, "{K(%d), S(%d), %d, %u, %u, %u, %u},\n",
                    static_cast<int>(node.kind), static_cast<int>(node.style), node.one_line,
                    node.column, node.line, node.size, node.text);
      lists += line;
    }
    lists += "};\n";
  }

  void add(const retry_exec::RuleSet& set, const EmbeddedFile& file, std::size_t number) {
    const std::string n = std::to_string(number);
    const auto list = [&](const char* name, const std::vector<std::string>& values) {
      if (values.empty()) return std::string("{}");
      lists +=
          std::string("constexpr std::string_view ") + name + n + "[] = {" + words(values) + "};\n";
      return name + n;
    };
    add_tree(file, n);
    const std::string commands = list("commands_", set.serves.commands);
    const std::string hosts = list("hosts_", set.serves.hosts);
    const std::string see = list("see_", sources_of(set));
    entries += "    {.name = " + raw(file.name) + ",\n     .about = " + raw(set.about) +
               ",\n     .yaml = texts_" + n + ".substr(0, " + std::to_string(file.yaml_size) +
               "),\n     .tree = {texts_" + n + ", nodes_" + n +
               "},\n     .commands = " + commands + ",\n     .hosts = " + hosts +
               ",\n     .see = " + see + ",\n     .policy = {" + policy_code(set.policy) + "}},\n";
  }

  std::string code() const {
    return "// Generated from rules/*.yaml.\n#include <retry_exec/rules.hpp>\n\n"
           "namespace retry_exec {\n\nnamespace {\n\n"
           "using K = config::Node::Kind;\nusing S = config::Node::Style;\n\n" +
           lists + "\nconstexpr BuiltinSet sets[] = {\n" + entries +
           "};\n\n}  // namespace\n\n"
           "std::span<const BuiltinSet> builtin_sets() { return sets; }\n\n"
           "}  // namespace retry_exec\n";
  }
};

bool write(const char* path, const std::string& text) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return false;
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && whole;
}

}  // namespace

std::span<const retry_exec::BuiltinSet> retry_exec::builtin_sets() {
  return sets;
}

int main(int argc, char** argv) {
  if (argc < 3 || !read_files(argc - 2, argv + 2)) return 1;
  bool good = true;
  EmbeddedTables table;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto set = retry_exec::parse_rule_set(files[i].yaml(), files[i].path);
    if (!set) {
      good = report(set.error()) && good;
      continue;
    }
    if (set->name != files[i].name) {
      good =
          report({{{files[i].path}, "a built-in set is named after its file: " + files[i].name}});
    }
    good = report(check_examples(*set)) && good;
    table.add(*set, files[i], i);
  }
  if (!good) return 1;
  if (write(argv[1], table.code())) return 0;
  std::perror(argv[1]);
  return 1;
}

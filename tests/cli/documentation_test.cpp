// --help, README.md, the manual and the completions of three shells say the same.
#include "terminal.hpp"
#include "wrapped.hpp"

#include <map>
#include <regex>
#include <set>

using namespace test;

namespace {

const std::vector<std::string> programs = {"retry-exec", "retry-rules", "retry-publish"};

std::string path_of(const std::string& program) {
  std::string variable = program;
  for (char& c : variable)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return required(variable.c_str());
}

std::string printed(const std::string& program, const std::vector<std::string>& words) {
  Program asked{.argv = {path_of(program)}};
  asked.argv.insert(asked.argv.end(), words.begin(), words.end());
  const Ended ended = run(asked);
  INFO(program << " " << words.front() << ": " << ended.err);
  CHECK(ended.exit_code() == 0);
  return ended.out;
}

// The first groups of all matches.
std::set<std::string> found(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    all.insert((*match)[1]);
  }
  return all;
}

std::set<std::string> options_of(const std::string& program) {
  return found(printed(program, {"--help"}), "\n(?:  -., |      )--([a-z-]+)");
}

std::string readme() {
  return read_file(required("README"));
}

// From a heading or an introduction to the next heading.
std::string part(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t start = text.find(from);
  REQUIRE(start != std::string::npos);
  return text.substr(start, text.find(to, start + from.size()) - start);
}

struct BuiltinSet {
  std::set<std::string> commands;
  std::set<std::string> hosts;
};

std::map<std::string, BuiltinSet> builtin_sets() {
  static const std::regex set(R"re("name":"([^"]+)","about":"(?:[^"\\]|\\.)*","commands":)re"
                              R"re(\[([^\]]*)\],"hosts":\[([^\]]*)\])re");
  const std::string list = printed("retry-rules", {"list", "--json"});
  std::map<std::string, BuiltinSet> sets;
  for (std::sregex_iterator match(list.begin(), list.end(), set), end; match != end; ++match) {
    sets[(*match)[1]] = {found((*match)[2], "\"([^\"]+)\""), found((*match)[3], "\"([^\"]+)\"")};
  }
  return sets;
}

// What a row of README.md's table of tools says: "git, scanners (trivy, grype)".
struct ToldSet {
  std::string row;
  std::string name;
  std::string words;  // in parentheses
};

std::vector<ToldSet> tools_told() {
  static const std::regex line(R"(\n\| ([a-z ]+) \| ([^\n]+) \|)");
  static const std::regex entry(R"(([a-z0-9-]+)(?: \(([^)]*)\))?(?:, |$))");
  const std::string table = part(readme(), "| tools |", "\n\n");
  std::vector<ToldSet> told;
  for (std::sregex_iterator row(table.begin(), table.end(), line), end; row != end; ++row) {
    const std::string cell = (*row)[2];
    for (std::sregex_iterator set(cell.begin(), cell.end(), entry); set != end; ++set) {
      told.push_back({(*row)[1], (*set)[1], (*set)[2]});
    }
  }
  return told;
}

std::string without_backslashes(std::string text) {
  std::erase(text, '\\');
  return text;
}

// An interactive shell that has read our completions. In place of the programs it has functions
// that print what they are given.
class Shell {
 public:
  Shell(const std::string& name, const std::string& folder) {
    Program program{.argv = name == "bash"
                                ? std::vector<std::string>{"bash", "--norc", "--noprofile", "-i"}
                                : std::vector<std::string>{"zsh", "-f", "-i"}};
    const std::string programs_folder =
        path_of("retry-exec").substr(0, path_of("retry-exec").rfind('/'));
    program.environment = {{"TERM", "dumb"},
                           {"HOME", folder},
                           {"PATH", programs_folder + ":/usr/local/bin:/usr/bin:/bin"}};
    program.folder = folder;
    shell_.emplace(terminal_.at(program));
    if (name == "zsh")
      type("autoload -Uz compinit; compinit -u -d " + folder +
           "/dump; unsetopt prompt_cr prompt_sp zle_bracketed_paste");
    for (const std::string& one : programs) {
      type("source " + folder + "/" + one + "." + name);
      type(one + "() { if [[ $1 == --matrix ]]; then command " + one +
           " \"$@\"; else echo \"got\":\"$*\":; fi; }");
    }
    type("echo rea''dy");
    ready_ = terminal_.shows("ready");
  }

  // Does a line, with its tabs, become these arguments?
  bool completes(const std::string& line, const std::string& arguments) {
    REQUIRE(ready_);
    terminal_.forget();
    type(line);
    const bool as_expected = terminal_.shows("got:" + arguments + ":");
    if (!as_expected) UNSCOPED_INFO(terminal_.seen());
    return as_expected;
  }

 private:
  void type(const std::string& line) { terminal_.type(line + "\n"); }

  Terminal terminal_;
  std::optional<Running> shell_;
  bool ready_ = false;
};

// A folder with the completions of all programs, and a plan.
void fill(const TemporaryFolder& folder, const std::string& shell) {
  for (const std::string& program : programs) {
    folder.write(program + "." + shell, printed(program, {"--completions", shell}));
  }
  folder.write("publish.yaml",
               "retry-publish: 1\ntargets:\n  workbench:\n    sources: ['ghcr.io/o/r@sha256:" +
                   std::string(64, 'a') + "']\n    tags: [ghcr.io/o/r:1]\n");
}

}  // namespace

TEST_CASE("the manual and the completions are installed with the programs", "[documentation]") {
  const std::string installed = read_file(required("INSTALLED"));
  for (const std::string& program : programs) {
    for (const std::string& file :
         {"bin/" + program, "man/man1/" + program + ".1",
          "bash-completion/completions/" + program + ".bash", "zsh/site-functions/_" + program,
          "fish/vendor_completions.d/" + program + ".fish"}) {
      CHECK_THAT(installed, ContainsSubstring("/" + file + "\""));
    }
  }
  for (const char* page : {"retry-rules", "retry-publish"}) {
    CHECK_THAT(installed, ContainsSubstring("/man/man5/" + std::string(page) + ".5\""));
  }
}

TEST_CASE("the manual, the completions and --help have the same options", "[documentation]") {
  for (const std::string& program : programs) {
    INFO(program);
    const std::set<std::string> options = options_of(program);
    CHECK(options.size() > 9);
    std::set<std::string> hidden = options;
    hidden.insert({"man", "completions"});
    const std::string page = without_backslashes(printed(program, {"--man"}));
    CHECK(found(page, "\n(?:fB-.fR, )?fB--([a-z-]+)fR") == hidden);
    CHECK(found(printed(program, {"--completions", "zsh"}), "(?:,|\n    |\\*')--([a-z-]+)") ==
          options);
    CHECK(found(printed(program, {"--completions", "fish"}), "\ncomplete [^\n]* -l ([a-z-]+) ") ==
          options);
    const std::string bash = printed(program, {"--completions", "bash"});
    const std::string names = part(bash, "$cur == -*", "return");
    CHECK(found(names, "--([a-z-]+)[ ']") == options);
  }
}

TEST_CASE("README.md has the options of retry-publish and retry-rules", "[documentation]") {
  const std::map<std::string, std::string> tables = {
      {"retry-publish", "### Options of retry-publish"},
      {"retry-rules", "| option of retry-rules"}};
  for (const auto& [program, heading] : tables) {
    INFO(program);
    std::set<std::string> options = options_of(program);
    const std::string table =
        part(readme(), heading, "\n\n" + std::string(program == "retry-rules" ? "" : "Exit"));
    std::set<std::string> told = found(table, "`(?:-., )?--([a-z-]+)");
    for (const char* letter : {"-q", "-v", "-V", "-h"}) {
      if (table.find('`' + std::string(letter) + '`') == std::string::npos) continue;
      const std::map<std::string, std::string> long_names = {
          {"-q", "quiet"}, {"-v", "verbose"}, {"-V", "version"}, {"-h", "help"}};
      told.insert(long_names.at(letter));
    }
    CHECK(told == options);
  }
}

TEST_CASE(
    "README.md's table of tools has each set that is picked for one, once, and what it is for",
    "[documentation]") {
  std::map<std::string, BuiltinSet> sets = builtin_sets();
  for (const ToldSet& told : tools_told()) {
    INFO(told.row << ": " << told.name);
    const BuiltinSet set = sets[told.name];
    CHECK_FALSE((told.row == "registries" ? set.hosts : set.commands).empty());
    for (const std::string& word : found(told.words, "(?:^|, )(?:and )?([^,]+)")) {
      INFO(word);
      CHECK(set.commands.count(word) == 1);
    }
    sets.erase(told.name);
  }
  for (const auto& [name, set] : sets) {
    INFO(name);
    CHECK(set.commands.empty());
    CHECK(set.hosts.empty());
  }
}

TEST_CASE("README.md's table of families has all that generic is made of", "[documentation]") {
  const std::string generic = printed("retry-rules", {"show", "generic"});
  std::set<std::string> families = found(part(generic, "include: [", "]"), "[\\[ ]([a-z0-9-]+)");
  for (const auto& [name, set] : builtin_sets()) {
    if (!set.commands.empty() || !set.hosts.empty()) families.erase(name);
  }
  CHECK(families.size() > 20);
  CHECK(found(part(readme(), "| families |", "\n\n"), "`([a-z0-9-]+)`") == families);
}

TEST_CASE("mandoc finds nothing wrong with any page, and man can list it", "[documentation]") {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> pages = {{"retry-exec", "1"},
                                                                  {"retry-rules", "1"},
                                                                  {"retry-publish", "1"},
                                                                  {"retry-rules", "5"},
                                                                  {"retry-publish", "5"}};
  for (const auto& [program, section] : pages) {
    INFO(program << "(" << section << ")");
    const std::string page = folder.write("page", printed(program, {"--man", section}));
    const Ended lint = run({.argv = {"mandoc", "-T", "lint", page}});
    CHECK(lint.out + lint.err == "");
    CHECK(lint.exit_code() == 0);
    CHECK_THAT(run({.argv = {"mandoc", "-T", "utf8", page}}).out, ContainsSubstring(program));
  }
}

TEST_CASE("the pages on formats have every key", "[documentation]") {
  const std::string rules = without_backslashes(printed("retry-rules", {"--man", "5"}));
  std::set<std::string> keys = found(read_file(required("RULE_FILE_SCHEMA")), "\"([a-z-]+)\": \\{");
  for (const char* not_a_key : {"properties", "items", "text", "texts", "limit", "duration",
                                "exit-code", "signal", "rule"}) {
    keys.erase(not_a_key);
  }
  CHECK(keys.size() > 30);
  for (const std::string& key : keys) CHECK_THAT(rules, ContainsSubstring(key));
  const std::string plan = without_backslashes(printed("retry-publish", {"--man", "5"}));
  const std::string example =
      std::regex_replace(part(readme(), "This is a whole plan for a bake user", "\n- `${NAME}`"),
                         std::regex("#[^\n]*"), "");
  keys = found(example, "[{,\n ]([a-z][a-z-]+): ");
  CHECK(keys.size() > 25);
  for (const std::string& key : keys) CHECK_THAT(plan, ContainsSubstring(key));
}

TEST_CASE("each word that completions offer for a value is one that the program takes",
          "[documentation]") {
  const std::string fish = printed("retry-exec", {"--completions", "fish"});
  const std::regex line(" -l ([a-z-]+) -x -a '([^']*)'");
  std::size_t tried = 0;
  for (std::sregex_iterator match(fish.begin(), fish.end(), line), end; match != end; ++match) {
    for (const std::string& word : found((*match)[2], "([^ ]+)")) {
      INFO((*match)[1] << " " << word);
      CHECK(run(wrapped({"-n", "--" + (*match)[1].str(), word}, {"exit", "0"})).exit_code() == 0);
      ++tried;
    }
  }
  CHECK(tried > 20);
}

TEST_CASE("bash and zsh complete options, values, commands, sets and targets", "[documentation]") {
  for (const char* name : {"bash", "zsh"}) {
    INFO(name);
    const TemporaryFolder folder;
    fill(folder, name);
    Shell shell(name, folder.path().string());
    const std::string sign = std::string(name) == "zsh" ? "=" : " ";  // zsh takes both
    CHECK(shell.completes("retry-exec --stall\t5m --log gi\tx",
                          "--stall-timeout" + sign + "5m --log github x"));
    CHECK(shell.completes("retry-exec -r ghc\t--end-w\t-- true",
                          "-r ghcr --end-with-parent -- true"));
    CHECK(shell.completes("retry-exec --log=gi\t", "--log=github"));
    CHECK(shell.completes("retry-exec -a 3 mkfif\tx", "-a 3 mkfifo x"));
    CHECK(shell.completes("retry-exec cat publ\t", "cat publish.yaml"));
    CHECK(shell.completes("retry-rules sh\tghc\t--reso\t", "show ghcr --resolved"));
    CHECK(shell.completes("retry-publish publ\t--only wor\t", "publish.yaml --only workbench"));
  }
}

TEST_CASE("fish completes options, values, commands, sets and targets", "[documentation]") {
  const TemporaryFolder folder;
  fill(folder, "fish");
  const std::string path = path_of("retry-exec").substr(0, path_of("retry-exec").rfind('/'));
  const auto offered = [&](const std::string& line) {
    std::string script;
    for (const std::string& program : programs) script += "source " + program + ".fish; ";
    Program fish{.argv = {"fish", "--no-config", "-c", script + "complete -C '" + line + "'"}};
    fish.environment = {{"HOME", folder.path().string()},
                        {"PATH", path + ":/usr/local/bin:/usr/bin:/bin"}};
    fish.folder = folder.path().string();
    const Ended ended = run(fish);
    CHECK(ended.err.empty());
    return found("\n" + ended.out, "\n([^\t\n]+)");
  };
  CHECK(offered("retry-exec --stall") == std::set<std::string>{"--stall-timeout"});
  CHECK(offered("retry-exec --log g") == std::set<std::string>{"github"});
  CHECK(offered("retry-exec --unmatched ") == std::set<std::string>{"retry", "stop"});
  CHECK(offered("retry-exec -r ghc") == std::set<std::string>{"ghcr"});
  CHECK(offered("retry-exec -a 3 mkfif") == std::set<std::string>{"mkfifo"});
  CHECK(offered("retry-exec -r ghcr -- mkfif") == std::set<std::string>{"mkfifo"});
  CHECK(offered("retry-exec cat publ") == std::set<std::string>{"publish.yaml"});
  CHECK(offered("retry-exec cat --stall").empty());
  CHECK(offered("retry-rules sh") == std::set<std::string>{"show"});
  CHECK(offered("retry-rules show ghc") == std::set<std::string>{"ghcr"});
  CHECK(offered("retry-publish publ") == std::set<std::string>{"publish.yaml"});
  CHECK(offered("retry-publish publish.yaml --only ") == std::set<std::string>{"workbench"});
}

TEST_CASE("--man and --completions say what they take", "[documentation]") {
  const auto told = [](const std::string& program, const std::vector<std::string>& words) {
    Program asked{.argv = {path_of(program)}};
    asked.argv.insert(asked.argv.end(), words.begin(), words.end());
    const Ended ended = run(asked);
    CHECK(ended.exit_code() == 125);
    return ended.err;
  };
  CHECK_THAT(told("retry-exec", {"--completions"}), ContainsSubstring("bash, zsh or fish"));
  CHECK_THAT(told("retry-exec", {"--completions=tcsh"}), ContainsSubstring("bash, zsh or fish"));
  CHECK_THAT(told("retry-exec", {"--completions=tcsh"}), ContainsSubstring("'tcsh'"));
  CHECK_THAT(told("retry-exec", {"--man", "5"}), ContainsSubstring("there is one page"));
  CHECK_THAT(told("retry-rules", {"--man", "8"}), ContainsSubstring("1 (the program) or 5"));
  for (const std::string& program : programs) {
    CHECK_THAT(printed(program, {"--help"}), !ContainsSubstring("--man"));
  }
}

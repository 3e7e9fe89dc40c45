// What a program can be asked, declared once as a Program_options description: from it follow what
// the command line and the environment may say, and what --help prints.
#pragma once

#include <retry_exec/error.hpp>

#include <boost/program_options/option.hpp>
#include <boost/program_options/options_description.hpp>

#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace retry_exec {

// An option's value (empty: a switch), and where it was said: "--max-delay" or
// "RETRY_EXEC_MAX_DELAY".
struct Given {
  std::string value;
  std::string where;

  bool by_option() const { return where.starts_with("--"); }
};

// Puts what an option says into a setting; errors name the place where it was given.
using Setter = std::function<Result<void>(std::string_view value)>;

// `parse` makes a Result of the text; its value goes to `setting`.
template <class T, class Parse>
Setter into(T& setting, Parse parse) {
  return [&setting, parse](std::string_view text) -> Result<void> {
    auto value = parse(text);
    if (!value) return value.error();
    setting = *std::move(value);
    return {};
  };
}

// The text as it is: into a string, an optional one, or at the end of a list of them.
template <class T>
Setter into(T& setting) {
  return [&setting](std::string_view text) -> Result<void> {
    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      setting.emplace_back(text);
    } else {
      setting = std::string(text);
    }
    return {};
  };
}

Setter into(bool& setting);         // of a switch
Setter how_often(unsigned& times);  // of a switch that may be repeated

// An option as it is declared, for texts about it.
struct OptionText {
  char letter = '\0';  // none
  std::string name;
  std::string argument;  // empty: a switch
  std::string help;
  bool repeatable = false;
};

class CommandLine {
 public:
  enum class Operands { last, anywhere };

  // `program` names it in messages and its variables: "retry-exec", "RETRY_EXEC_MAX_DELAY".
  CommandLine(std::string_view program, Operands where);

  // `names` is "max-delay,m". An option that is repeatable counts each time; of another, the last.
  // Where the last would leave undone what the first asks for, it is one that is given once.
  void option(const char* names, std::string_view argument, const char* help, Setter setter);
  void once(const char* names, std::string_view argument, const char* help, Setter setter);
  void repeatable(const char* names, std::string_view argument, const char* help, Setter setter);
  void flag(const char* names, const char* help, Setter setter);
  // The variables of these options are not looked at.
  void not_in_environment(std::initializer_list<std::string_view> names);
  void no_environment() { prefix_.clear(); }
  // Of these options one at most; one on the command line beats what the environment says.
  void alternatives(std::initializer_list<std::string_view> names);

  // Reads the arguments (without the program's name), then for what they do not say the
  // environment, and sets what is asked for, unless help or the version is. All errors at once.
  Result<void, Errors> read(std::span<char* const> arguments);

  const std::string& program() const { return program_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // The value that counts.
  const Given* find(std::string_view name) const;
  // All that was given, in the order of the description.
  std::vector<Given> all_given() const;

  // A line for each variable that looks like an option's and is none, with the nearest one.
  const std::vector<std::string>& notes() const { return notes_; }

  std::vector<std::string> operands;  // byte for byte
  Operands where_operands_stand() const { return where_; }

  // In the order in which they were declared.
  std::vector<OptionText> options() const;

  // "  -m, --max-delay DUR   longest wait (32s)", one line or more each.
  std::string table() const;

 private:
  using Option = boost::program_options::option;
  using Description = boost::program_options::option_description;

  enum class Times { last, once, each };  // which of several count

  struct Declared {
    const char* names;  // as Program_options takes them: "max-delay,m"
    std::string_view name;
    std::string_view letter;  // empty: none
    std::string_view argument;
    std::string help;
    Setter setter;
    Times times;

    bool may_be_meant_by(std::string_view word) const;
  };

  void describe(std::span<char* const> arguments);
  void add(const char* names, std::string_view argument, const char* help, Setter setter,
           Times times);
  std::vector<Option> parse(const std::vector<std::string>& words, Errors& errors);
  void refuse_seconds(Errors& errors) const;
  void read_environment();
  std::string option_of(const std::string& variable);
  bool is_told(std::string_view variable) const;
  void choose_alternatives(Errors& errors);
  void set(Errors& errors);
  std::string unknown(const std::string& word) const;
  const Description* known(std::string_view name) const;

  std::string program_;
  std::string prefix_;
  Operands where_;
  std::vector<Declared> declared_;
  bool in_environment_ = false;  // is there a variable that begins with our prefix?
  boost::program_options::options_description description_;  // of those that may have been given
  std::vector<std::string_view> without_variable_ = {"help", "version"};
  std::vector<std::vector<std::string_view>> alternatives_;
  std::map<std::string, std::vector<Given>, std::less<>> given_;
  std::vector<std::string> notes_;
};

}  // namespace retry_exec

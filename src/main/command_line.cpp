#include "main/command_line.hpp"

#include <retry_exec/text.hpp>

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>

namespace retry_exec {

namespace po = boost::program_options;

namespace {

// How Program_options reads an option of ours: the text, checked, goes where it is declared to go.
class Semantic final : public po::value_semantic {
 public:
  Semantic(std::string_view argument, Setter setter, bool repeatable)
      : argument_(argument), setter_(std::move(setter)), repeatable_(repeatable) {}

  std::string name() const override { return std::string(argument_); }
  unsigned min_tokens() const override { return argument_.empty() ? 0 : 1; }
  unsigned max_tokens() const override { return min_tokens(); }
  bool is_composing() const override { return repeatable_; }
  bool is_required() const override { return false; }
  void parse(boost::any&, const std::vector<std::string>& tokens, bool) const override {
    const Result<void> set = setter_(tokens.front());
    if (!set) throw set.error();
  }
  bool apply_default(boost::any&) const override { return false; }
  void notify(const boost::any&) const override {}

 private:
  std::string_view argument_;
  Setter setter_;
  bool repeatable_;
};

Result<bool> parse_switch(std::string_view text) {
  constexpr auto is_one_of = [](std::string_view word, auto... words) {
    return ((word == words) || ...);
  };
  if (is_one_of(text, "", "1", "true", "yes", "on")) return true;
  if (is_one_of(text, "0", "false", "no", "off")) return false;
  return wrong_value(text, "is neither yes nor no; write true or false");
}

std::string variable_name(std::string_view name) {
  std::string variable;
  for (const char c : name) variable += c == '-' ? '_' : text::upper_case(c);
  return variable;
}

// What a variable says, nothing when it is empty; of an option that is repeatable, a list, unless
// all of it is the name of one file: "my digests" may be a folder.
std::vector<std::string> values_of(std::string_view text, bool list) {
  constexpr std::string_view separators = ", \t\n";
  std::vector<std::string> values;
  std::error_code ignored;
  list = list && !std::filesystem::exists(text, ignored);
  while (!text.empty()) {
    const std::string_view one = list ? text.substr(0, text.find_first_of(separators)) : text;
    if (!one.empty()) values.emplace_back(one);
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return values;
}

bool is_operand(std::string_view word) {
  return word.size() < 2 || word.front() != '-';
}

std::string without_dashes(const std::string& word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

// Program_options would stop at "--name=", and take "--=value" for an operand.
std::optional<po::option> without_value(const std::string& word) {
  const bool nameless = word.starts_with("--=");
  if (!nameless && (!word.starts_with("--") || !word.ends_with('='))) return std::nullopt;
  po::option option(nameless ? word : word.substr(2, word.size() - 3), {""});
  option.original_tokens = {word};
  return option;
}

}  // namespace

Setter into(bool& setting) {
  return into(setting, parse_switch);
}

Setter how_often(unsigned& times) {
  return [&times](std::string_view text) -> Result<void> {
    const Result<bool> on = parse_switch(text);
    if (!on) return on.error();
    times += *on ? 1 : 0;
    return {};
  };
}

CommandLine::CommandLine(std::string_view program, Operands where)
    : program_(program), prefix_(variable_name(program) + "_"), where_(where) {}

void CommandLine::add(const char* names, std::string_view argument, const char* help, Setter setter,
                      Times times) {
  const std::string_view all(names);
  const std::size_t comma = std::min(all.find(','), all.size());
  declared_.push_back({.names = names,
                       .name = all.substr(0, comma),
                       .letter = all.substr(std::min(comma + 1, all.size())),
                       .argument = argument,
                       .help = help,
                       .setter = std::move(setter),
                       .times = times});
}

// "--max-delay=1s", "-m1s", and "-qm1s", where flags stand together.
bool CommandLine::Declared::may_be_meant_by(std::string_view word) const {
  if (!word.starts_with("--")) return !letter.empty() && word.find(letter) != word.npos;
  word.remove_prefix(2);
  return word.substr(0, word.find('=')) == name;
}

// Describing an option costs more than all the rest of reading it, so that only those are described
// of which a word, or the environment, may speak.
void CommandLine::describe(std::span<char* const> arguments) {
  std::vector<std::string_view> words;
  for (const char* word : arguments) {
    if (*word == '-') words.emplace_back(word);
  }
  for (const Declared& option : declared_) {
    const auto means_it = [&](std::string_view word) { return option.may_be_meant_by(word); };
    if (!in_environment_ && std::none_of(words.begin(), words.end(), means_it)) continue;
    description_.add_options()(
        option.names, new Semantic(option.argument, option.setter, option.times == Times::each),
        option.help.c_str());
  }
}

void CommandLine::option(const char* names, std::string_view argument, const char* help,
                         Setter setter) {
  add(names, argument, help, std::move(setter), Times::last);
}

void CommandLine::once(const char* names, std::string_view argument, const char* help,
                       Setter setter) {
  add(names, argument, help, std::move(setter), Times::once);
}

void CommandLine::repeatable(const char* names, std::string_view argument, const char* help,
                             Setter setter) {
  add(names, argument, help, std::move(setter), Times::each);
}

void CommandLine::flag(const char* names, const char* help, Setter setter) {
  add(names, {}, help, std::move(setter), Times::each);
}

void CommandLine::not_in_environment(std::initializer_list<std::string_view> names) {
  without_variable_.insert(without_variable_.end(), names);
}

void CommandLine::alternatives(std::initializer_list<std::string_view> names) {
  alternatives_.emplace_back(names);
}

const CommandLine::Description* CommandLine::known(std::string_view name) const {
  return description_.find_nothrow(std::string(name), false);
}

const Given* CommandLine::find(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? nullptr : &found->second.back();
}

std::vector<Given> CommandLine::all_given() const {
  std::vector<Given> all;
  for (const auto& option : description_.options()) {
    const auto found = given_.find(option->long_name());
    if (found == given_.end()) continue;
    const auto& values = found->second;
    const auto first = option->semantic()->is_composing() ? values.begin() : values.end() - 1;
    all.insert(all.end(), first, values.end());
  }
  return all;
}

std::string CommandLine::unknown(const std::string& word) const {
  std::vector<std::string_view> names;
  for (const Declared& option : declared_) names.push_back(option.name);
  const std::string name = without_dashes(word);
  const bool letter = !word.starts_with("--") && name.size() == 1;
  const std::string_view near = letter ? std::string_view() : nearest_word(name, names);
  return "unknown option " + word +
         (near.empty() ? "; --help lists them" : "; did you mean --" + std::string(near) + "?");
}

// Program_options stops at the first word that it cannot make sense of; what stands before and
// behind that word is read without it, so that all errors are reported at once.
std::vector<po::option> CommandLine::parse(const std::vector<std::string>& words, Errors& errors) {
  const std::vector<std::string>* queue = nullptr;
  std::size_t left = words.size();
  const auto stop_at_operand = [&](std::vector<std::string>& rest) -> std::vector<po::option> {
    if (queue == nullptr) queue = &rest;
    if (queue != &rest) return {};  // the word behind an option, which may be its value
    left = rest.size();
    if (where_ == Operands::last && (is_operand(rest.front()) || rest.front() == "--")) {
      const auto first = rest.begin() + (rest.front() == "--" ? 1 : 0);
      operands.assign(std::make_move_iterator(first), std::make_move_iterator(rest.end()));
      rest.clear();
    } else if (auto option = without_value(rest.front())) {
      rest.erase(rest.begin());
      return {*std::move(option)};
    }
    return {};
  };
  namespace style = po::command_line_style;
  try {
    return po::command_line_parser(words)
        .options(description_)
        .style(style::unix_style & ~style::allow_guessing)
        .extra_style_parser(stop_at_operand)
        .allow_unregistered()
        .run()
        .options;
  } catch (const po::invalid_syntax& wrong) {
    const auto at = words.end() - static_cast<std::ptrdiff_t>(left);
    const std::string name = wrong.get_option_name();
    const std::string bare = without_dashes(name);
    const Description* option = known(bare.size() == 1 ? "-" + bare : bare);
    const std::string shown = option == nullptr ? name : "--" + option->long_name();
    const bool extra = wrong.kind() == po::invalid_syntax::extra_parameter;
    const std::string argument = option == nullptr ? "" : " (" + option->semantic()->name() + ")";
    errors.push_back({{}, shown + (extra ? " takes no value" : " needs a value" + argument)});
    std::vector<po::option> options = parse({words.begin(), at}, errors);
    const std::vector<po::option> behind = parse({at + 1, words.end()}, errors);
    options.insert(options.end(), behind.begin(), behind.end());
    return options;
  }
}

// The option that a variable stands for; empty when it stands for none.
std::string CommandLine::option_of(const std::string& variable) {
  if (!variable.starts_with(prefix_)) return {};
  const std::string_view rest = std::string_view(variable).substr(prefix_.size());
  std::vector<std::string> variables;
  for (const Declared& option : declared_) {
    const auto without = std::find(without_variable_.begin(), without_variable_.end(), option.name);
    if (without != without_variable_.end()) continue;
    variables.push_back(variable_name(option.name));
    if (variables.back() == rest) return has(option.name) ? "" : std::string(option.name);
  }
  if (!is_told(rest)) {
    const std::vector<std::string_view> names(variables.begin(), variables.end());
    const std::string_view near = nearest_word(rest, names);
    notes_.push_back(variable + " is not the variable of an option" +
                     (near.empty() ? "; --help lists them"
                                   : "; did you mean " + prefix_ + std::string(near) + "?"));
  }
  return {};
}

// What a command learns from us, and so does a retry-exec that is the command; what many a
// Dockerfile calls the version that it wants; and where tests/all keeps its tools.
bool CommandLine::is_told(std::string_view variable) const {
  constexpr std::array<std::string_view, 3> told = {"ATTEMPT", "MAX_ATTEMPTS", "DEPTH"};
  const bool nested =
      std::getenv((prefix_ + "DEPTH").c_str()) != nullptr;  // NOLINT(concurrency-mt-unsafe)
  return variable == "VERSION" || variable == "TOOLS" ||
         (nested && (variable.starts_with("LAST_") ||
                     std::find(told.begin(), told.end(), variable) != told.end()));
}

void CommandLine::refuse_seconds(Errors& errors) const {
  for (const Declared& option : declared_) {
    const auto found = given_.find(option.name);
    if (option.times != Times::once || found == given_.end()) continue;
    const auto& all = found->second;
    const std::string& first = all.front().value;
    const auto other = std::find_if(all.begin(), all.end(),
                                    [&](const auto& given) { return given.value != first; });
    if (other == all.end()) continue;
    errors.push_back({{},
                      all.front().where + " is given twice, as " + text::quoted(first) + " and " +
                          text::quoted(other->value) + "; give one"});
  }
}

void CommandLine::read_environment() {
  if (!in_environment_) return;
  const po::parsed_options parsed = po::parse_environment(
      description_, [this](const std::string& variable) { return option_of(variable); });
  for (const po::option& option : parsed.options) {
    const auto semantic = known(option.string_key)->semantic();
    const bool is_switch = semantic->max_tokens() == 0;
    const bool list = semantic->is_composing() && !is_switch;
    for (std::string& one : values_of(option.value.front(), list)) {
      if (const auto on = parse_switch(one); is_switch && on) {
        if (!*on) continue;
        one = "true";
      }
      given_[option.string_key].push_back(
          {std::move(one), prefix_ + variable_name(option.string_key)});
    }
  }
}

void CommandLine::choose_alternatives(Errors& errors) {
  for (const auto& names : alternatives_) {
    std::vector<std::string_view> said;
    for (const std::string_view name : names) {
      if (has(name)) said.push_back(name);
    }
    const auto by_option = [&](std::string_view name) { return find(name)->by_option(); };
    if (std::any_of(said.begin(), said.end(), by_option)) {
      std::erase_if(said, [&](std::string_view name) {
        if (by_option(name)) return false;
        given_.erase(given_.find(name));
        return true;
      });
    }
    if (said.size() > 1) {
      errors.push_back({{},
                        find(said[0])->where + " and " + find(said[1])->where +
                            " contradict each other; give one"});
    }
  }
}

void CommandLine::set(Errors& errors) {
  for (const auto& option : description_.options()) {
    const auto found = given_.find(option->long_name());
    if (found == given_.end()) continue;
    const auto& values = found->second;
    const auto semantic = option->semantic();
    for (auto given = semantic->is_composing() ? values.begin() : values.end() - 1;
         given != values.end(); ++given) {
      try {
        boost::any unused;
        semantic->parse(unused, {given->value}, true);
      } catch (const Error& wrong) {
        errors.push_back({{}, given->where + ": " + wrong.what});
      }
    }
  }
}

Result<void, Errors> CommandLine::read(std::span<char* const> arguments) {
  Errors errors;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    in_environment_ |= !prefix_.empty() && std::string_view(*variable).starts_with(prefix_);
  }
  describe(arguments);
  const std::vector<po::option> parsed = parse({arguments.begin(), arguments.end()}, errors);
  for (const po::option& option : parsed) {
    const std::string where = "--" + option.string_key;
    if (option.unregistered) {
      errors.push_back({{},
                        unknown(option.string_key.size() > 1 && option.string_key.starts_with('-')
                                    ? option.string_key
                                    : where)});
    } else if (option.string_key.empty()) {
      operands.push_back(option.value.front());
    } else if (!option.value.empty() && option.value.front().empty()) {
      errors.push_back({{},
                        where + " needs a value (" + known(option.string_key)->semantic()->name() +
                            "), not an empty one"});
    } else {
      given_[option.string_key].push_back(
          {option.value.empty() ? "" : option.value.front(), where});
    }
  }
  refuse_seconds(errors);
  read_environment();
  if (errors.empty() && (has("help") || has("version"))) return {};
  choose_alternatives(errors);
  set(errors);
  if (!errors.empty()) return errors;
  return {};
}

}  // namespace retry_exec

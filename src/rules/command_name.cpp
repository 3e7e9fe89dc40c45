#include "rules/script_commands.hpp"

#include <retry_exec/rules.hpp>

#include <algorithm>
#include <array>

namespace retry_exec {

namespace {

// A command that runs another: its options that take the next argument as their value, and how many
// operands stand before the command that it runs.
struct Wrapper {
  std::string_view name;
  std::string_view valued;  // short and long options, separated by blanks
  int operands = 0;
  std::string_view verbs = {};  // it runs another only by one of these, its first argument
};

constexpr std::array wrappers = {
    Wrapper{"env", "-u --unset -C --chdir -S --split-string"},
    Wrapper{"sudo",
            "-u --user -g --group -h --host -p --prompt -C --close-from -D --chdir -R "
            "--chroot -r --role -t --type -T --command-timeout -U --other-user"},
    Wrapper{"doas", "-u -C"},
    Wrapper{"nice", "-n --adjustment"},
    Wrapper{"ionice", "-c --class -n --classdata"},
    Wrapper{"nohup", ""},
    Wrapper{"setsid", ""},
    Wrapper{"timeout", "-k --kill-after -s --signal", 1},
    Wrapper{"stdbuf", "-i --input -o --output -e --error"},
    Wrapper{"time", "-f --format -o --output"},
    Wrapper{"xargs",
            "-a --arg-file -d --delimiter -E -I -L -l -n --max-args -P --max-procs -s "
            "--max-chars"},
    Wrapper{"npx", "-p --package -w --workspace"},
    Wrapper{"bunx", ""},
    Wrapper{"uvx", "--from --with -p --python"},
    Wrapper{"npm", "-w --workspace", 0, "exec x"},
    Wrapper{"pnpm", "", 0, "exec dlx"},
    Wrapper{"yarn", "-p --package", 0, "exec dlx"},
    Wrapper{"bundle", "", 0, "exec"},
    Wrapper{"poetry", "", 0, "run"},
    Wrapper{"pipx", "", 0, "run"},
    Wrapper{"uv", "--with --python -p --from", 0, "run"},
    Wrapper{"mise", "", 0, "exec x"},
    // And the options of a policy, see takes_value().
    Wrapper{
        "retry-exec",
        "-r --rules --spent-stdin -s --signal --retry-on --stop-on --unmatched --capture-limit "
        "-R --report --log --color --seed --exhausted-code --retries --drain-grace --drain-limit "
        "--summary --before-retry --github-output"},
};

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_among(std::string_view words, std::string_view word) {
  for (std::string_view rest = words; !rest.empty();) {
    const std::size_t blank = rest.find(' ');
    if (rest.substr(0, blank) == word) return true;
    if (blank == std::string_view::npos) break;
    rest.remove_prefix(blank + 1);
  }
  return false;
}

// What runs another command as `command` stands; nullptr when none does.
const Wrapper* find_wrapper(std::span<const std::string> command) {
  const std::string_view name = base_name(command.front());
  const auto found = std::find_if(wrappers.begin(), wrappers.end(),
                                  [&](const Wrapper& wrapper) { return wrapper.name == name; });
  if (found == wrappers.end()) return nullptr;
  const bool by_verb = !found->verbs.empty();
  if (by_verb && (command.size() < 3 || !is_among(found->verbs, command[1]))) return nullptr;
  return &*found;
}

bool is_policy_option(std::string_view argument) {
  bool known = false;
  for_each_policy_field([&](const auto& field) {
    const std::string_view names = field.option;  // "max-delay,m"
    const std::size_t comma = names.find(',');
    const std::string_view letter = comma == std::string_view::npos ? "" : names.substr(comma + 1);
    known = known || argument == "--" + std::string(names.substr(0, comma)) ||
            (!letter.empty() && argument == "-" + std::string(letter));
  });
  return known;
}

bool takes_value(const Wrapper& wrapper, std::string_view option) {
  return is_among(wrapper.valued, option) ||
         (wrapper.name == "retry-exec" && is_policy_option(option));
}

// "wrangler" of `npx wrangler@4`.
std::string_view without_version(std::string_view name) {
  return name.substr(0, name.find('@', 1));
}

bool is_assignment(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         argument.substr(0, equals).find('/') == std::string_view::npos;
}

// The arguments of what `wrapper` runs.
std::span<const std::string> inner_command(const Wrapper& wrapper,
                                           std::span<const std::string> arguments) {
  const bool assigns = wrapper.name == "env" || wrapper.name == "sudo";
  int operands = wrapper.operands;
  while (!arguments.empty()) {
    const std::string& argument = arguments.front();
    const bool option = argument.size() > 1 && argument.front() == '-';
    if (argument == "--") return arguments.subspan(1);
    const bool skipped = option || (assigns && is_assignment(argument)) || operands > 0;
    if (!skipped) return arguments;
    if (!option && operands > 0) --operands;
    const bool value_follows = option && takes_value(wrapper, argument) && arguments.size() > 1;
    arguments = arguments.subspan(value_follows ? 2 : 1);
  }
  return arguments;
}

// "pip" of `python3 -m pip install x`.
std::string python_module(std::string_view name, std::span<const std::string> arguments) {
  if (!name.starts_with("python") || arguments.size() < 2 || arguments[0] != "-m") return {};
  return arguments[1];
}

}  // namespace

std::vector<std::string> command_names(std::span<const std::string> command) {
  std::vector<std::string> names;
  if (const auto script = rules::script_of(command)) {
    for (const std::vector<std::string>& words : rules::simple_commands(*script)) {
      std::string name = command_name(words);
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
  }
  if (names.empty()) names.push_back(command_name(command));
  return names;
}

std::string command_name(std::span<const std::string> command) {
  while (!command.empty()) {
    const std::string_view name = without_version(base_name(command.front()));
    const Wrapper* wrapper = find_wrapper(command);
    if (wrapper == nullptr) {
      const std::string module = python_module(name, command.subspan(1));
      return module.empty() ? std::string(name) : module;
    }
    const auto inner = inner_command(*wrapper, command.subspan(wrapper->verbs.empty() ? 1 : 2));
    if (inner.empty()) return std::string(name);
    command = inner;
  }
  return {};
}

}  // namespace retry_exec

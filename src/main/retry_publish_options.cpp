#include "retry_publish_options.hpp"

#include <retry_exec/report.hpp>

#include <array>
#include <charconv>

namespace retry_exec {

namespace {

constexpr std::array definitions = {
    OptionDefinition{"only", 0, "TARGET", "publish this target; repeatable (all)", true},
    OptionDefinition{"shard", 0, "I/N", "publish each N-th target, from the I-th on (1/1)"},
    OptionDefinition{"jobs", 'j', "N", "commands that may run side by side (8)"},
    OptionDefinition{"deadline", 0, "DUR", "of the whole run (none)"},
    OptionDefinition{"dry-run", 'n', "",
                     "print every command that would be run; run and contact nothing"},
    OptionDefinition{"matrix", 0, "", "print the targets as a CI matrix (JSON); publish nothing"},
    OptionDefinition{"report", 'R', "[json:|text:]FILE|-", "final report (none)"},
    OptionDefinition{"summary", 0, "FILE",
                     "append a Markdown summary of the run ($GITHUB_STEP_SUMMARY)"},
    OptionDefinition{"log", 0, "FORMAT", "text, json, github or auto (auto)"},
    OptionDefinition{"seed", 0, "N", "of the jitter, for the same waits each time"},
    OptionDefinition{"quiet", 'q', "", "no log but our own errors and the list of what failed"},
    OptionDefinition{"verbose", 'v', "", "a line for everything that happens"},
    OptionDefinition{"version", 'V', "", "print the version"},
    OptionDefinition{"help", 'h', "", "print this"},
};

template <class Number>
std::optional<Number> whole(std::string_view text, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fits = error == std::errc() && end == text.data() + text.size();
  return fits && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

class Reader {
 public:
  explicit Reader(const CommandLine& line) : line_(line) {}

  Errors errors;

  std::optional<std::string> text(std::string_view name) const {
    const Given* given = line_.find(name);
    return given == nullptr ? std::nullopt : std::optional(given->value);
  }

  template <class Number>
  std::optional<Number> number(std::string_view name, Number least, Number most) {
    const Given* given = line_.find(name);
    if (given == nullptr) return std::nullopt;
    const auto number = whole<Number>(given->value, least, most);
    if (!number) {
      wrong(*given,
            "is not a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return number;
  }

  std::optional<Duration> limit(std::string_view name) {
    const Given* given = line_.find(name);
    if (given == nullptr) return std::nullopt;
    const auto limit = parse_limit(given->value);
    if (!limit) errors.push_back({{}, given->where + ": " + limit.error().what});
    return limit && *limit != unlimited ? std::optional(*limit) : std::nullopt;
  }

  // `parse` makes a Result of the option's text.
  template <class Parse>
  void check(std::string_view name, std::string_view text, Parse parse) {
    const auto parsed = parse(text);
    if (parsed) return;
    const Given* given = line_.find(name);
    errors.push_back(
        {{}, (given == nullptr ? std::string(name) : given->where) + ": " + parsed.error().what});
  }

  void shard(publish::Selection& selection) {
    const Given* given = line_.find("shard");
    if (given == nullptr) return;
    const std::string_view text = given->value;
    const std::size_t slash = text.find('/');
    constexpr unsigned most = 10'000;
    if (slash != std::string_view::npos) {
      const auto shards = whole<unsigned>(text.substr(slash + 1), 1, most);
      const auto shard = whole<unsigned>(text.substr(0, slash), 1, shards.value_or(0));
      if (shard && shards) {
        selection.shard = *shard;
        selection.shards = *shards;
        return;
      }
    }
    wrong(*given, "is not a shard; write I/N, such as 1/3, with I from 1 to N");
  }

 private:
  void wrong(const Given& given, const std::string& why) {
    errors.push_back({{}, given.where + ": '" + given.value.substr(0, 64) + "' " + why});
  }

  const CommandLine& line_;
};

}  // namespace

const char* const publish_exit_code_table =
    "  0       every target is published\n"
    "  1       a target failed; the others are published\n"
    "  124     the deadline ended the run\n"
    "  125     usage, plan, tools or our own failure: nothing was published\n"
    "  128+n   signal n asked us to end\n";

std::span<const OptionDefinition> retry_publish_options() {
  return definitions;
}

Result<PublishSettings, Errors> publish_settings_from(const CommandLine& line) {
  Reader reader(line);
  PublishSettings settings;
  if (line.operands.size() == 1) {
    settings.plan = line.operands.front();
  } else {
    reader.errors.push_back({{},
                             line.operands.empty()
                                 ? "no plan given"
                                 : "more than one plan given: '" + line.operands[1] + "'"});
  }
  for (const Given& given : line.all("only")) settings.selection.only.push_back(given.value);
  reader.shard(settings.selection);
  constexpr unsigned most_jobs = 1000;
  settings.jobs = reader.number<unsigned>("jobs", 1, most_jobs).value_or(settings.jobs);
  settings.deadline = reader.limit("deadline");
  settings.report = reader.text("report");
  settings.summary = reader.text("summary");
  settings.log = reader.text("log").value_or("auto");
  reader.check("log", settings.log,
               [](std::string_view text) { return parse_log_format(text, ""); });
  if (settings.report) reader.check("report", *settings.report, parse_report_target);
  settings.seed = reader.number<std::uint64_t>("seed", 0, ~std::uint64_t{0});
  settings.dry_run = line.on("dry-run");
  settings.matrix = line.on("matrix");
  settings.quiet = line.on("quiet");
  settings.verbose = static_cast<unsigned>(line.all("verbose").size());
  if (!reader.errors.empty()) return reader.errors;
  return settings;
}

}  // namespace retry_exec

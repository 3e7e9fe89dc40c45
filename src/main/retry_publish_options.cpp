#include "retry_publish_options.hpp"

#include <retry_exec/report.hpp>

#include <array>
#include <charconv>

namespace retry_exec {

namespace {

constexpr std::array definitions = {
    OptionDefinition{"digests", 0, "FOLDER",
                     "without a plan: images by files named by their digests"},
    OptionDefinition{
        "metadata", 0, "FILE",
        "without a plan: images by what buildx build --metadata-file wrote; repeatable", true},
    OptionDefinition{"repository", 0, "NAME", "without a plan: where the images are"},
    OptionDefinition{
        "tag", 0, "TAG",
        "without a plan: what to publish as, whole or a tag of --repository; repeatable", true},
    OptionDefinition{"platform", 0, "NAME",
                     "without a plan: that must be there, such as linux/amd64; repeatable", true},
    OptionDefinition{"metadata-action", 0, "FILE|JSON",
                     "without a plan: tags and annotations of docker/metadata-action"},
    OptionDefinition{"print-plan", 0, "", "print the plan that these stand for; publish nothing"},
    OptionDefinition{"only", 0, "TARGET", "publish this target; repeatable (all)", true},
    OptionDefinition{"shard", 0, "I/N", "publish each N-th target, from the I-th on (1/1)"},
    OptionDefinition{"jobs", 'j', "N", "commands that may run side by side (8)"},
    OptionDefinition{"deadline", 0, "DUR", "of the whole run (none)"},
    OptionDefinition{"dry-run", 'n', "",
                     "print every command that would be run; run and contact nothing"},
    OptionDefinition{"matrix", 0, "", "print the targets as a CI matrix (JSON); publish nothing"},
    OptionDefinition{"digests-file", 0, "FILE", "write the digest of each published target (JSON)"},
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

namespace {

std::vector<std::string> values_of(const CommandLine& line, std::string_view name) {
  std::vector<std::string> values;
  for (const Given& given : line.all(name)) values.push_back(given.value);
  return values;
}

std::string value_of(const CommandLine& line, std::string_view name) {
  const Given* given = line.find(name);
  return given == nullptr ? "" : given->value;
}

// A plan, or what stands for one.
void read_what_to_publish(const CommandLine& line, Errors& errors, PublishSettings& settings) {
  const auto wrong = [&](std::string what) { errors.push_back({{}, std::move(what)}); };
  PlainTarget plain{.digests = value_of(line, "digests"),
                    .metadata = values_of(line, "metadata"),
                    .repository = value_of(line, "repository"),
                    .tags = values_of(line, "tag"),
                    .platforms = values_of(line, "platform"),
                    .metadata_action = value_of(line, "metadata-action")};
  settings.print_plan = line.on("print-plan");
  const bool sources = !plain.digests.empty() || !plain.metadata.empty();
  if (line.operands.size() > 1) {
    wrong("more than one plan given: '" + line.operands[1] + "'");
  } else if (!line.operands.empty()) {
    settings.plan = line.operands.front();
    if (sources || settings.print_plan) {
      wrong("--digests, --metadata and --print-plan are for runs without a plan, not with '" +
            settings.plan + "'");
    }
  } else if (!sources) {
    wrong("no plan given, nor --digests or --metadata");
  } else {
    if (!plain.digests.empty() && plain.repository.empty()) {
      wrong("--digests needs --repository, which says where the images are");
    }
    if (plain.tags.empty() && plain.metadata_action.empty()) {
      wrong("no --tag and no --metadata-action: there is nothing to publish as");
    }
    settings.plain = std::move(plain);
  }
}

// In single quotes nothing is special but these; "${" would be a variable.
std::string yaml_text(std::string_view text) {
  std::string quoted = "'";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted += '\'';
    if (text.substr(i).starts_with("${")) quoted += '$';
    quoted += text[i];
  }
  return quoted + "'";
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + yaml_text(text);
  return "[" + list + "]";
}

}  // namespace

std::string plan_text(const PlainTarget& plain) {
  const std::string name = plain.repository.substr(plain.repository.rfind('/') + 1);
  std::string text = "retry-publish: 1\ntargets:\n  " + yaml_text(name.empty() ? "image" : name) +
                     ":\n    sources:\n";
  if (!plain.digests.empty()) {
    text += "      - {digests: " + yaml_text(plain.digests) +
            ", repository: " + yaml_text(plain.repository) + "}\n";
  }
  for (const std::string& file : plain.metadata) {
    text += "      - {metadata: " + yaml_text(file) + "}\n";
  }
  if (!plain.platforms.empty()) text += "    platforms: " + yaml_list(plain.platforms) + "\n";
  if (!plain.metadata_action.empty()) {
    text += "    metadata-action: " + yaml_text(plain.metadata_action) + "\n";
  }
  std::vector<std::string> tags = plain.tags;
  for (std::string& tag : tags) {
    if (tag.find('/') == std::string::npos) tag = plain.repository + ":" + tag;
  }
  if (!tags.empty()) text += "    tags: " + yaml_list(tags) + "\n";
  return text;
}

Result<PublishSettings, Errors> publish_settings_from(const CommandLine& line) {
  Reader reader(line);
  PublishSettings settings;
  read_what_to_publish(line, reader.errors, settings);
  for (const Given& given : line.all("only")) settings.selection.only.push_back(given.value);
  reader.shard(settings.selection);
  constexpr unsigned most_jobs = 1000;
  settings.jobs = reader.number<unsigned>("jobs", 1, most_jobs).value_or(settings.jobs);
  settings.deadline = reader.limit("deadline");
  settings.digests_file = reader.text("digests-file");
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

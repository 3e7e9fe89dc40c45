#include "main/publish/retry_publish_options.hpp"

namespace retry_exec {

namespace {

Result<std::optional<Duration>> parse_deadline(std::string_view text) {
  const Result<Duration> limit = parse_limit(text);
  if (!limit) return limit.error();
  return *limit == unlimited ? std::nullopt : std::optional(*limit);
}

Setter into_shard(publish::plan::Selection& selection) {
  return [&selection](std::string_view text) -> Result<void> {
    constexpr unsigned most = 10'000;
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto shards = whole<unsigned>(1, most)(text.substr(std::min(slash + 1, text.size())));
    const auto shard = whole<unsigned>(1, shards ? *shards : 0)(text.substr(0, slash));
    if (!shard) {
      return wrong_value(text, "is not a shard; write I/N, such as 1/3, with I from 1 to N");
    }
    selection.shard = *shard;
    selection.shards = *shards;
    return {};
  };
}

}  // namespace

const char* const publish_exit_code_table =
    "  0       every target is published\n"
    "  1       a target failed; the others are published\n"
    "  124     the deadline ended the run\n"
    "  125     usage, plan, tools or our own failure: nothing was published; or all is, but\n"
    "          --digests-file or $GITHUB_OUTPUT could not be written\n"
    "  128+n   signal n asked us to end\n";

void declare(CommandLine& line, PublishSettings& settings) {
  PlainTarget& plain = settings.plain;
  line.repeatable("digests", "FOLDER",
                  "without a plan: images by files named by their digests; repeatable",
                  into(plain.digests));
  line.repeatable("metadata", "FILE",
                  "without a plan: images by what buildx build --metadata-file wrote; repeatable",
                  into(plain.metadata));
  line.once("repository", "NAME", "without a plan: where the images are", into(plain.repository));
  line.repeatable("tag", "TAG",
                  "without a plan: what to publish as, whole or a tag of --repository; repeatable",
                  into(plain.tags));
  line.repeatable("platform", "NAME",
                  "without a plan: a platform that must be there, such as linux/amd64; repeatable",
                  into(plain.platforms));
  line.once("metadata-action", "FILE|JSON",
            "without a plan: tags and annotations of docker/metadata-action",
            into(plain.metadata_action));
  line.flag("print-plan", "print the plan that these stand for; publish nothing",
            into(settings.print_plan));
  line.repeatable("only", "TARGET", "publish this target; repeatable (all)",
                  into(settings.selection.only));
  line.once("shard", "I/N", "publish each N-th target, from the I-th on (1/1)",
            into_shard(settings.selection));
  line.option("jobs,j", "N", "commands that may run side by side (16)",
              into(settings.jobs, whole<unsigned>(1, 1000)));
  line.option("deadline", "DUR", "of the whole run (none)",
              into(settings.deadline, parse_deadline));
  line.flag("dry-run,n", "print every command that would be run; run and contact nothing",
            into(settings.dry_run));
  line.flag("matrix", "print the targets as a CI matrix (JSON); publish nothing",
            into(settings.matrix));
  line.once("digests-file", "FILE", "write the digest of each published target (JSON)",
            into(settings.digests_file));
  declare_output(line, settings, "append a Markdown summary of the run ($GITHUB_STEP_SUMMARY)",
                 "no log but our own errors and the list of what failed");
  declare_help(line);
}

}  // namespace retry_exec

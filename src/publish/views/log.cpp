#include "report/events_json.hpp"
#include "report/github.hpp"
#include "report/wording.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/publish_views.hpp>
#include <retry_exec/text.hpp>

#include <boost/json/serialize.hpp>

#include <utility>

namespace retry_exec::publish::views {

namespace {

std::string subject_of(const std::string& target, plan::Phase phase) {
  return target + ": " + std::string(to_string(phase));
}

std::string tags_told(const TargetResult& result) {
  unsigned copied = 0;
  unsigned newer = 0;
  for (const TagResult& tag : result.tags) {
    copied += tag.copied ? 1 : 0;
    newer += tag.newer ? 1 : 0;
  }
  const auto all = static_cast<unsigned>(result.tags.size());
  const unsigned had = all - copied - newer;
  std::string text;
  const auto add = [&](const std::string& part) { text::append_to(text, part); };
  if (copied > 0) {
    add("published to " + (copied == all ? "" : std::to_string(copied) + " of ") +
        text::counted(all, "tag"));
  }
  if (newer > 0) add(text::counted(newer, "tag") + " left alone, what is there is newer");
  if (had > 0) add((text.empty() ? text::counted(had, "tag") : "the others") + " had it already");
  return text;
}

// A failure that is only what was expected: the thing is not there yet.
bool is_lag(const Step& step, const AttemptFinished& finished) {
  return step.waits && finished.verdict && finished.verdict->class_name == "absent";
}

// What of it: an image may be there without its config, a tag without what it lists.
std::string lag_told(const std::string& about, const Verdict& verdict) {
  if (verdict.rule == not_yet_rule) return " is still what it was";
  const std::string missing(detail_of(verdict, missing_detail));
  const bool is_another = oci::is_digest(missing) && !about.ends_with(missing);
  return is_another ? " needs " + missing + ", which is not there yet" : " is not there yet";
}

// "linux/amd64, linux/arm64; 2 attestations; 3 after; 7.9s"
std::string content_told(const TargetResult& result) {
  std::string text;
  for (const oci::Platform& platform : result.platforms) {
    text::append_to(text, to_string(platform));
  }
  const auto add = [&](const std::string& part) { text::append_to(text, part, "; "); };
  if (result.attestations > 0) add(text::counted(result.attestations, "attestation"));
  const auto done = std::count_if(result.after.begin(), result.after.end(),
                                  [](const AfterResult& after) { return !after.was_done; });
  if (done > 0) add(text::counted(static_cast<std::uint64_t>(done), "command") + " after it");
  add(format_duration(result.elapsed()));
  return " (" + text + ")";
}

}  // namespace

PublishLog::PublishLog(LogOptions options, const Redactor& redactor, Writer write)
    : options_(std::move(options)), redactor_(redactor), write_(std::move(write)) {}

void PublishLog::line(const std::string& subject, const std::string& text,
                      std::optional<Colour> colour) {
  std::string whole = options_.program + ": " + text::printable(subject) + ": ";
  whole += colour ? painted(redactor_(text), *colour, options_) : redactor_(text);
  if (options_.format == LogFormat::github) whole = without_github_commands(whole);
  write_(whole + "\n");
}

void PublishLog::take(const PublishEvent& event) {
  if (const auto* of_command = std::get_if<CommandEvent>(&event)) return command(*of_command);
  if (options_.verbosity == Verbosity::quiet) return;
  if (const auto* printed = std::get_if<AfterPrinted>(&event)) return after(*printed);
  if (options_.format == LogFormat::json) return json(event);
  const bool verbose = options_.verbosity == Verbosity::verbose;
  if (const auto* started = std::get_if<PhaseStarted>(&event)) {
    if (verbose) line(subject_of(started->target, started->phase), "starts");
  } else if (const auto* finished = std::get_if<PhaseFinished>(&event)) {
    const PhaseResult& phase = finished->result;
    const std::string done =
        (phase.succeeded ? "done in " : "failed in ") + format_duration(phase.elapsed);
    if (verbose || !phase.note.empty()) {
      line(subject_of(finished->target, phase.phase),
           done + (phase.note.empty() ? "" : ": " + phase.note));
    }
  } else if (const auto* lag = std::get_if<LagEnded>(&event)) {
    // Of a digest that several targets wait for, once.
    if (lagging_.erase(lag->lag.what) == 0 && !verbose) return;
    line(subject_of(lag->target, lag->lag.phase),
         lag->lag.what + " became readable after " + format_duration(lag->lag.waited) + " (" +
             text::counted(lag->lag.probes, "probe") + ")");
  } else if (const auto* paused = std::get_if<RegistryPaused>(&event)) {
    line(paused->host, "asked for less; pausing for " + format_duration(paused->duration));
  } else if (const auto* done = std::get_if<TargetFinished>(&event)) {
    target(*done->result);
  }
}

// On lines of their own, each with the target's name: several print at a time.
void PublishLog::after(const AfterPrinted& printed) {
  if (options_.verbosity != Verbosity::verbose) return;
  if (options_.format == LogFormat::json) return json(printed);
  LogOptions options = options_;
  options.program += ": " + text::printable(subject_of(printed.target, plan::Phase::after));
  write_(note_lines(printed.text, options, redactor_));
}

// What a target did, folded away in the log of a GitHub job.
void PublishLog::group(const TargetResult& result) {
  std::string text = "::group::" + without_github_commands(text::printable(result.name)) + "\n";
  for (const PhaseResult& phase : result.phases) {
    text += without_github_commands(std::string(to_string(phase.phase)) + ": " +
                                    format_duration(phase.elapsed) +
                                    (phase.note.empty() ? "" : ": " + redactor_(phase.note))) +
            "\n";
  }
  for (const TagResult& tag : result.tags) {
    text += without_github_commands(redactor_(to_string(tag.tag)) +
                                    (tag.newer      ? ": left alone, what is there is newer"
                                     : tag.verified ? ""
                                                    : ": not verified")) +
            "\n";
  }
  write_(text + "::endgroup::\n");
}

void PublishLog::target(const TargetResult& result) {
  if (options_.format == LogFormat::github) group(result);
  if (!result.failure) {
    line(result.name,
         result.left_out ? "left out: none of it was found"
                         : tags_told(result) + (result.left_alone() ? "" : ": " + result.digest) +
                               content_told(result),
         result.is_published() ? Colour::green : Colour::yellow);
    return;
  }
  line(subject_of(result.name, result.failure->phase), "failed: " + result.failure->what,
       Colour::red);
  if (options_.format == LogFormat::github) {
    write_(github_annotation(
        "error",
        options_.program + ": " + text::printable(subject_of(result.name, result.failure->phase)),
        redactor_(result.failure->what)));
  }
}

// Of what is waited for the log tells that it lags, and that it came; of a target's failure, the
// target tells.
bool PublishLog::is_told_elsewhere(const CommandEvent& event) {
  const Step& step = *event.step;
  if (std::holds_alternative<RunFinished>(event.event)) return true;
  if (const auto* finished = std::get_if<AttemptFinished>(&event.event)) {
    if (!is_lag(step, *finished)) return waiting_.erase(step.number), false;
    waiting_.insert(step.number);
    if (lagging_.insert(step.about).second) {
      line(subject_of(step.target, step.phase),
           step.about + lag_told(step.about, *finished->verdict) + ": waiting");
    }
    return true;
  }
  return std::holds_alternative<WaitStarted>(event.event) && waiting_.contains(step.number);
}

void PublishLog::command(const CommandEvent& event) {
  const Step& step = *event.step;
  const bool ended = std::holds_alternative<RunFinished>(event.event);
  if (options_.verbosity == Verbosity::quiet) return;
  const bool whole = options_.format == LogFormat::json || options_.verbosity == Verbosity::verbose;
  if (whole || !is_told_elsewhere(event)) {
    auto found = commands_.find(step.number);
    if (found == commands_.end()) {
      LogOptions options = options_;
      options.subject = subject_of(step.target, step.phase);
      options.command = step.command;
      found =
          commands_.emplace(step.number, log_events(std::move(options), redactor_, write_)).first;
    }
    found->second(event.event);
  }
  if (!ended) return;
  commands_.erase(step.number);
  waiting_.erase(step.number);
}

void PublishLog::json(const PublishEvent& event) {
  boost::json::object object;
  if (options_.now) object["time"] = as_iso_8601(options_.now());
  object["program"] = options_.program;
  const auto about = [&](const char* name, const std::string& target, plan::Phase phase) {
    object["event"] = name;
    object["target"] = redactor_(target);
    object["phase"] = to_string(phase);
  };
  if (const auto* started = std::get_if<PhaseStarted>(&event)) {
    about("phase-started", started->target, started->phase);
  } else if (const auto* finished = std::get_if<PhaseFinished>(&event)) {
    about("phase-finished", finished->target, finished->result.phase);
    object["succeeded"] = finished->result.succeeded;
    object["elapsed_ms"] = milliseconds(finished->result.elapsed);
    if (!finished->result.note.empty()) object["note"] = redactor_(finished->result.note);
  } else if (const auto* lag = std::get_if<LagEnded>(&event)) {
    about("lag-ended", lag->target, lag->lag.phase);
    object["what"] = redactor_(lag->lag.what);
    object["waited_ms"] = milliseconds(lag->lag.waited);
    object["probes"] = lag->lag.probes;
  } else if (const auto* printed = std::get_if<AfterPrinted>(&event)) {
    about("after-printed", printed->target, plan::Phase::after);
    object["text"] = redactor_.lines(printed->text);
  } else if (const auto* paused = std::get_if<RegistryPaused>(&event)) {
    object["event"] = "registry-paused";
    object["registry"] = redactor_(paused->host);
    object["duration_ms"] = milliseconds(paused->duration);
  } else if (const auto* done = std::get_if<TargetFinished>(&event)) {
    object["event"] = "target-finished";
    object["target"] = redactor_(done->result->name);
    object["succeeded"] = !done->result->failure;
    if (done->result->left_alone()) {
      object["left_alone"] = true;
    } else {
      object["digest"] = redactor_(done->result->digest);
    }
    if (done->result->failure) object["why"] = redactor_(done->result->failure->what);
  }
  write_(boost::json::serialize(object) + "\n");
}

}  // namespace retry_exec::publish::views

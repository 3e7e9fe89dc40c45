#include "report/events_json.hpp"

#include "values/overloaded.hpp"

#include <retry_exec/text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace retry_exec {

namespace json = boost::json;

std::int64_t milliseconds(Duration duration) {
  return std::chrono::round<std::chrono::milliseconds>(duration).count();
}

std::string as_iso_8601(WallTime time) {
  const auto since_epoch =
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = since_epoch / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ",
                static_cast<int>(since_epoch % 1000));
  return text.data();
}

json::array as_json(std::span<const std::string> texts, const Redactor& redact) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(redact(text));
  return array;
}

json::object as_json(const Outcome& outcome, const Redactor& redact) {
  json::object object = std::visit(
      Overloaded{
          [](const Exited& exited) {
            return json::object{{"kind", "exited"}, {"code", exited.code}};
          },
          [](const Signalled& signalled) {
            return json::object{{"kind", "signalled"}, {"signal", signal_name(signalled.signal)}};
          },
          [](const TimedOut& timed_out) {
            return json::object{{"kind", "timed-out"},
                                {"limit", to_string(timed_out.limit)},
                                {"after_ms", milliseconds(timed_out.after)}};
          },
          [](const NotStarted& not_started) {
            return json::object{{"kind", "not-started"}, {"error", not_started.error}};
          },
      },
      outcome);
  object["text"] = redact(to_string(outcome));
  return object;
}

json::object as_json(const Verdict& verdict, const Redactor& redact) {
  json::object object{{"class", text::printable(verdict.class_name)}};
  if (verdict.matched) {
    object["rule"] = text::printable(verdict.rule);
    if (!verdict.because.empty()) object["because"] = redact(verdict.because);
  }
  object["line"] = redact(verdict.line);
  if (!verdict.details.empty()) {
    json::object& details = (object["details"] = json::object()).as_object();
    for (const Detail& detail : verdict.details) {
      details[text::printable(detail.name)] = redact(detail.value);
    }
  }
  if (verdict.retry_after) object["retry_after_ms"] = milliseconds(*verdict.retry_after);
  if (!verdict.unevaluated.empty()) object["unevaluated"] = as_json(verdict.unevaluated, redact);
  return object;
}

json::object as_json(const AttemptRecord& attempt, const Redactor& redact) {
  json::object object{{"number", attempt.number},
                      {"started_ms", milliseconds(attempt.started)},
                      {"elapsed_ms", milliseconds(attempt.elapsed)},
                      {"outcome", as_json(attempt.outcome, redact)}};
  if (attempt.verdict) object["verdict"] = as_json(*attempt.verdict, redact);
  if (!attempt.remarks.empty()) object["remarks"] = as_json(attempt.remarks, redact);
  if (attempt.wait) {
    object["wait"] = json::object{{"planned_ms", milliseconds(attempt.wait->duration)},
                                  {"asked_for", attempt.wait->asked_for}};
  }
  if (attempt.before_retry) {
    object["before_retry"] =
        json::object{{"elapsed_ms", milliseconds(attempt.before_retry->elapsed)},
                     {"outcome", as_json(attempt.before_retry->outcome, redact)}};
  }
  return object;
}

namespace {

json::object fields_of(const AttemptStarted& started, const Redactor&) {
  return {{"event", "attempt-started"},
          {"attempt", started.attempt},
          {"max_attempts", started.max_attempts}};
}

json::object fields_of(const AttemptFinished& finished, const Redactor& redact) {
  json::object object{{"event", "attempt-finished"},
                      {"attempt", finished.attempt},
                      {"max_attempts", finished.max_attempts},
                      {"elapsed_ms", milliseconds(finished.elapsed)},
                      {"outcome", as_json(finished.outcome, redact)}};
  if (finished.verdict) object["verdict"] = as_json(*finished.verdict, redact);
  if (!finished.remarks.empty()) object["remarks"] = as_json(finished.remarks, redact);
  return object;
}

json::object fields_of(const WaitStarted& wait, const Redactor&) {
  return {{"event", "wait-started"},
          {"wait_ms", milliseconds(wait.duration)},
          {"asked_for", wait.asked_for}};
}

json::object fields_of(const BeforeRetryFinished& ran, const Redactor& redact) {
  return {{"event", "before-retry-finished"},
          {"attempt", ran.attempt},
          {"elapsed_ms", milliseconds(ran.elapsed)},
          {"outcome", as_json(ran.outcome, redact)}};
}

json::object fields_of(const RunFinished& end, const Redactor& redact) {
  json::object object{{"event", "run-finished"},
                      {"reason", to_string(end.reason)},
                      {"exit_code", end.exit_code},
                      {"attempts", end.attempts},
                      {"elapsed_ms", milliseconds(end.elapsed)}};
  if (!end.why.empty()) object["why"] = redact(end.why);
  return object;
}

// What every line says.
json::object head(const LogOptions& options) {
  json::object object;
  if (options.now) object["time"] = as_iso_8601(options.now());
  object["program"] = options.program;
  if (!options.subject.empty()) object["subject"] = text::printable(options.subject);
  return object;
}

}  // namespace

std::string event_as_json(const Event& event, const LogOptions& options, const Redactor& redact) {
  json::object object = head(options);
  const json::object fields =
      std::visit([&](const auto& value) { return fields_of(value, redact); }, event);
  for (const auto& field : fields) object[field.key()] = field.value();
  if (std::holds_alternative<AttemptStarted>(event)) {
    object["command"] = json::value_from(redact.arguments(options.command));
  }
  return json::serialize(object);
}

std::string note_as_json(std::string_view text, const LogOptions& options, const Redactor& redact) {
  json::object object = head(options);
  object["event"] = "note";
  object["text"] = redact(text);
  return json::serialize(object);
}

}  // namespace retry_exec

// Whether oras and soci are what the plan needs.
#include "publish/run/gate.hpp"
#include "publish/run/target_run.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

using Version = std::tuple<int, int>;

// The first "1.3" or "v0.13" after white space in what a tool says of itself.
std::optional<Version> version_in(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool start =
        at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t' || text[at - 1] == 'v';
    if (!start) continue;
    Version version;
    const char* const last = text.data() + text.size();
    const auto [dot, wrong] = std::from_chars(text.data() + at, last, std::get<0>(version));
    if (wrong != std::errc() || dot == last || *dot != '.') continue;
    if (std::from_chars(dot + 1, last, std::get<1>(version)).ec == std::errc()) return version;
  }
  return std::nullopt;
}

struct Tool {
  std::string name;
  std::vector<std::string> argv;
  Version least;
  std::string why;
};

asio::awaitable<void> check(const Tool& tool, const PublishSeams& seams, Errors& errors) {
  using namespace std::chrono_literals;
  Command command;
  command.argv = tool.argv;
  AttemptOptions options;
  options.standard_output = Handling::discard;
  options.standard_error = Handling::discard;
  options.standard_input = StandardInput::null;
  options.own_group = true;
  options.timeout = 30s;
  const Attempt attempt = co_await seams.run(command, options);
  if (attempt.interrupted_by) co_return;
  if (!succeeded(attempt.outcome)) {
    errors.push_back({{},
                      "'" + tool.argv[0] + " " + tool.argv[1] +
                          "' failed: " + to_string(attempt.outcome) + "; the plan's tools, or " +
                          "the environment variables ORAS and SOCI, name the programs"});
    co_return;
  }
  const auto version = version_in(attempt.output.standard_output.text());
  if (version && *version < tool.least) {
    errors.push_back({{},
                      tool.argv[0] + " is version " + std::to_string(std::get<0>(*version)) + "." +
                          std::to_string(std::get<1>(*version)) + ", and " +
                          std::to_string(std::get<0>(tool.least)) + "." +
                          std::to_string(std::get<1>(tool.least)) + " is needed: " + tool.why});
  }
}

}  // namespace

asio::awaitable<Errors> check_tools(const plan::Plan& plan, const PublishSeams& seams) {
  const bool soci = std::any_of(plan.targets.begin(), plan.targets.end(),
                                [](const plan::Target& target) { return target.soci.enabled; });
  std::vector<Tool> tools;
  tools.push_back({"oras", {plan.oras, "version"}, {1, 3}, "it copies and pushes by digest"});
  if (soci) {
    tools.push_back({"soci", {plan.soci, "--version"}, {0, 13}, "it has 'convert --standalone'"});
  }
  Errors errors;
  std::vector<asio::awaitable<void>> checks;
  checks.reserve(tools.size());
  for (const Tool& tool : tools) checks.push_back(check(tool, seams, errors));
  co_await all(std::move(checks));
  co_return errors;
}

}  // namespace retry_exec::publish

// A secret does not come out of the programs, whatever they are asked for.
#include "catch_shim.hpp"
#include "run.hpp"
#include "secret_forms.hpp"
#include "temporary_folder.hpp"
#include "wrapped.hpp"

#include <string>
#include <vector>

namespace {

using test::Ended;

const std::string secret = "hunter22";

Ended rules_about(const std::vector<std::string>& words, const std::string& input = {}) {
  std::vector<std::string> argv = {test::required("RETRY_RULES")};
  argv.insert(argv.end(), words.begin(), words.end());
  return test::run({.argv = argv, .environment = {{"API_TOKEN", secret}}, .input = input});
}

Ended publishing(const std::vector<std::string>& words) {
  std::vector<std::string> argv = {test::required("RETRY_PUBLISH")};
  argv.insert(argv.end(), words.begin(), words.end());
  return test::run({.argv = argv, .environment = {{"API_TOKEN", secret}}});
}

// Not known but by the form that it stands in.
std::vector<test::SecretForm> forms_of_one_line() {
  std::vector<test::SecretForm> forms;
  for (test::SecretForm& form : test::secret_forms(test::required("CORPUS"), "Zx9-kQ7.mN2_vB4"))
    if (form.text.find('\n') == std::string::npos) forms.push_back(std::move(form));
  return forms;
}

std::string as_json(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c == '\t' ? std::string("\\t") : std::string(1, c);
  }
  return json + "\"";
}

void check_nothing_leaked(const Ended& ended, const std::vector<test::SecretForm>& forms) {
  for (const test::SecretForm& form : forms) {
    INFO(form.text);
    CHECK(test::leaked(ended.out, form.secrets) == "");
    CHECK(test::leaked(ended.err, form.secrets) == "");
  }
}

}  // namespace

TEST_CASE("no secret of a log comes out of explain, suggest or test", "[secrets]") {
  const test::TemporaryFolder folder;
  const std::string rules = folder.write(
      "r.yaml", "retry-rules: 1\nrules:\n  - {id: x, class: transient, match: 'never ever'}\n");
  const std::vector<test::SecretForm> forms = forms_of_one_line();
  std::string log;
  std::string corpus;
  for (const test::SecretForm& form : forms) {
    log += form.text + "\n";
    corpus += R"({"tool": "x", "label": "transient", "text": )" + as_json(form.text) + "}\n";
  }
  for (const bool json : {false, true}) {
    std::vector<std::string> words = {"explain", "-r", rules};
    if (json) words.emplace_back("--json");
    const Ended explained = rules_about(words, log);
    CHECK(explained.out.find("[redacted]") != std::string::npos);
    check_nothing_leaked(explained, forms);
    words = {"test", "-r", rules, folder.write("c.jsonl", corpus)};
    if (json) words.emplace_back("--json");
    const Ended tested = rules_about(words);
    CHECK(tested.out.find("[redacted]") != std::string::npos);
    check_nothing_leaked(tested, forms);
  }
  for (std::size_t i = 0; i < forms.size(); i += 12) {
    check_nothing_leaked(rules_about({"suggest", "-r", rules}, "Error: " + forms[i].text + "\n"),
                         {forms[i]});
  }
}

TEST_CASE("no secret of the environment comes out of what is said of files", "[secrets]") {
  const test::TemporaryFolder folder;
  const std::string rules =
      folder.write("r.yaml",
                   "retry-rules: 1\nname: hunter22\nabout: hunter22\nrules:\n"
                   "  - {id: hunter22, class: transient, match: 'a hunter22', because: hunter22,\n"
                   "     examples: {match: [hunter22]}}\n");
  const std::string wrong =
      folder.write("w.yaml", "retry-rules: 1\nhunter22: x\ninclude: [hunter22]\nrules: hunter22\n");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"show", rules},
                                             {"show", rules, "--resolved"},
                                             {"show", rules, "--json"},
                                             {"check", rules},
                                             {"check", rules, "--json"},
                                             {"check", wrong},
                                             {"check", wrong, "--json"},
                                             {"check", "/no/hunter22"},
                                             {"explain", "-r", rules},
                                             {"explain", "-r", rules, "-c", "hunter22 x"},
                                             {"suggest", "-r", rules},
                                             {"hunter22"},
                                             {"--hunter22"},
                                             {"list", "hunter22"}}) {
    const Ended ended = rules_about(words, "a hunter22 and hunter22\n");
    INFO(words[0] << " " << ended.out << ended.err);
    CHECK((ended.out + ended.err).find(secret) == std::string::npos);
  }
  const std::string plan =
      folder.write("p.yaml", "retry-publish: 1\nhunter22: x\ntargets: hunter22\n");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{plan},
                                             {"-n", plan},
                                             {"/no/hunter22"},
                                             {"--hunter22"},
                                             {"--jobs", "hunter22", plan},
                                             {"-n", "--digests", "/no/hunter22", "--repository",
                                              "ghcr.io/a/hunter22", "--tag", "1"}}) {
    const Ended ended = publishing(words);
    INFO(words[0] << " " << ended.out << ended.err);
    CHECK((ended.out + ended.err).find(secret) == std::string::npos);
  }
}

TEST_CASE("no secret comes out of a run, nor of what it hands on", "[secrets]") {
  const test::TemporaryFolder folder;
  const std::string rules = folder.write(
      "r.yaml", "retry-rules: 1\nrules:\n  - {id: hunter22, class: transient, match: 'it is'}\n");
  const std::string report = folder / "report";
  const std::string summary = folder / "summary";
  for (const std::string log : {"text", "json", "github"}) {
    const Ended ended = test::run({.argv = {test::required("RETRY_EXEC"),
                                            "-v",
                                            "--explain",
                                            "-r",
                                            rules,
                                            "-a",
                                            "2",
                                            "-d",
                                            "1ms",
                                            "--log",
                                            log,
                                            "-R",
                                            report,
                                            "--summary",
                                            summary,
                                            "--before-retry",
                                            "env | grep RETRY_EXEC_LAST",
                                            "sh",
                                            "-c",
                                            "echo 'it is \\x68unter22' >&2; exit 1"},
                                   .environment = {{"API_TOKEN", secret}}});
    INFO(ended.err);
    CHECK(ended.err.find(secret) == std::string::npos);
    CHECK(test::read_file(report).find(secret) == std::string::npos);
    CHECK(test::read_file(summary).find(secret) == std::string::npos);
  }
  const Ended planned =
      test::run({.argv = {test::required("RETRY_EXEC"), "-n", "-r", rules, "--before-retry",
                          "login -p hunter22", "docker", "login", "-p", "hunter22"}});
  CHECK(planned.out.find(secret) == std::string::npos);
}

TEST_CASE("under GitHub nothing that others wrote is a command", "[secrets]") {
  const test::TemporaryFolder folder;
  for (const std::string log : {"text", "json"}) {
    const Ended ended = test::run(
        {.argv = {test::required("RETRY_EXEC"), "-v", "-a", "1", "--log", log, "-R", "text:-", "sh",
                  "-c", "echo '::stop-commands::x' >&2; echo '##[add-mask]a' >&2; exit 1"},
         .environment = {{"GITHUB_ACTIONS", "true"}},
         .standard_error = test::Captured{}});
    const std::string ours = ended.err.substr(ended.err.find("##[add-mask]a\n") + 14) + ended.out;
    INFO(ours);
    CHECK(ours.find("add-mask") != std::string::npos);
    CHECK(ours.find("##[") == std::string::npos);
    CHECK(ours.find("\n::") == std::string::npos);
    CHECK(ours.find("\n  ::") == std::string::npos);
  }
}

#include "catch_shim.hpp"
#include "source_paths.hpp"

#include <retry_exec/rule_tools.hpp>

#include <fstream>
#include <iterator>

using namespace retry_exec;

namespace {

std::vector<LabelledFailure> records_of(const std::string& name) {
  const std::string path = std::string(UNIT_TEST_FOLDER) + "/corpus/" + name + ".jsonl";
  std::ifstream file(path);
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto records = read_corpus(text, path);
  REQUIRE(records.has_value());
  REQUIRE_FALSE(records->empty());
  return *records;
}

// Each record by the sets that `--rules auto` picks for its command.
Score score_of(const std::string& name) {
  const std::vector<LabelledFailure> records = records_of(name);
  const auto score = score_corpus(records, [](const LabelledFailure& record) {
    return pick_rule_sets(command_of(record), record.text);
  });
  REQUIRE(score.has_value());
  return *score;
}

std::string misses_of(const Score& score) {
  std::string text;
  for (const Scored& miss : score.misses) {
    text += miss.record.id + ": " + miss.verdict.class_name + " " + miss.verdict.rule + ": " +
            miss.verdict.line + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("of recorded failures 99 in 100 are judged right, and none that lasts is retried",
          "[rules][corpus]") {
  for (const std::string name : {"errors", "packages", "containers", "reproduced", "worded",
                                 "field", "tools", "unread", "threads", "searched"}) {
    const Score score = score_of(name);
    INFO(name << ":\n" << misses_of(score));
    CHECK(score.total.share() >= 0.99);
    CHECK(score.permanent.retried == 0);
  }
}

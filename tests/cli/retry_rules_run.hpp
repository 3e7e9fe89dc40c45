// retry-rules, run with words and an input.
#pragma once

#include "catch_shim.hpp"
#include "run.hpp"
#include "temporary_folder.hpp"

inline test::Program retry_rules(const std::vector<std::string>& words,
                                 const std::string& input = "") {
  test::Program program;
  program.argv = {test::required("RETRY_RULES")};
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  program.input = input;
  return program;
}

inline test::Ended run(const std::vector<std::string>& words, const std::string& input = "") {
  return test::run(retry_rules(words, input));
}

inline std::string rule(const std::string& fields) {
  return "retry-rules: 1\nname: ours\nrules:\n  - {" + fields + "}\n";
}

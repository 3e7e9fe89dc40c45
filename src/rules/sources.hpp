// Files and built-in sets, read and put in the order in which their rules are tried.
#pragma once

#include "rules/rule_file.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace retry_exec::rules {

// A file with the files that it includes.
struct LoadedFile {
  RuleFile file;
  bool builtin = false;
  std::string folder;  // that includes are looked for in; empty for a built-in set
  std::vector<LoadedFile*> includes;
  std::vector<Rule> rules;  // its own, with what including files say of them
};

class Sources {
 public:
  explicit Sources(Errors& errors) : errors_(errors) {}

  // A built-in set or a path: see builtin_name(). Nullptr (and an error) when neither.
  LoadedFile* load(const std::string& name);
  // A text in memory, as if it were the file at `path`.
  LoadedFile* add(std::string_view yaml, const std::string& path);

  // False when a file could not be read: errors that follow from its absence are none of its
  // author's.
  bool complete() const { return complete_; }

  // `roots` and all that they include: each before what it includes, in the order of the includes.
  static std::vector<LoadedFile*> in_order(std::span<LoadedFile* const> roots);

 private:
  LoadedFile* load_path(const std::string& path, const Position& named);
  LoadedFile* load_builtin(const BuiltinSet& set, const Position& named);
  LoadedFile* read_text(const Result<config::Node, Errors>& root, const std::string& path,
                        const std::string& key);
  LoadedFile* read(const config::Node& root, std::unique_ptr<LoadedFile> source,
                   const std::string& key);
  bool includes_itself(const std::string& key, const Position& named);
  LoadedFile* known(const std::string& key) const;
  void include_all(LoadedFile& source);
  LoadedFile* include(const LoadedFile& source, const IncludeDraft& include);

  Errors& errors_;
  std::map<std::string, std::unique_ptr<LoadedFile>>
      sources_;                    // by canonical path or "built in:NAME"
  std::vector<std::string> open_;  // being read, outermost first
  bool complete_ = true;
};

}  // namespace retry_exec::rules

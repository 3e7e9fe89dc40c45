#include "main/publish/plain_target.hpp"

#include <retry_exec/config.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>

namespace retry_exec {

namespace {

// On one line, whatever is in it. "${" would be a variable.
std::string yaml_text(std::string_view text) {
  std::string meant;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) meant += '$';
    meant += text[i];
  }
  return config::in_quotation_marks(meant);
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) text::append_to(list, yaml_text(text));
  return "[" + list + "]";
}

bool is_whole_name(std::string_view tag) {
  return tag.find('/') != std::string_view::npos;
}

constexpr std::string_view no_file = "(options)";  // as read_plan() calls it

struct Line {
  std::string text;
  std::string_view option;  // whose value it has
};

std::vector<Line> plan_lines(const PlainTarget& plain) {
  const std::string name = plain.repository.substr(plain.repository.rfind('/') + 1);
  std::vector<Line> lines = {{"retry-publish: 1", {}},
                             {"targets:", {}},
                             {"  " + yaml_text(name.empty() ? "image" : name) + ":", "repository"},
                             {"    sources:", {}}};
  for (const std::string& folder : plain.digests) {
    lines.push_back({"      - digests: " + yaml_text(folder), "digests"});
    lines.push_back({"        repository: " + yaml_text(plain.repository), "repository"});
  }
  for (const std::string& file : plain.metadata) {
    lines.push_back({"      - metadata: " + yaml_text(file), "metadata"});
  }
  if (!plain.platforms.empty()) {
    lines.push_back({"    platforms: " + yaml_list(plain.platforms), "platform"});
  }
  if (!plain.metadata_action.empty()) {
    lines.push_back(
        {"    metadata-action: " + yaml_text(plain.metadata_action), "metadata-action"});
  }
  std::vector<std::string> tags = plain.tags;
  for (std::string& tag : tags) {
    if (!is_whole_name(tag)) tag = plain.repository + ":" + tag;
  }
  if (!tags.empty()) lines.push_back({"    tags: " + yaml_list(tags), "tag"});
  return lines;
}

}  // namespace

Errors missing_in(const PlainTarget& plain) {
  Errors errors;
  if (!plain.has_sources()) {
    errors.push_back(
        {{},
         "no plan given, nor --digests or --metadata\n"
         "Usage: retry-publish [options] PLAN\n"
         "       retry-publish [options] --digests FOLDER --repository NAME --tag TAG\n"
         "'retry-publish --man 5' shows how a plan is written; the second form with "
         "--print-plan prints one to begin with."});
    return errors;
  }
  if (!plain.digests.empty() && plain.repository.empty()) {
    errors.push_back({{}, "--digests needs --repository, which says where the images are"});
  }
  if (plain.tags.empty() && plain.metadata_action.empty()) {
    errors.push_back({{}, "no --tag and no --metadata-action: there is nothing to publish as"});
  }
  const auto bare = std::find_if_not(plain.tags.begin(), plain.tags.end(), is_whole_name);
  if (plain.repository.empty() && plain.digests.empty() && bare != plain.tags.end()) {
    errors.push_back({{"--tag"},
                      text::quoted(*bare) +
                          " needs --repository, or a whole name such as 'ghcr.io/acme/app:1.0'"});
  }
  return errors;
}

std::string plan_text(const PlainTarget& plain) {
  std::string text;
  for (const Line& line : plan_lines(plain)) text += line.text + "\n";
  return text;
}

Errors by_option(Errors errors, const PlainTarget& plain) {
  const std::vector<Line> lines = plan_lines(plain);
  for (Error& error : errors) {
    if (error.where.file != no_file) continue;
    const unsigned number = error.where.line;
    error.where = {};
    if (number == 0 || number > lines.size()) continue;
    const std::string_view option = lines[number - 1].option;
    if (!option.empty()) error.where.file = "--" + std::string(option);
  }
  return errors;
}

}  // namespace retry_exec

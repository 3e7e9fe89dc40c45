#include "plain_target.hpp"

#include <retry_exec/text.hpp>

namespace retry_exec {

namespace {

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
  for (const std::string& text : texts) text::append_to(list, yaml_text(text));
  return "[" + list + "]";
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
  return errors;
}

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

}  // namespace retry_exec

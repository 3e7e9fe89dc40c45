#include "publish/oci/index.hpp"
#include "publish/plan/plan_file.hpp"
#include "publish/plan/registries.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <tuple>
#include <unordered_set>

namespace retry_exec::publish::plan {

namespace {

using Text = TargetDraft::Text;

constexpr std::string_view created_key = "org.opencontainers.image.created";

// SOURCE_DATE_EPOCH as reproducible-builds.org has it: seconds since 1970, to RFC 3339.
std::optional<std::string> reproducible_date(const Variables& environment, Errors& errors) {
  const char* text = environment("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return std::nullopt;
  constexpr std::int64_t most = 253402300799;  // the end of the year 9999
  const auto seconds = text::number_from<std::int64_t>(text);
  if (!seconds || *seconds < 0 || *seconds > most) {
    errors.push_back(
        {{},
         "SOURCE_DATE_EPOCH: " + text::quoted(text) + " is not a number of seconds since 1970"});
    return std::nullopt;
  }
  const std::time_t time = *seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char buffer[32];
  const std::size_t size = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(buffer, size);
}

class Finisher {
 public:
  Finisher(const PlanFile& file, const Variables& environment, Errors& errors)
      : file_(file),
        errors_(errors),
        registries_(file.plan.registries),
        created_(reproducible_date(environment, errors)) {}

  Target finish(const TargetDraft& draft) {
    Target target;
    target.name = draft.name;
    check_name(draft);
    read_sources(draft, target);
    target.staging = staging_of(draft, target);
    target.soci = draft.soci.value_or(SociOptions{});
    target.flatten = draft.flatten.value_or(false);
    target.allow_incomplete =
        draft.allow_incomplete.value_or(file_.allow_incomplete.value_or(false));
    target.only_newer = draft.only_newer.value_or(file_.only_newer.value_or(false));
    read_platforms(draft, target);
    target.looked_in = looked_in(draft);
    if (uses_found(draft)) {
      target.remarks = draft.remarks;
      target.broken = draft.broken;
    }
    read_annotations(draft, target);
    read_tags(draft, target);
    read_after(draft, target);
    return target;
  }

  // Of the whole plan, once.
  void check_after() {
    if (!file_.after) return;
    for (const PlanCommand& command : *file_.after) {
      for (const Text& word : command) check_placeholders(word);
    }
  }

 private:
  void error(const Position& where, std::string what) {
    errors_.push_back({where, std::move(what)});
  }

  void check_name(const TargetDraft& draft) {
    const auto fits = [](char c) { return c > ' ' && c < '\x7f' && c != ',' && c != '{'; };
    if (draft.name.size() <= 128 && std::all_of(draft.name.begin(), draft.name.end(), fits)) return;
    error(draft.where,
          "a target's name has at most 128 letters, digits and signs, without spaces: '" +
              draft.name.substr(0, 128) + "'");
  }

  // What the plan writes beats what is found for all.
  static bool uses_found(const TargetDraft& draft) {
    return draft.sources.empty() || !draft.inputs.empty();
  }

  void read_sources(const TargetDraft& draft, Target& target) {
    digests_.clear();
    for (const Text& text : draft.sources) {
      auto reference = oci::parse_source(text.text);
      if (words_of(text.text).empty()) {
        error(text.where, nothing_in("source"));
      } else if (!reference) {
        error(text.where, reference.error().what);
      } else if (reference->digest.empty()) {
        error(text.where, "source '" + text.text +
                              "' has no digest; a tag may show another image by now: write "
                              "REPOSITORY@sha256:…");
      } else {
        reference->tag.clear();
        add_source(text.where, draft, target, {*std::move(reference), std::nullopt});
      }
    }
    if (!uses_found(draft)) return;
    for (const Source& source : draft.found) add_source(draft.where, draft, target, source);
    if (draft.sources.empty()) {
      std::stable_sort(target.sources.begin(), target.sources.end(), by_platform);
    }
    // With metadata it is for the run to tell: other targets go on.
    if (target.sources.empty() && draft.inputs.empty() && file_.metadata_files.empty()) {
      error(draft.where, "target '" + draft.name +
                             "' has no sources: none are written here, and the plan names no "
                             "metadata files");
    }
  }

  // For people, who know best where a file should have come from.
  std::string looked_in(const TargetDraft& draft) const {
    if (!draft.looked_in.empty()) return draft.looked_in + remarks_of(draft);
    if (!draft.sources.empty()) return "the plan";
    const std::vector<std::string>& files = file_.metadata_files;
    return (files.size() == 1 ? "the metadata file " : "the metadata files ") + names_of(files) +
           remarks_of(draft);
  }

  static std::string remarks_of(const TargetDraft& draft) {
    std::string text;
    for (const std::string& remark : draft.remarks) text += " (" + remark + ")";
    return text;
  }

  void read_platforms(const TargetDraft& draft, Target& target) {
    for (const Text& text : draft.platforms) {
      auto platform = oci::parse_platform(text.text);
      if (platform) {
        target.platforms.push_back(*std::move(platform));
      } else {
        error(text.where, platform.error().what);
      }
    }
  }

  // The order of the index does not depend on which build was faster.
  static bool by_platform(const Source& one, const Source& other) {
    const auto key = [](const Source& source) {
      return source.platform ? to_string(*source.platform) : std::string("~");
    };
    return std::tuple(key(one), one.reference.digest) <
           std::tuple(key(other), other.reference.digest);
  }

  void add_source(const Position& where, const TargetDraft& draft, Target& target, Source source) {
    source.reference.host = registries_.spelling_of(source.reference.host);
    const std::string& digest = source.reference.digest;
    if (!digests_.insert(digest).second)
      error(where, "source " + digest + " is listed twice in target '" + draft.name + "'");
    target.sources.push_back(std::move(source));
  }

  oci::Reference staging_of(const TargetDraft& draft, const Target& target) {
    const Text* text = draft.staging ? &*draft.staging : file_.staging ? &*file_.staging : nullptr;
    if (text == nullptr) {
      if (target.sources.empty()) return {};
      return by_name(target.sources.front().reference);
    }
    std::string name = text->text;
    constexpr std::string_view placeholder = "{target}";
    for (std::size_t at = name.find(placeholder); at != std::string::npos;
         at = name.find(placeholder, at + draft.name.size())) {
      name.replace(at, placeholder.size(), draft.name);
    }
    const auto reference = oci::parse_reference(name);
    if (!reference) {
      error(text->where, "the staging of target '" + draft.name + "': " + reference.error().what);
      return {};
    }
    if (!reference->tag.empty() || !reference->digest.empty()) {
      error(text->where, "staging is a repository, without tag and digest: '" + name + "'");
    }
    return by_name(*reference);
  }

  oci::Reference by_name(const oci::Reference& reference) {
    return {registries_.spelling_of(reference.host), reference.repository, {}, {}};
  }

  void read_annotations(const TargetDraft& draft, Target& target) {
    std::map<std::string, std::string> annotations = draft.annotations;
    annotations.insert(draft.found_annotations.begin(), draft.found_annotations.end());
    if (created_) annotations.emplace(created_key, *created_);
    target.annotations.assign(annotations.begin(), annotations.end());
  }

  void read_tags(const TargetDraft& draft, Target& target) {
    for (const Text& text : draft.tags) {
      const std::vector<std::string> words = words_of(text.text);
      if (words.empty()) error(text.where, nothing_in("tag"));
      for (const std::string& word : words) read_tag({word, text.where}, draft, target);
    }
    // Where docker/metadata-action's could not be read, that has been said.
    if (draft.tags.empty() && !draft.metadata_action) {
      error(draft.where, "target '" + draft.name + "' has no tags to publish");
    }
  }

  // An output of an earlier step that is called by a wrong name, for one.
  static std::string nothing_in(const std::string& what) {
    return "this " + what + " is empty; is a variable in it set to nothing?";
  }

  void read_tag(const Text& text, const TargetDraft& draft, Target& target) {
    auto reference = oci::parse_reference(text.text);
    if (!reference) return error(text.where, reference.error().what);
    if (!reference->digest.empty()) {
      return error(
          text.where,
          "'" + text.text + "' is not a valid tag; one is 'ghcr.io/posit-dev/workbench:latest'");
    }
    if (reference->tag.empty()) reference->tag = "latest";
    reference->host = registries_.spelling_of(reference->host);
    const auto [owner, fresh] = owners_.emplace(to_string(*reference), draft.name);
    if (!fresh) {
      return error(text.where, "two targets, or one twice, write the tag " + owner->first + ": '" +
                                   owner->second + "' and '" + draft.name + "'");
    }
    target.tags.push_back(*std::move(reference));
  }

  // A target's own commands stand in the place of the plan's.
  void read_after(const TargetDraft& draft, Target& target) {
    const auto& commands = draft.after ? draft.after : file_.after;
    if (!commands) return;
    for (const PlanCommand& command : *commands) {
      std::vector<std::string>& words = target.after.emplace_back();
      for (const Text& word : command) {
        if (draft.after) check_placeholders(word);
        words.push_back(word.text);
      }
    }
  }

  // "{tga}" is a mistake; "{{.Digest}}" and JSON are somebody else's.
  void check_placeholders(const Text& word) {
    constexpr std::array<std::string_view, 4> known = {"repository", "digest", "tag", "name"};
    const std::string_view text = word.text;
    for (std::size_t at = text.find('{'); at != std::string_view::npos;
         at = text.find('{', at + 1)) {
      const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz", at + 1);
      if (end == std::string_view::npos || end == at + 1 || text[end] != '}') continue;
      if (at > 0 && text[at - 1] == '{') continue;
      const std::string_view name = text.substr(at + 1, end - at - 1);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      error(word.where, "'{" + std::string(name) +
                            "}' is not known here; {repository}, {digest}, {tag} and {name} are");
    }
  }

  const PlanFile& file_;
  Errors& errors_;
  Registries registries_;
  std::optional<std::string> created_;
  std::map<std::string, std::string> owners_;  // tag → target
  std::unordered_set<std::string> digests_;    // of the sources of one target
};

}  // namespace

std::vector<Target> finish_targets(const PlanFile& file, const std::vector<TargetDraft>& drafts,
                                   const Variables& environment, Errors& errors) {
  Finisher finisher(file, environment, errors);
  finisher.check_after();
  std::vector<Target> targets;
  targets.reserve(drafts.size());
  for (const TargetDraft& draft : drafts) targets.push_back(finisher.finish(draft));
  return targets;
}

}  // namespace retry_exec::publish::plan

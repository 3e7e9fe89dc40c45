// What other tools leave behind of the images that they pushed: folders and files of digests, and
// metadata. Read by what is in a file, not by how it is called.
#include "publish/oci/json.hpp"
#include "publish/plan/plan_file.hpp"

#include <retry_exec/counted.hpp>
#include <retry_exec/read_file.hpp>
#include <retry_exec/text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_set>

namespace retry_exec::publish::plan {

namespace {

using Text = TargetDraft::Text;

constexpr std::size_t most_bytes = std::size_t{64} << 20;

class InputReader {
 public:
  InputReader(PlanFile& file, TargetDraft& draft, Errors& errors)
      : file_(file), draft_(draft), errors_(errors) {}

  void read(const SourceInput& input) {
    repository_ = input.repository ? input.repository->text : "";
    where_ = input.value.where;
    switch (input.kind) {
      case SourceInput::Kind::digests:
        return read_folder(beside(file_.plan.file, input.value.text));
      case SourceInput::Kind::metadata:
        return read_metadata_files(input.value);
      case SourceInput::Kind::digest_file:
        for (const std::string& path : files_of(input.value, file_.plan, errors_)) {
          read_digest_file(path);
        }
    }
  }

 private:
  void error(const std::string& file, std::string what) {
    errors_.push_back({{file}, std::move(what)});
  }

  void look_in(const std::string& place) { text::append_to(draft_.looked_in, place); }

  void add(const std::string& file, const std::string& name, const std::string& digest) {
    const std::string full = without_digest(name.empty() ? repository_ : with_host(name));
    if (full.empty()) {
      return error(file,
                   "it has a digest without a name: 'repository' says where " + digest + " is");
    }
    auto reference = oci::parse_source(full + "@" + digest);
    if (!reference) return error(file, reference.error().what);
    reference->tag.clear();
    draft_.found.push_back({*std::move(reference), std::nullopt});
  }

  // Docker's example for several runners: an empty file for each image, named by its digest.
  void read_folder(std::string folder) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    file_.plan.patterns.push_back(literal(folder) + "/*");
    std::error_code failure;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
      names.push_back(entry.path().filename());
    }
    if (failure) {
      errors_.push_back({where_, "'" + folder + "' is not a folder of files named by digest: " +
                                     failure.message()});
      return;
    }
    std::sort(names.begin(), names.end());
    const std::size_t before = draft_.found.size();
    std::vector<std::string> strange;
    for (const std::string& name : names) {
      if (name.starts_with('.')) continue;
      const std::string digest = name.starts_with("sha256") ? name : "sha256:" + name;
      const std::string path = folder + "/" + name;
      if (!oci::is_digest(digest)) {
        strange.push_back(name);
      } else if (!std::filesystem::is_regular_file(path, failure)) {
        error(path, "a folder of digests holds files, and this is not one");
      } else {
        add(path, "", digest);
      }
    }
    if (!strange.empty()) {
      error(folder + "/" + strange.front(),
            "a folder of digests holds files named by 64 hexadecimal digits, with or without "
            "'sha256:', not this" +
                (strange.size() == 1 ? "" : ", nor " + text::counted(strange.size() - 1, "other")));
    }
    look_in("the folder " + folder);
    if (draft_.found.size() == before) {
      draft_.remarks.push_back("the folder " + folder +
                               " is empty; files named by digest were expected in it");
    }
  }

  void read_metadata_files(const Text& pattern) {
    const std::vector<std::string> files = files_of(pattern, file_.plan, errors_);
    read_flat_metadata(files, draft_, errors_);
    for (const std::string& file : files) look_in(file);
  }

  void read_digest_file(const std::string& path) {
    look_in(path);
    const auto text = read_file(path, most_bytes);
    if (!text) {
      errors_.push_back(text.error());
      return;
    }
    const std::string_view content = oci::without_byte_order_mark(*text);
    const std::size_t first = content.find_first_not_of(" \t\r\n");
    const char begins = first == std::string::npos ? '\0' : content[first];
    if (begins == '{' || begins == '[') {
      read_json(path, content);
    } else {
      read_lines(path, content);
    }
  }

  // kaniko, buildah, podman, skopeo: a digest. ko, apko, nix: name@digest.
  void read_lines(const std::string& path, std::string_view text) {
    const std::size_t before = draft_.found.size();
    while (!text.empty()) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
      if (line.empty()) continue;
      const std::size_t at = line.rfind('@');
      const std::string digest(at == std::string_view::npos ? line : line.substr(at + 1));
      if (!oci::is_digest(digest)) {
        return error(path,
                     "a digest ('sha256:' and 64 hexadecimal digits), or name@digest, was "
                     "expected on each line, not '" +
                         std::string(line.substr(0, 100)) + "'");
      }
      add(path, at == std::string_view::npos ? "" : std::string(line.substr(0, at)), digest);
    }
    if (draft_.found.size() == before) {
      draft_.remarks.push_back(path + " is empty; a digest, or name@digest, was expected in it");
    }
  }

  // jib-image.json of jib, artifacts.json of goreleaser, metadata of buildx.
  void read_json(const std::string& path, std::string_view text) {
    boost::system::error_code failure;
    const boost::json::value value = boost::json::parse(text, failure);
    if (failure) {  // left behind by a build that ended too soon
      draft_.broken.push_back(path + ": not valid JSON: " + failure.message());
      return;
    }
    const boost::json::object* fields = value.if_object();
    if (fields != nullptr && !oci::text_of(*fields, "imageDigest").empty()) {
      return add(path, oci::text_of(*fields, "image"), oci::text_of(*fields, "imageDigest"));
    }
    if (fields != nullptr && !oci::text_of(*fields, "containerimage.digest").empty()) {
      return read_flat_metadata({path}, draft_, errors_);
    }
    const std::size_t before = draft_.found.size();
    if (value.is_array()) read_artifacts(path, value.get_array());
    if (draft_.found.size() > before) return;
    error(path,
          "'imageDigest' of jib, artifacts of goreleaser with a 'Digest', or "
          "'containerimage.digest' of buildx were expected in this JSON");
  }

  // An image stands there as it was built, and again, with its digest, once it was pushed. One name
  // may have several: of those that are for one platform, the run tells.
  void read_artifacts(const std::string& path, const boost::json::array& artifacts) {
    std::map<std::string, std::vector<std::string>> digests;  // by name
    for (const boost::json::value& artifact : artifacts) {
      const boost::json::object* fields = artifact.if_object();
      if (!fields || oci::text_of(*fields, "type").find("Docker Image") == std::string::npos) {
        continue;
      }
      const boost::json::object* extra = oci::object_of(*fields, "extra");
      const std::string digest = extra ? oci::text_of(*extra, "Digest") : "";
      std::vector<std::string>& known = digests[oci::text_of(*fields, "name")];
      if (oci::is_digest(digest)) known.push_back(digest);
    }
    // Of one image, every name has the same digest.
    std::unordered_set<std::string> told;
    for (const Source& found : draft_.found) told.insert(found.reference.digest);
    for (const auto& [name, of_name] : digests) {
      if (of_name.empty()) {
        draft_.remarks.push_back(path + " has '" + name +
                                 "' without a 'Digest': it was not pushed");
        continue;
      }
      for (const std::string& digest : of_name) {
        if (told.insert(digest).second) add(path, name, digest);
      }
    }
  }

  PlanFile& file_;
  TargetDraft& draft_;
  Errors& errors_;
  std::string repository_;
  Position where_;
};

}  // namespace

void read_inputs(PlanFile& file, TargetDraft& draft, Errors& errors) {
  if (draft.inputs.empty()) return;
  draft.found.clear();  // what the target says beats what the plan says for all
  draft.remarks.clear();
  draft.broken.clear();
  InputReader reader(file, draft, errors);
  for (const SourceInput& input : draft.inputs) reader.read(input);
}

bool is_json(std::string_view metadata_action) {
  const std::size_t first = metadata_action.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && metadata_action[first] == '{';
}

namespace {

std::string wrong_in_metadata_action(const boost::json::object& fields) {
  if (oci::texts_of(fields, "tags").empty() || !oci::has_only_texts(fields, "tags")) {
    return "no list of 'tags' in it";
  }
  return oci::has_only_texts(fields, "annotations") ? ""
                                                    : "'annotations' in it is not a list of texts";
}

}  // namespace

void read_metadata_action(PlanFile& file, TargetDraft& draft, Errors& errors) {
  if (!draft.metadata_action) return;
  const Text& given = *draft.metadata_action;
  std::string json = given.text;
  if (!is_json(json)) {
    const std::string path = beside(file.plan.file, given.text);
    file.plan.files.push_back(path);
    const auto text = read_file(path, most_bytes);
    if (!text) {
      errors.push_back(text.error());
      return;
    }
    json = *text;
  }
  const auto fields = oci::parse_object(json);
  const std::string wrong = fields ? wrong_in_metadata_action(*fields) : fields.error().what;
  if (!wrong.empty()) {
    errors.push_back({given.where,
                      "'metadata-action' takes the JSON of docker/metadata-action with its 'tags', "
                      "or a file of it: " +
                          wrong});
    return;
  }
  for (const std::string& tag : oci::texts_of(*fields, "tags")) {
    draft.tags.push_back({with_host(tag), given.where});
  }
  // It is named for this target, and beats what bake says of it.
  std::map<std::string, std::string> annotations = index_annotations_of(*fields);
  annotations.merge(draft.found_annotations);
  draft.found_annotations = std::move(annotations);
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  std::vector<std::string> words;
  while (true) {
    const std::size_t start = text.find_first_not_of(separators);
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    words.emplace_back(text.substr(0, text.find_first_of(separators)));
    text.remove_prefix(words.back().size());
  }
}

}  // namespace retry_exec::publish::plan

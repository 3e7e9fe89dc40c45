// The phases of one target against registries and a scratch folder that are nowhere but here.
#include "publish/oci/index.hpp"
#include "publish/oci/sha256.hpp"
#include "publish/run/target_run.hpp"

#include <retry_exec/text.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>

namespace retry_exec::publish {

namespace asio = boost::asio;

namespace {

// Stands for a digest that is not known yet.
std::string made_up(const std::string& what) {
  return oci::digest_of("rehearsal of " + what);
}

oci::Descriptor image_of(const std::string& digest, std::optional<oci::Platform> platform) {
  return {.media_type = "application/vnd.oci.image.manifest.v1+json",
          .digest = digest,
          .size = 0,
          .platform = std::move(platform)};
}

std::string converted_image() {
  return made_up("each image");
}

class ImaginedScratch final : public Scratch {
 public:
  explicit ImaginedScratch(const std::string& parent) : path_(parent + "/<scratch>/") {}

  const std::string& file(const std::string& path) const { return files_.at(path); }
  void pull(std::string index) { pulled_ = std::move(index); }

  Result<void> open() override { return {}; }
  const std::string& path() const override { return path_; }
  Result<std::string> make_folder(const std::string& name) override { return path_ + name; }
  Result<std::string> write_file(const std::string& name, std::string_view text) override {
    files_[path_ + name] = text;
    return path_ + name;
  }
  void remove_folder(const std::string&) override {}
  asio::awaitable<Result<void>> reserve(std::uint64_t) override { co_return Result<void>(); }
  void release(std::uint64_t) override {}
  Result<void> reduce_to_root(const std::string&, const std::string&) override { return {}; }
  Result<void> name_entries(const std::string&) override { return {}; }
  // Of each platform an image, as in the index that was pulled.
  Result<std::string> converted_index(const std::string&) override {
    std::vector<oci::Descriptor> images = oci::parse_index(pulled_).value().manifests;
    for (oci::Descriptor& image : images) image.digest = converted_image();
    return oci::index_json(images, {});
  }

 private:
  std::string path_;
  std::map<std::string, std::string> files_;
  std::string pulled_;  // the index of an image
};

// They have the sources of a target, and what has been put since.
class ImaginedRegistries {
 public:
  // A source that must be an index gets the digest of the one that is made up for it.
  ImaginedRegistries(plan::Target& target, ImaginedScratch& scratch) : scratch_(scratch) {
    add_sources(target);
  }

  // What is made up, and what it is shown as.
  const std::vector<std::pair<std::string, std::string>>& made_up_digests() const {
    return made_up_digests_;
  }

  // What oras prints; nothing where what it reads is not there.
  std::optional<std::string> answer(const Arguments& argv) {
    const auto has = [&](std::string_view word) {
      return std::find(argv.begin(), argv.end(), word) != argv.end();
    };
    if (argv[1] == "manifest" && argv[2] == "push") return push(argv.end()[-2], argv.back());
    if (argv[1] == "manifest" && argv[2] == "index") return describe(argv);
    if (argv[1] == "manifest") return read(argv.back(), has("fetch-config"));
    if (has("--from-oci-layout")) return push_layout(argv.end()[-2], argv.back());
    if (has("--to-oci-layout")) {
      scratch_.pull(manifests_.at(digest_in(argv.end()[-2])).bytes);
    } else if (argv[1] == "cp") {
      there_[argv.back()] = digest_in(argv.back());
      return putting(digest_in(argv.back()));
    }
    return "";
  }

 private:
  static std::string digest_in(const std::string& reference) {
    return reference.substr(reference.find('@') + 1);
  }

  void add(const oci::Reference& place, const oci::Descriptor& descriptor, std::string bytes) {
    there_[to_string(by_digest(place, descriptor.digest))] = descriptor.digest;
    manifests_.emplace(descriptor.digest, Manifest{descriptor, std::move(bytes)});
  }

  // Each wanted platform is that of one source; what is left over is in the last.
  void add_sources(plan::Target& target) {
    std::vector<oci::Platform> wanted;
    for (const oci::Platform& platform : target.platforms) {
      const auto same = [&](const oci::Platform& other) { return oci::is_same(platform, other); };
      const bool known = std::any_of(
          target.sources.begin(), target.sources.end(), [&](const plan::Source& source) {
            return source.platform && oci::fits(platform, *source.platform);
          });
      if (!known && std::none_of(wanted.begin(), wanted.end(), same)) wanted.push_back(platform);
    }
    auto unknown = std::count_if(target.sources.begin(), target.sources.end(),
                                 [](const plan::Source& source) { return !source.platform; });
    for (plan::Source& source : target.sources) {
      if (source.platform) {
        add(source.reference, image_of(source.reference.digest, source.platform), "");
        continue;
      }
      const bool all = --unknown == 0;
      const auto end = all || wanted.empty() ? wanted.end() : std::next(wanted.begin());
      add_source(source.reference, {wanted.begin(), end});
      wanted.erase(wanted.begin(), end);
    }
  }

  void add_source(oci::Reference& source, const std::vector<oci::Platform>& platforms) {
    if (platforms.size() <= 1) {
      const oci::Platform some{.os = "linux",
                               .architecture = "cpu-" + std::to_string(manifests_.size())};
      add(source, image_of(source.digest, platforms.empty() ? some : platforms.front()), "");
      return;
    }
    std::vector<oci::Descriptor> images;
    for (const oci::Platform& platform : platforms) {
      const std::string name = to_string(platform);
      images.push_back(image_of(made_up(name), platform));
      made_up_digests_.emplace_back(images.back().digest, "sha256:<" + name + ">");
      add(source, images.back(), "");
    }
    const std::string bytes = oci::index_json(images, {});
    made_up_digests_.emplace_back(oci::digest_of(bytes), source.digest);
    source.digest = oci::digest_of(bytes);
    add(source, {std::string(oci::oci_index), source.digest, bytes.size(), std::nullopt}, bytes);
  }

  std::optional<std::string> read(const std::string& reference, bool config) const {
    const auto found = there_.find(reference);
    if (found == there_.end()) return std::nullopt;
    return config ? R"({"os":"linux","architecture":"cpu"})" : manifests_.at(found->second).bytes;
  }

  std::optional<std::string> describe(const Arguments& argv) const {
    const auto name = std::find_if(argv.rbegin(), argv.rend(), [](const std::string& word) {
      return word.find('/') != std::string::npos;
    });
    std::vector<oci::Descriptor> described;
    for (auto what = name.base(); what != argv.end(); ++what) {
      const auto found = there_.find(*name + (oci::is_digest(*what) ? "@" : ":") + *what);
      if (found == there_.end()) return std::nullopt;
      described.push_back(manifests_.at(found->second).descriptor);
    }
    return oci::index_json(described, {});
  }

  std::string push(const std::string& places, const std::string& file) {
    const std::string& bytes = scratch_.file(file);
    const std::string digest = oci::digest_of(bytes);
    std::optional<oci::Reference> place;
    text::for_each_part(places, ',', [&](std::string_view name) {
      const bool first = !place;
      if (first) place = oci::parse_reference(name).value();
      there_[first ? to_string(*place) : to_string(by_tag(*place, std::string(name)))] = digest;
    });
    add(*place, {std::string(oci::oci_index), digest, bytes.size(), std::nullopt}, bytes);
    return "";
  }

  std::string push_layout(const std::string& layout, const std::string& tag) {
    const oci::Reference place = oci::parse_reference(tag).value();
    const std::string bytes = scratch_.converted_index(layout).value();
    add(place, {std::string(oci::oci_index), digest_in(layout), bytes.size(), std::nullopt}, bytes);
    made_up_digests_.emplace_back(digest_in(layout), "sha256:<soci>");
    add(place, image_of(converted_image(), std::nullopt), "");
    return "";
  }

  struct Manifest {
    oci::Descriptor descriptor;
    std::string bytes;  // of an index
  };
  ImaginedScratch& scratch_;
  std::map<std::string, Manifest> manifests_;  // by digest
  std::map<std::string, std::string> there_;   // digests, by reference
  std::vector<std::pair<std::string, std::string>> made_up_digests_;
};

// What commands are seen as: what was made up for them is not shown as if it were known.
class Symbols {
 public:
  Symbols(const plan::Target& target, const TargetResult& result,
          const ImaginedRegistries& registries) {
    const bool known = std::any_of(
        target.sources.begin(), target.sources.end(),
        [&](const plan::Source& source) { return source.reference.digest == result.index; });
    for (const auto& [digest, symbol] : registries.made_up_digests()) stand_for(digest, symbol);
    stand_for(converted_image(), "sha256:<each image>");
    if (!known && !result.index.empty()) stand_for(result.index, "sha256:<index>");
    if (result.digest != result.index) stand_for(result.digest, "sha256:<soci>");
  }

  Arguments in(Arguments argv) const {
    for (std::string& word : argv) {
      for (const auto& [text, symbol] : shown_) replace_all(word, text, symbol);
      const std::string record = std::string(after_record_key) + "=";
      if (word.starts_with(record)) word = record + "<done>";
    }
    return argv;
  }

 private:
  // Whole, and at the end of a tag in staging.
  void stand_for(const std::string& digest, const std::string& symbol) {
    shown_.emplace_back(digest, symbol);
    shown_.emplace_back(end_of_tag(digest), end_of_tag(symbol));
  }

  static std::string end_of_tag(const std::string& digest) {
    return oci::staging_tag("_", digest).substr(1);
  }

  static void replace_all(std::string& word, const std::string& text, const std::string& symbol) {
    for (std::size_t at = word.find(text); at != std::string::npos;
         at = word.find(text, at + symbol.size())) {
      word.replace(at, text.size(), symbol);
    }
  }

  std::vector<std::pair<std::string, std::string>> shown_;
};

// Of a command that has printed this; nothing: what it reads is not there.
Answer answer_with(const std::optional<std::string>& output) {
  Answer answer;
  answer.run.attempts = 1;
  answer.output = output.value_or("");
  if (!output) {
    answer.run.reason = StopReason::permanent;
    answer.run.verdict = Verdict{};
    answer.run.verdict->class_name = "absent";
  }
  return answer;
}

}  // namespace

Rehearsal rehearse(const plan::Plan& plan, std::size_t number) {
  plan::Target target = plan.targets[number];
  ImaginedScratch scratch(plan.scratch);
  ImaginedRegistries registries(target, scratch);
  Rehearsal rehearsal;
  const auto run = [&](Request request) -> asio::awaitable<Answer> {
    // What the plan runs afterwards is not one of our commands, even if it looks like one.
    const std::optional<std::string> output =
        request.phase == plan::Phase::after ? "" : registries.answer(request.argv);
    // What is done with each image in the same words stands there once; what the plan runs at each
    // destination is run as often.
    RehearsedCommand command{request.phase, std::move(request.argv)};
    if (command.phase == plan::Phase::after ||
        std::find(rehearsal.commands.begin(), rehearsal.commands.end(), command) ==
            rehearsal.commands.end()) {
      rehearsal.commands.push_back(std::move(command));
    }
    co_return answer_with(output);
  };
  PublishSeams seams;
  seams.now = [] { return TimePoint(); };
  seams.interrupted_by = [] { return std::optional<int>(); };
  Shared shared{.plan = plan,
                .seams = seams,
                .run = run,
                .entrances = Entrances(1),
                .scratch = scratch,
                .copies = {},
                .whole = {},
                .started = {}};
  for (const oci::Reference& tag : target.tags) shared.copies.add(tag.name(), number);
  TargetRun target_run(shared, target, number);
  TargetResult result;
  asio::io_context context(1);
  asio::co_spawn(context, target_run.run(), [&](const std::exception_ptr& error, TargetResult end) {
    if (error) std::rethrow_exception(error);
    result = std::move(end);
  });
  context.run();
  rehearsal.fails = result.failure.has_value();
  if (rehearsal.fails) rehearsal.ends = result.failure->what;
  if (result.left_out) rehearsal.ends = result.phases.front().note;
  const Symbols symbols(target, result, registries);
  for (RehearsedCommand& command : rehearsal.commands) {
    command.argv = symbols.in(std::move(command.argv));
  }
  return rehearsal;
}

}  // namespace retry_exec::publish

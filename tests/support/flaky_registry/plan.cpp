#include "plan.hpp"

#include <retry_exec/config.hpp>

#include <array>
#include <tuple>

namespace flaky {

namespace {

using retry_exec::Error;
using retry_exec::Errors;
using retry_exec::config::Mapping;
using retry_exec::config::Node;

constexpr long long most_requests = 1'000'000'000;

// What distribution says when a status is all that is known.
struct Words {
  unsigned status;
  std::string_view code;
  std::string_view message;
};
constexpr std::array words = {
    Words{400, "MANIFEST_INVALID", "manifest invalid"},
    Words{401, "UNAUTHORIZED", "authentication required"},
    Words{403, "DENIED", "requested access to the resource is denied"},
    Words{404, "MANIFEST_UNKNOWN", "manifest unknown"},
    Words{405, "UNSUPPORTED", "The operation is unsupported."},
    Words{429, "TOOMANYREQUESTS", "too many requests"},
    Words{503, "UNAVAILABLE", "service unavailable"},
};
constexpr Words other_words = {500, "UNKNOWN", "unknown error"};

Words words_for(unsigned status, const std::string& code) {
  if (code == "MANIFEST_BLOB_UNKNOWN") return {status, "", "blob unknown to registry"};
  for (const Words& known : words) {
    if (known.status == status) return known;
  }
  return other_words;
}

class PlanReader {
 public:
  explicit PlanReader(Errors& errors) : errors_(errors) {}

  Plan read(const Node& root) {
    Plan plan;
    Mapping fields(root, errors_, "a fault plan");
    plan.seed = static_cast<std::uint64_t>(fields.integer("seed", 0, most_requests).value_or(1));
    if (const Node* faults = fields.node("faults"); faults != nullptr) {
      if (faults->kind != Node::Kind::sequence) error(*faults, "'faults' must be a list");
      for (const Node& item : faults->items) {
        plan.faults.push_back(fault(item, "fault-" + std::to_string(plan.faults.size() + 1)));
      }
    }
    fields.finish();
    return plan;
  }

 private:
  void error(const Node& node, std::string what) {
    errors_.push_back({node.where, std::move(what)});
  }

  template <class T, std::size_t N>
  std::optional<T> choice(Mapping& fields, std::string_view key,
                          const std::array<std::pair<std::string_view, T>, N>& choices) {
    const Node* node = fields.node(key);
    if (node == nullptr) return std::nullopt;
    std::string known;
    for (const auto& [word, value] : choices) {
      if (node->text == word) return value;
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    error(*node, "'" + std::string(key) + "' must be one of " + known);
    return std::nullopt;
  }

  std::optional<std::regex> pattern(Mapping& fields, std::string_view key) {
    const Node* node = fields.node(key);
    if (node == nullptr) return std::nullopt;
    try {
      return std::regex(node->text, std::regex::optimize);
    } catch (const std::regex_error& bad) {
      error(*node, "'" + std::string(key) + "' is not a valid pattern: " + bad.what());
      return std::nullopt;
    }
  }

  unsigned count(Mapping& fields, std::string_view key, unsigned otherwise) {
    const auto value = fields.integer(key, 0, most_requests);
    return value ? static_cast<unsigned>(*value) : otherwise;
  }

  Fault fault(const Node& node, std::string name) {
    Fault fault;
    Mapping fields(node, errors_, "a fault");
    fault.name = fields.text("name").value_or(std::move(name));
    for (const Node* method : fields.texts("methods")) fault.methods.push_back(method->text);
    fault.kind = choice<Kind, 4>(fields, "kind",
                                 {{{"manifest", Kind::manifest},
                                   {"blob", Kind::blob},
                                   {"upload", Kind::upload},
                                   {"other", Kind::other}}});
    fault.path = pattern(fields, "path");
    fault.repository = pattern(fields, "repository");
    fault.tag = pattern(fields, "tag");
    fault.digest = pattern(fields, "digest");
    fault.skip = count(fields, "skip", 0);
    fault.times = count(fields, "times", without_end);
    fault.per_reference =
        choice<bool, 2>(fields, "per", {{{"fault", false}, {"reference", true}}}).value_or(false);
    fault.probability = fields.number("probability", 0, 1).value_or(1);
    fault.forward = fields.boolean("forward").value_or(false);
    effect(fields, node, fault);
    fields.finish();
    return fault;
  }

  void effect(Mapping& fields, const Node& node, Fault& fault) {
    int found = 0;
    const auto take = [&](const Node* value, auto read) {
      if (value == nullptr) return;
      ++found;
      fault.effect = read(*value);
    };
    take(fields.node("invisible"), [&](const Node& n) { return invisible(n); });
    take(fields.node("stale"), [&](const Node& n) { return stale(n); });
    take(fields.node("answer"), [&](const Node& n) { return answer(n); });
    take(fields.node("cut"), [&](const Node& n) { return cut(n); });
    take(fields.node("silence"), [&](const Node& n) { return silence(n); });
    if (fields.boolean("immutable-tags").value_or(false)) ++found, fault.effect = ImmutableTags{};
    if (fields.boolean("reset").value_or(false)) ++found, fault.effect = Reset{};
    if (const auto delay = fields.duration("delay")) ++found, fault.effect = Delay{*delay};
    if (found != 1) {
      error(node,
            "a fault has exactly one of invisible, stale, answer, immutable-tags, delay, "
            "reset, cut, silence");
    }
  }

  Effect invisible(const Node& node) {
    Invisible effect;
    Mapping fields(node, errors_, "invisible");
    effect.reads = count(fields, "reads", 0);
    effect.lasts = fields.duration("for").value_or(Duration{});
    effect.since =
        choice<Invisible::Since, 2>(
            fields, "since", {{{"push", Invisible::Since::push}, {"plan", Invisible::Since::plan}}})
            .value_or(Invisible::Since::push);
    effect.refuse_parents = fields.boolean("refuse-parents").value_or(false);
    fields.finish();
    return effect;
  }

  Effect stale(const Node& node) {
    Stale effect;
    Mapping fields(node, errors_, "stale");
    effect.reads = count(fields, "reads", 0);
    effect.lasts = fields.duration("for").value_or(Duration{});
    fields.finish();
    return effect;
  }

  Effect answer(const Node& node) {
    Answer effect;
    Mapping fields(node, errors_, "answer");
    effect.status = static_cast<unsigned>(fields.integer("status", 200, 599).value_or(500));
    effect.body = choice<Answer::Body, 3>(fields, "body",
                                          {{{"json", Answer::Body::json},
                                            {"html", Answer::Body::html},
                                            {"empty", Answer::Body::empty}}})
                      .value_or(Answer::Body::json);
    effect.code = fields.text("code").value_or("");
    const Words said = words_for(effect.status, effect.code);
    effect.message = fields.text("message").value_or(std::string(said.message));
    if (effect.code.empty()) effect.code = said.code;
    effect.detail = fields.text("detail");
    if (const Node* headers = fields.node("headers"); headers != nullptr) {
      for (const auto& [key, value] : headers->entries) {
        effect.headers.emplace_back(key.text, value.text);
      }
    }
    fields.finish();
    return effect;
  }

  Effect cut(const Node& node) {
    Mapping fields(node, errors_, "cut");
    Cut effect;
    if (const auto after = fields.size("after")) effect.after = *after;
    fields.finish();
    return effect;
  }

  Effect silence(const Node& node) {
    Mapping fields(node, errors_, "silence");
    Silence effect{fields.duration("for")};
    fields.finish();
    return effect;
  }

  Errors& errors_;
};

}  // namespace

retry_exec::Result<Plan, Errors> parse_plan(std::string_view text, const std::string& file) {
  auto root = retry_exec::config::parse(text, file);
  if (!root) return root.error();
  Errors errors;
  Plan plan = PlanReader(errors).read(*root);
  if (!errors.empty()) return errors;
  return plan;
}

}  // namespace flaky

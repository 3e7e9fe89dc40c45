#include "chaos.hpp"

#include <algorithm>

namespace flaky {

void Chaos::replace(Plan plan, Instant now) {
  plan_ = std::move(plan);
  loaded_ = now;
  counted_.clear();
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    counted_.push_back({std::mt19937_64(plan_.seed + i), {}, {}});
  }
}

void Chaos::pushed(const std::string& repository, const std::string& reference, Instant now) {
  pushes_.try_emplace(repository + '@' + reference, now);
}

void Chaos::moved(const std::string& repository, const std::string& tag, const std::string& before,
                  const std::string& digest, Instant now) {
  auto& moves = moves_[repository + '@' + tag];
  if (moves.empty()) moves.push_back({Instant::min(), before});
  if (moves.back().digest != digest) moves.push_back({now, digest});
}

void Chaos::removed(const std::string& key) {
  pushes_.erase(key);
  moves_.erase(key);
}

bool Chaos::selected(const Fault& fault, const Subject& subject) const {
  const auto whole = [](const std::optional<std::regex>& pattern, const std::string& text) {
    return !pattern || (!text.empty() && std::regex_match(text, *pattern));
  };
  const auto& methods = fault.methods;
  return (methods.empty() ||
          std::find(methods.begin(), methods.end(), subject.method) != methods.end()) &&
         (!fault.kind || *fault.kind == subject.kind) &&
         (!fault.path || std::regex_search(subject.target, *fault.path)) &&
         whole(fault.repository, subject.repository) && whole(fault.tag, subject.tag) &&
         whole(fault.digest, subject.digest);
}

// Counts the request and says whether it is this one's turn.
bool Chaos::due(const Fault& fault, Counted& counted, const std::string& key) {
  const unsigned number = counted.seen[fault.per_reference ? key : std::string()]++;
  if (number < fault.skip || number - fault.skip >= fault.times) return false;
  return fault.probability >= 1 ||
         std::uniform_real_distribution<>()(counted.random) < fault.probability;
}

bool Chaos::invisible(const Invisible& effect, Counted& counted, const std::string& key,
                      bool counts, Instant now) const {
  Instant since = loaded_;
  if (effect.since == Invisible::Since::push) {
    const auto push = pushes_.find(key);
    if (push == pushes_.end()) return false;
    since = push->second;
  }
  unsigned& reads = counted.reads[key];
  const bool hidden = reads < effect.reads || now < since + effect.lasts;
  if (hidden && counts) ++reads;
  return hidden;
}

// A tag shows what it showed `lasts` ago, and after each move so many reads show what was before
// it.
std::optional<Action> Chaos::stale(const Stale& effect, Counted& counted, const std::string& key,
                                   Instant now) const {
  const auto found = moves_.find(key);
  if (found == moves_.end() || found->second.size() < 2) return std::nullopt;
  const auto& moves = found->second;
  std::size_t shown = moves.size() - 1;
  while (shown > 0 && moves[shown].at + effect.lasts > now) --shown;
  unsigned& reads = counted.reads[key + '#' + std::to_string(moves.size())];
  if (shown == moves.size() - 1 && reads >= effect.reads) return std::nullopt;
  ++reads;
  return Redirected{moves[std::min(shown, moves.size() - 2)].digest};
}

std::optional<Action> Chaos::effect_of(const Fault& fault, Counted& counted, const Subject& subject,
                                       std::string_view body, bool tag_exists, Instant now) {
  const std::string key = subject.key();
  if (const auto* effect = std::get_if<Invisible>(&fault.effect)) {
    if (subject.is_read() && (subject.kind == Kind::manifest || subject.kind == Kind::blob)) {
      if (invisible(*effect, counted, key, true, now)) return NotVisible{};
    } else if (effect->refuse_parents && subject.method == "PUT") {
      for (const std::string& child : digests_in(body)) {
        const std::string child_key = subject.repository + '@' + child;
        if (invisible(*effect, counted, child_key, false, now)) return ParentRefused{child};
      }
    }
    return std::nullopt;
  }
  if (const auto* effect = std::get_if<Stale>(&fault.effect)) {
    if (!subject.is_read() || subject.tag.empty()) return std::nullopt;
    return stale(*effect, counted, key, now);
  }
  if (std::holds_alternative<ImmutableTags>(fault.effect)) {
    if (subject.method != "PUT" || subject.tag.empty() || !tag_exists) return std::nullopt;
    return ImmutableTags{};
  }
  if (const auto* answer = std::get_if<Answer>(&fault.effect)) return *answer;
  if (const auto* cut = std::get_if<Cut>(&fault.effect)) return *cut;
  if (const auto* silence = std::get_if<Silence>(&fault.effect)) return *silence;
  return Reset{};
}

Decision Chaos::decide(const Subject& subject, std::string_view body, bool tag_exists,
                       Instant now) {
  Decision decision;
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const Fault& fault = plan_.faults[i];
    if (!selected(fault, subject) || !due(fault, counted_[i], subject.key())) continue;
    if (const auto* delay = std::get_if<Delay>(&fault.effect)) {
      decision.delay += delay->lasts;
      decision.fault = fault.name;
      continue;
    }
    if (auto action = effect_of(fault, counted_[i], subject, body, tag_exists, now)) {
      decision.action = std::move(*action);
      decision.fault = fault.name;
      decision.forward = fault.forward;
      break;
    }
  }
  return decision;
}

}  // namespace flaky

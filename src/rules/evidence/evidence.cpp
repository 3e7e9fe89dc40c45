#include "rules/evidence/evidence.hpp"

#include <algorithm>
#include <array>

namespace retry_exec::rules {

namespace {

constexpr std::size_t bytes_of_end = std::size_t{64} << 10;

// Whole lines.
std::string_view end_of(std::string_view text) {
  if (text.size() <= bytes_of_end) return text;
  const std::size_t cut = text.size() - bytes_of_end;
  const std::size_t line = text.find('\n', cut - 1) + 1;
  return text.substr(line > 0 && line < text.size() ? line : cut);
}

std::unique_ptr<std::string> all_hidden(std::string_view text) {
  std::string hidden(masked_mark);
  hidden.append(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), '\n');
  return std::make_unique<std::string>(std::move(hidden));
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

}  // namespace

bool EvidenceRoom::is_long() {
  return seen(Stream::standard_output, Extent::whole).size() > bytes_of_end ||
         seen(Stream::standard_error, Extent::whole).size() > bytes_of_end;
}

std::string_view EvidenceRoom::seen_of_one(Stream stream, Extent extent) {
  std::optional<std::string>& text = seen_[static_cast<std::size_t>(stream)];
  if (!text) {
    const bool error = stream == Stream::standard_error;
    text = as_seen(error ? output_.standard_error : output_.standard_output);
  }
  return extent == Extent::whole ? std::string_view(*text) : end_of(*text);
}

std::string_view EvidenceRoom::seen(Stream stream, Extent extent) {
  if (output_.one_stream) return seen_of_one(Stream::standard_output, extent);
  if (stream != Stream::both) return seen_of_one(stream, extent);
  std::optional<std::string>& text = seen_of_both_[static_cast<std::size_t>(extent)];
  if (!text) {
    text = seen_of_one(Stream::standard_output, extent);
    if (!text->empty() && text->back() != '\n') *text += '\n';
    *text += seen_of_one(Stream::standard_error, extent);
  }
  return *text;
}

std::string_view EvidenceRoom::focused(const EvidencePatterns& patterns, std::string_view text) {
  const Pattern* focus = patterns.focus.source().empty() ? nullptr : patterns.focus.get(budget_);
  if (focus == nullptr) return text;
  std::size_t last = 0;
  for (std::size_t from = 0; from <= text.size();) {
    if (focus->search(text, from, memory_, budget_) != Search::found) break;
    last = memory_.begin();
    from = std::max(memory_.end(), last + 1);
  }
  return text.substr(last);
}

// Lines stay where they are, so that a line of one text is that of the other.
std::unique_ptr<std::string> EvidenceRoom::without(const Pattern& mask, std::string_view text,
                                                   const Places& places) {
  std::string result;
  std::size_t from = 0;
  const auto hide = [&](std::size_t begin, std::size_t end) {
    const std::string_view hidden = text.substr(begin, end - begin);
    result.append(text, from, begin - from);
    result += masked_mark;
    result.append(static_cast<std::size_t>(std::count(hidden.begin(), hidden.end(), '\n')), '\n');
    from = end;
  };
  while (from < text.size()) {
    const Search search = search_places(mask, text, places, memory_, budget_, from);
    if (search == Search::limit) {
      // A name that was to be hidden must not pass for an error.
      cut_short_ = true;
      hide(from, text.size());
    }
    if (search != Search::found || memory_.end() == memory_.begin()) break;
    hide(memory_.begin(), memory_.end());
  }
  if (from == 0) return nullptr;
  return std::make_unique<std::string>(std::move(result.append(text, from)));
}

std::unique_ptr<std::string> EvidenceRoom::masked(const EvidencePatterns& patterns,
                                                  std::string_view text,
                                                  const Prefilter::Found& found) {
  // A mask adds nothing that another could match, so what has no place now has none later.
  std::vector<std::size_t> worth_trying;
  for (std::size_t i = 0; i < patterns.masks.size(); ++i) {
    if (!found[patterns.first_mask + i].none()) worth_trying.push_back(i);
  }
  std::unique_ptr<std::string> result;
  budget_.divide_among(worth_trying.size());
  for (const std::size_t i : worth_trying) {
    budget_.begin_job();
    const Pattern* mask = patterns.masks[i].get(budget_);
    if (mask == nullptr) {
      cut_short_ = true;
      return all_hidden(text);
    }
    std::unique_ptr<std::string> changed =
        result ? without(*mask, *result, Prefilter({patterns.masks[i].source()}).find(*result)[0])
               : without(*mask, text, found[patterns.first_mask + i]);
    if (changed) result = std::move(changed);
  }
  return result;
}

Evidence EvidenceRoom::evidence(const EvidencePatterns& patterns, const Prefilter& prefilter,
                                std::optional<Stream> stream, Extent extent) {
  if (!stream && patterns.source != nullptr) stream = patterns.source->stream;
  if (!stream) {
    stream = blank(seen(Stream::standard_error, Extent::whole)) ? Stream::standard_output
                                                                : Stream::standard_error;
  }
  if (output_.one_stream) stream = Stream::both;
  constexpr std::array names = {"stdout", "stderr", "stdout and stderr"};  // by Stream
  budget_.divide_among(1);
  budget_.begin_job();
  Evidence evidence;
  evidence.stream = names[static_cast<std::size_t>(*stream)];
  evidence.unmasked = focused(patterns, seen(*stream, extent));
  evidence.in_unmasked = prefilter.find(evidence.unmasked);
  evidence.hidden = masked(patterns, evidence.unmasked, evidence.in_unmasked);
  if (evidence.hidden) evidence.in_hidden = prefilter.find(*evidence.hidden);
  return evidence;
}

std::string_view line_at(std::string_view text, std::size_t offset) {
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t line_number(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::string_view nth_line(std::string_view text, std::size_t number) {
  std::size_t begin = 0;
  for (; number > 0; --number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  return line_at(text, begin);
}

std::string_view last_line(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\n");
  return last == std::string_view::npos ? std::string_view() : line_at(text, last);
}

}  // namespace retry_exec::rules

#include "rules/matching/pattern.hpp"

#include "rules/matching/counted.hpp"

#include <boost/system/result.hpp>

#include <algorithm>
#include <utility>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_pattern = 8192;
constexpr std::size_t group_room = 64;

// The budget ends what takes long; these are for what it cannot count.
constexpr std::uint32_t match_limit = 1'000'000;
constexpr std::uint32_t depth_limit = 10'000;
constexpr std::uint32_t heap_limit_kib = 8192;
constexpr std::size_t jit_stack = std::size_t{512} << 10;

// Prices in steps, as measured. Where a match may begin is looked for without counting.
constexpr std::size_t positions_at_a_time = 4096;
constexpr std::uint64_t price_of_a_call = 64;
constexpr std::uint64_t price_of_a_callout = 8;
constexpr std::uint64_t price_of_interpreting = 8;      // beside machine code
constexpr std::size_t bytes_of_pattern_at_a_step = 64;  // tried at each position
constexpr std::uint64_t price_of_compiling = 64;        // each byte of a pattern
constexpr std::uint64_t price_of_machine_code = 192;

// Translating a pattern to machine code takes as long as interpreting it over so many bytes.
constexpr std::size_t worth_jit = 1024;
constexpr std::size_t least_seen = 32;  // from where a match may begin it looks on

// What one search costs, told at each callout.
struct Meter {
  WorkBudget& budget;
  std::uint64_t price;
  std::size_t start = 0;
  std::size_t position = 0;
};

int on_callout(pcre2_callout_block* block, void* meter_of_search) {
  auto& meter = *static_cast<Meter*>(meter_of_search);
  if (std::exchange(meter.start, block->start_match) != block->start_match)
    meter.position = block->start_match;
  const std::size_t before = std::exchange(meter.position, block->current_position);
  const std::size_t way = std::max(before, meter.position) - std::min(before, meter.position);
  return meter.budget.spend(meter.price + way) ? 0 : PCRE2_ERROR_CALLOUT;
}

std::uint32_t number_of(const pcre2_code* code, std::uint32_t what) {
  std::uint32_t value = 0;
  pcre2_pattern_info(code, what, &value);
  return value;
}

}  // namespace

MatchMemory::MatchMemory()
    : data_(pcre2_match_data_create(group_room, nullptr)),
      context_(pcre2_match_context_create(nullptr)),
      stack_(pcre2_jit_stack_create(std::size_t{32} << 10, jit_stack, nullptr)) {
  pcre2_set_match_limit(context_.get(), match_limit);
  pcre2_set_depth_limit(context_.get(), depth_limit);
  pcre2_set_heap_limit(context_.get(), heap_limit_kib);
  pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
}

std::pair<std::size_t, std::size_t> MatchMemory::group(std::size_t number) const {
  if (number >= pcre2_get_ovector_count(data_.get())) return {PCRE2_UNSET, PCRE2_UNSET};
  const PCRE2_SIZE* ovector = pcre2_get_ovector_pointer(data_.get());
  return {ovector[2 * number], ovector[2 * number + 1]};
}

Result<Pattern, text::Pcre2Error> Pattern::compile(std::string_view source, bool ignore_case) {
  const text::Pcre2<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANYCRLF);
  const std::uint32_t options = PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT |
                                (ignore_case ? PCRE2_CASELESS : 0);
  text::Pcre2Error error;
  text::Pcre2<pcre2_code> code;
  const std::string counted =
      source.size() <= longest_pattern ? with_counters(source) : std::string();
  if (!counted.empty()) code = text::compile(counted, options, context.get(), error);
  if (!code) {
    pcre2_set_max_pattern_length(context.get(), longest_pattern);
    code = text::compile(source, options | PCRE2_AUTO_CALLOUT, context.get(), error);
  }
  if (!code) return error;
  return Pattern(std::move(code), source.size());
}

Pattern::Pattern(text::Pcre2<pcre2_code> code, std::size_t length)
    : code_(std::move(code)),
      length_(length),
      refers_back_(number_of(code_.get(), PCRE2_INFO_BACKREFMAX) > 0) {}

bool Pattern::may_match_empty() const {
  return number_of(code_.get(), PCRE2_INFO_MATCHEMPTY) != 0;
}

std::size_t Pattern::group_named(const char* name) const {
  const int number =
      pcre2_substring_number_from_name(code_.get(), reinterpret_cast<PCRE2_SPTR>(name));
  return number > 0 ? static_cast<std::size_t>(number) : 0;
}

std::size_t Pattern::first_group() const {
  return number_of(code_.get(), PCRE2_INFO_CAPTURECOUNT) > 0 ? 1 : 0;
}

bool Pattern::prepare_for(std::size_t size, WorkBudget& budget) const {
  bytes_seen_ += std::max(size, least_seen);
  if (jit_tried_ || bytes_seen_ < worth_jit) return true;
  jit_tried_ = true;
  if (!budget.spend(length_ * price_of_machine_code)) return false;
  // Some systems refuse; the pattern is then interpreted.
  jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;
  return true;
}

Search Pattern::search(std::string_view text, std::size_t from, MatchMemory& memory,
                       WorkBudget& budget, std::size_t last) const {
  last = std::min(last, text.size());
  // What is repeated may run to the end before it is counted.
  if (last == text.size() && !budget.affords(last - from)) return Search::limit;
  if (!prepare_for(last - from, budget)) return Search::limit;
  const std::uint64_t times = jit_ ? 1 : price_of_interpreting;
  // What a group matched may be compared as a whole at each step.
  Meter meter{budget, times * (price_of_a_callout + (refers_back_ ? text.size() / 4 : 0)), from,
              from};
  pcre2_set_callout(memory.context_.get(), &on_callout, &meter);
  const std::uint64_t price_of_a_position = times + length_ / bytes_of_pattern_at_a_step;
  for (std::size_t start = from; start <= last; start += positions_at_a_time) {
    const std::size_t end = std::min(start + positions_at_a_time - 1, last);
    if (!budget.spend(price_of_a_call + (end - start) * price_of_a_position)) return Search::limit;
    pcre2_set_offset_limit(memory.context_.get(), end);
    const auto match = jit_ ? &pcre2_jit_match : &pcre2_match;  // the first saves checks
    const int found = match(code_.get(), text::pcre2_bytes(text), text.size(), start, 0,
                            memory.data_.get(), memory.context_.get());
    if (found >= 0) return Search::found;
    if (found != PCRE2_ERROR_NOMATCH) return Search::limit;
  }
  return Search::nothing;
}

const Pattern* LazyPattern::get(WorkBudget& budget) const {
  if (!pattern_) {
    if (!budget.spend(source_.size() * price_of_compiling)) return nullptr;
    Result<Pattern, text::Pcre2Error> compiled = Pattern::compile(source_, ignore_case_);
    if (!compiled) return nullptr;
    pattern_ = *std::move(compiled);
  }
  return &*pattern_;
}

}  // namespace retry_exec::rules

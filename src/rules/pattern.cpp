#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/pattern.hpp"

#include "rules/counted.hpp"

#include <boost/system/result.hpp>

#include <pcre2.h>

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

PCRE2_SPTR bytes(std::string_view text) {
  // Older PCRE2 takes no null pointer, not even for an empty text.
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

std::string message_of(int error) {
  std::string text(256, '\0');
  const int length =
      pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text.data()), text.size());
  text.resize(static_cast<std::size_t>(std::max(length, 0)));
  return text;
}

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

void Scratch::Free::operator()(pcre2_match_data* data) const {
  pcre2_match_data_free(data);
}
void Scratch::Free::operator()(pcre2_match_context* context) const {
  pcre2_match_context_free(context);
}
void Scratch::Free::operator()(pcre2_jit_stack* stack) const {
  pcre2_jit_stack_free(stack);
}

Scratch::Scratch()
    : data_(pcre2_match_data_create(group_room, nullptr)),
      context_(pcre2_match_context_create(nullptr)),
      stack_(pcre2_jit_stack_create(std::size_t{32} << 10, jit_stack, nullptr)) {
  pcre2_set_match_limit(context_.get(), match_limit);
  pcre2_set_depth_limit(context_.get(), depth_limit);
  pcre2_set_heap_limit(context_.get(), heap_limit_kib);
  pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
}
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch::~Scratch() = default;

std::pair<std::size_t, std::size_t> Scratch::group(std::size_t number) const {
  if (number >= pcre2_get_ovector_count(data_.get())) return {PCRE2_UNSET, PCRE2_UNSET};
  const PCRE2_SIZE* ovector = pcre2_get_ovector_pointer(data_.get());
  return {ovector[2 * number], ovector[2 * number + 1]};
}

void Pattern::Free::operator()(pcre2_code* code) const {
  pcre2_code_free(code);
}

Result<Pattern, PatternError> Pattern::compile(std::string_view source) {
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANYCRLF);
  constexpr std::uint32_t options = PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                    PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
  const auto compiled = [&](std::string_view text, std::uint32_t all, PatternError* error) {
    int number = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code =
        pcre2_compile(bytes(text), text.size(), all, &number, &offset, context.get());
    if (code == nullptr && error != nullptr) *error = {message_of(number), offset};
    return code;
  };
  const std::string counted =
      source.size() <= longest_pattern ? with_counters(source) : std::string();
  if (pcre2_code* code = counted.empty() ? nullptr : compiled(counted, options, nullptr);
      code != nullptr) {
    return Pattern(code, source.size());
  }
  pcre2_set_max_pattern_length(context.get(), longest_pattern);
  PatternError error;
  pcre2_code* code = compiled(source, options | PCRE2_AUTO_CALLOUT, &error);
  if (code == nullptr) return error;
  return Pattern(code, source.size());
}

Pattern::Pattern(pcre2_code* code, std::size_t length)
    : code_(code), length_(length), refers_back_(number_of(code, PCRE2_INFO_BACKREFMAX) > 0) {}

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

Search Pattern::search(std::string_view text, std::size_t from, Scratch& scratch,
                       WorkBudget& budget, std::size_t last) const {
  last = std::min(last, text.size());
  // What is repeated may run to the end before it is counted.
  if (last == text.size() && !budget.affords(last - from)) return Search::limit;
  if (!prepare_for(last - from, budget)) return Search::limit;
  const std::uint64_t times = jit_ ? 1 : price_of_interpreting;
  // What a group matched may be compared as a whole at each step.
  Meter meter{budget, times * (price_of_a_callout + (refers_back_ ? text.size() / 4 : 0)), from,
              from};
  pcre2_set_callout(scratch.context_.get(), &on_callout, &meter);
  const std::uint64_t price_of_a_position = times + length_ / bytes_of_pattern_at_a_step;
  for (std::size_t start = from; start <= last; start += positions_at_a_time) {
    const std::size_t end = std::min(start + positions_at_a_time - 1, last);
    if (!budget.spend(price_of_a_call + (end - start) * price_of_a_position)) return Search::limit;
    pcre2_set_offset_limit(scratch.context_.get(), end);
    const auto match = jit_ ? &pcre2_jit_match : &pcre2_match;  // the first saves checks
    const int found = match(code_.get(), bytes(text), text.size(), start, 0, scratch.data_.get(),
                            scratch.context_.get());
    if (found >= 0) return Search::found;
    if (found != PCRE2_ERROR_NOMATCH) return Search::limit;
  }
  return Search::nothing;
}

const Pattern* LazyPattern::get(WorkBudget& budget) const {
  if (!pattern_) {
    if (!budget.spend(source_.size() * price_of_compiling)) return nullptr;
    Result<Pattern, PatternError> compiled = Pattern::compile(source_);
    if (!compiled) return nullptr;
    pattern_ = *std::move(compiled);
  }
  return &*pattern_;
}

}  // namespace retry_exec::rules

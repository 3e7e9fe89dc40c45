#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/pattern.hpp"

#include <boost/system/result.hpp>

#include <pcre2.h>

#include <algorithm>
#include <ctime>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_pattern = 8192;
constexpr std::size_t group_room = 64;

// One match may take so many steps; with JIT that is 1.5 ms of `(a+)+$`, without it 14 ms.
constexpr std::uint32_t match_limit = 1'000'000;
constexpr std::uint32_t interpreter_match_limit = 100'000;
constexpr std::uint32_t depth_limit = 10'000;
constexpr std::uint32_t heap_limit_kib = 8192;
constexpr std::size_t jit_stack = std::size_t{512} << 10;

// PCRE2 counts its steps anew for each position that a match may start at, so that a pattern can be
// slow without ever reaching the limit. Between so many positions the budget is looked at.
constexpr std::size_t positions_at_a_time = std::size_t{16} << 10;
constexpr std::size_t price_of_a_call = 64;  // in positions

// Translating a pattern to machine code takes as long as interpreting it over so many bytes.
constexpr std::size_t worth_jit = 4096;

Duration cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

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

std::uint32_t number_of(const pcre2_code* code, std::uint32_t what) {
  std::uint32_t value = 0;
  pcre2_pattern_info(code, what, &value);
  return value;
}

}  // namespace

Budget::Budget(Duration allowed) : end_(cpu_time() + allowed) {}
bool Budget::spent() const {
  return cpu_time() > end_;
}

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
  pcre2_set_max_pattern_length(context.get(), longest_pattern);
  constexpr std::uint32_t options = PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                    PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(bytes(source), source.size(), options, &error, &offset, context.get());
  if (code == nullptr) return PatternError{message_of(error), offset};
  return Pattern(code);
}

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

void Pattern::prepare_for(std::size_t size) const {
  bytes_seen_ += size;
  if (jit_tried_ || bytes_seen_ < worth_jit) return;
  jit_tried_ = true;
  // Some systems refuse; the pattern is then interpreted.
  jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;
}

Search Pattern::search(std::string_view text, std::size_t from, Scratch& scratch,
                       const Budget& budget, std::size_t last) const {
  last = std::min(last, text.size());
  prepare_for(last - from);
  pcre2_set_match_limit(scratch.context_.get(), jit_ ? match_limit : interpreter_match_limit);
  for (std::size_t start = from; start <= last; start += positions_at_a_time) {
    if (scratch.positions_ > positions_at_a_time) {
      scratch.positions_ = 0;
      if (budget.spent()) return Search::limit;
    }
    pcre2_set_offset_limit(scratch.context_.get(), std::min(start + positions_at_a_time - 1, last));
    const auto match = jit_ ? &pcre2_jit_match : &pcre2_match;  // the first saves checks
    const int found = match(code_.get(), bytes(text), text.size(), start, 0, scratch.data_.get(),
                            scratch.context_.get());
    scratch.positions_ += price_of_a_call + (found >= 0 ? scratch.begin() : last) - start;
    if (found >= 0) return Search::found;
    if (found != PCRE2_ERROR_NOMATCH) return Search::limit;
  }
  return Search::nothing;
}

const Pattern* LazyPattern::get() const {
  if (!pattern_) {
    Result<Pattern, PatternError> compiled = Pattern::compile(source_);
    if (!compiled) return nullptr;
    pattern_ = *std::move(compiled);
  }
  return &*pattern_;
}

}  // namespace retry_exec::rules

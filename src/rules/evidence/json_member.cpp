#include "rules/evidence/json_member.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <string>
#include <utility>
#include <vector>

namespace retry_exec::rules {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::string_view blanks = " \t";

std::size_t past_blanks(std::string_view line, std::size_t at) {
  return std::min(line.find_first_not_of(blanks, at), line.size());
}

// Behind the '"' that ends the string which begins at `at`; npos when none does.
std::size_t string_end(std::string_view line, std::size_t at) {
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\') ++at;
  }
  return at < line.size() ? at + 1 : std::string_view::npos;
}

// The name of the member that begins at `at`, and where its value begins; an empty name when none
// does.
struct Name {
  std::string_view text;
  std::size_t value = 0;
};
Name name_at(std::string_view line, std::size_t at) {
  if (at >= line.size() || line[at] != '"') return {};
  const std::size_t end = string_end(line.substr(0, at + longest_name), at);
  if (end == std::string_view::npos) return {};
  const std::size_t colon = past_blanks(line, end);
  if (colon == line.size() || line[colon] != ':') return {};
  return {line.substr(at + 1, end - at - 2), past_blanks(line, colon + 1)};
}

// As servers write it: "error_message", "ErrorMessage" and "error-message" are one name.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '_' && c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return plain;
}

bool speaks_of_failure(std::string_view name) {
  constexpr std::array<std::string_view, 3> words = {"error", "fail", "cause"};
  return name.starts_with("err") ||
         std::any_of(words.begin(), words.end(), [&](std::string_view word) {
           return name.find(word) != std::string_view::npos;
         });
}

// The names under which servers say what is wrong, those first that say most.
constexpr std::array<std::array<std::string_view, 10>, 3> telling_names = {{
    {"message", "msg", "errormessage", "errormsg", "errordescription", "statusmessage",
     "failuremessage", "failurereason", "statusreason", "statereason"},
    {"error", "errors", "err", "reason", "detail", "cause", "stderr", "failure", "failures",
     "summary"},
    {"details", "title", "description", "status", "code", "errorcode"},
}};

std::size_t rank_of(std::string_view name) {
  std::size_t rank = 0;
  while (rank < telling_names.size() &&
         std::find(telling_names[rank].begin(), telling_names[rank].end(), name) ==
             telling_names[rank].end())
    ++rank;
  return name.empty() ? telling_names.size() : rank;
}

// Members of a line, from its first on.
class Members {
 public:
  explicit Members(std::string_view line) : line_(line) {}

  // Of those that tell, the best; of two as good, the last.
  std::string_view telling();

 private:
  // How little a member tells: the least is best.
  struct Price {
    bool of_things = true;  // "title" and "description" belong to whatever is listed
    bool one_word = true;
    bool elsewhere = true;  // than in what failed
    std::size_t rank = telling_names.size();
    auto operator<=>(const Price&) const = default;
  };
  void see_string();
  void see_member(const Name& name);
  void close() {
    if (!within_.empty()) within_.pop_back();
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::vector<bool> within_;  // by open bracket: whether it holds what failed
  bool next_within_ = false;  // of the bracket that is a member's value
  std::string_view best_;
  Price least_;
};

void Members::see_member(const Name& name) {
  const std::string plain = plain_name(name.text);
  const bool failure = speaks_of_failure(plain) || (!within_.empty() && within_.back());
  std::size_t value = name.value;
  next_within_ = failure && value < line_.size() && (line_[value] == '{' || line_[value] == '[');
  if (value < line_.size() && line_[value] == '[') value = past_blanks(line_, value + 1);
  const std::size_t end = value < line_.size() && line_[value] == '"' ? string_end(line_, value)
                                                                      : std::string_view::npos;
  if (end == std::string_view::npos || end - value <= 2) return;
  const std::string_view text = line_.substr(value + 1, end - value - 2);
  const std::size_t rank = rank_of(plain);
  if (rank == telling_names.size()) return;
  const Price price{.of_things = !failure && rank + 1 == telling_names.size(),
                    .one_word = text.find(' ') == std::string_view::npos,
                    .elsewhere = !failure,
                    .rank = rank};
  if (price > least_) return;
  least_ = price;
  best_ = line_.substr(at_, end - at_);
}

// In JSON a string begins behind a sign; elsewhere a quotation mark may stand by itself.
void Members::see_string() {
  const std::size_t before =
      at_ == 0 ? std::string_view::npos : line_.find_last_not_of(blanks, at_ - 1);
  const bool begins = before == std::string_view::npos ||
                      std::string_view("{[,:").find(line_[before]) != std::string_view::npos;
  const std::size_t end = begins ? string_end(line_, at_) : std::string_view::npos;
  if (end == std::string_view::npos) {
    ++at_;
    return;
  }
  if (before == std::string_view::npos || line_[before] != ':') {
    if (const Name name = name_at(line_, at_); !name.text.empty()) see_member(name);
  }
  at_ = end;
}

std::string_view Members::telling() {
  constexpr std::string_view signs = "\"{[]}";
  for (at_ = line_.find_first_of(signs); at_ < line_.size();
       at_ = line_.find_first_of(signs, at_)) {
    switch (line_[at_]) {
      case '"':
        see_string();
        continue;
      case '{':
      case '[':
        within_.push_back(std::exchange(next_within_, false) ||
                          (!within_.empty() && within_.back()));
        break;
      default:
        close();
    }
    ++at_;
  }
  return best_;
}

}  // namespace

bool begins_member(std::string_view line, std::size_t at) {
  const std::size_t before =
      at == 0 ? std::string_view::npos : line.find_last_not_of(blanks, at - 1);
  if (before == std::string_view::npos || (line[before] != '{' && line[before] != ','))
    return false;
  return !name_at(line, at).text.empty();
}

std::string_view telling_member(std::string_view line) {
  return Members(line).telling();
}

std::string_view before_json(std::string_view line) {
  for (std::size_t at = line.find('{'); at != std::string_view::npos; at = line.find('{', at + 1)) {
    if (begins_member(line, past_blanks(line, at + 1)))
      return line.substr(0, line.find_last_not_of("{[ \t", at) + 1);
  }
  return line;
}

}  // namespace retry_exec::rules

#define PCRE2_CODE_UNIT_WIDTH 8

#include "report/secret_patterns.hpp"

#include <pcre2.h>

#include <array>
#include <cassert>
#include <cstdint>

namespace retry_exec {

namespace {

// Each pattern matches the secret alone: \K leaves what stands before it in place, so that a person
// sees which secret it was. None begins with a repetition: a line is read once, not once for each
// of its bytes.
constexpr std::array<const char*, 19> patterns = {
    // --password X, --from-password=X, --identity-token X; not --password-stdin, and not what
    // docker calls --secret id=name.
    R"re((?i)(?<!\S|["'])--?(?:[a-z0-9]{1,20}-){0,3}(?:pass|passwd|password|passphrase|token|secret)re"
    R"re(|api-?key|access-?key|secret-?key|private-?key|creds|credentials?)(?:=|\s+)(?!id=|type=))re"
    R"re(\K(?:"[^"]*"|'[^']*'|\S+))re",
    // The value of any header on a command line: which of them are secret, only the server knows.
    R"re((?<!\S)(?:-H|--(?:from-|to-)?header)[= ]?\s*"[\w-]+:(?!//)\s*\K[^"]+)re",
    R"re((?<!\S)(?:-H|--(?:from-|to-)?header)[= ]?\s*'[\w-]+:(?!//)\s*\K[^']+)re",
    R"re((?<!\S)(?:-H|--(?:from-|to-)?header)[= ]?\s*[\w-]+:(?!//)\s*\K)re"
    R"re((?:(?i:bearer|basic|token)\s+)?[^\s"']+)re",
    // Headers in text.
    R"re((?i)\bauthorization["']?\s*[:=]\s*["']?(?:digest|negotiate|aws4-hmac-sha256)\s\K[^']+)re",
    R"re((?i)\bauthorization["']?\s*[:=]\s*(?!\[redacted\])\[?+["']?+(?:(?:bearer|basic|token)\s+)?+\K)re"
    R"re((?!(?:bearer|basic|digest|negotiate|aws4-hmac-sha256)\b|\[redacted\])[^\s"',;\]]+)re",
    R"re((?i)\b(?:private|job|deploy|auth|access|csrf|security)-(?:token|key)["']?\s*:\s*["']?\K[^\s"',;]+)re",
    R"re((?i)\b(?:set-)?cookie["']?\s*:\s*["']?\K[^"']+)re",
    // "Bearer abc…": what follows must look like a token, not like prose.
    R"re((?i)\b(?:bearer|basic)\s+\K(?=[\w.~+/-]*(?:\d|=|(?-i:[a-z][A-Z])))[\w.~+/-]{8,}=*(?!["=]))re",
    // URLs: user and password, and the query, where presigned addresses carry their signature.
    R"re(://\K[^\s/?#"'<>]+(?=@))re",
    R"re(://[^\s?"'<>]*\?\K[^\s"'<>]+)re",
    R"re((?<=[\w/])\?\K[\w.%-]+=[^\s"'<>]*)re",
    // -u user:password, but not docker's -u uid:gid.
    R"re((?<![^\s"'])(?:-u|--user|--proxy-user)[= ]?\s*["']?(?!\d+:\d+(?!\S))[^\s:"']+:(?!//))re"
    R"re(\K[^\s"']+)re",
    // docker, oras, helm login -p X; elsewhere -p is a port or a path.
    R"re(\blogin\b(?:\s[^\s]{0,200}){0,20}?\s-p(?:=|\s+)?\K(?:"[^"]*"|'[^']*'|[^\s"'=]\S*))re",
    R"re(\bsshpass\s+-p\s*\K\S+)re",
    // password=X in text, "token":"X" in JSON; not "failed to fetch token: EOF".
    R"re((?i)(?:pass|passwd|password|passphrase|secret|token|api[_-]?key|access[_-]?key|credentials?))re"
    R"re(=["']?\K[^\s"',;&)]+)re",
    R"re((?i)"[\w.-]{0,40}?(?:passwd|password|passphrase|secret|token|auth|api[_-]?key|access[_-]?key)")re"
    R"re(\s*:\s*"\K[^"]+)re",
    // Tokens that can be told by their shape.
    R"re(\b(?:gh[pousr]_\w{16,}|github_pat_\w{20,}|gl[a-z]{1,5}-[\w-]{18,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,})re"
    R"re(|(?:AKIA|ASIA)[A-Z0-9]{16}\b|npm_\w{30,}|pypi-Ag[\w-]{16,}|dckr_[po]at_[\w-]{16,}|hf_[A-Za-z]{30,})re"
    R"re(|AIza[\w-]{35}|ya29\.[\w-]{16,}|hv[sb]\.[\w-]{20,}|dop_v1_\w{32,}|sk-[\w-]{32,}|[sr]k_live_\w{16,})re"
    R"re(|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}))re",
    R"re(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----\K.*?(?=-----END|$))re",
};

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

Code compiled(const char* pattern) {
  int error = 0;
  PCRE2_SIZE where = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED, 0,
                                   &error, &where, nullptr);
  assert(code != nullptr);
  return Code(code);
}

}  // namespace

struct SecretPatterns::Compiled {
  std::array<Code, patterns.size()> codes;
  std::unique_ptr<pcre2_match_data, FreeMatch> match{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};

  // Replaces what `code` finds; false when a limit was reached.
  bool replace_all(const pcre2_code* code, std::string& text) const {
    std::string result;
    std::size_t done = 0;
    while (done < text.size()) {
      const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                    done, PCRE2_NOTEMPTY, match.get(), context.get());
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) return false;
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
      result.append(text, done, range[0] - done).append(redacted);
      done = range[1];
    }
    if (done == 0) return true;
    text = result.append(text, done);
    return true;
  }
};

SecretPatterns::SecretPatterns() : compiled_(std::make_unique<Compiled>()) {
  for (std::size_t i = 0; i < patterns.size(); ++i) compiled_->codes[i] = compiled(patterns[i]);
  pcre2_set_match_limit(compiled_->context.get(), 200'000);
  pcre2_set_depth_limit(compiled_->context.get(), 20'000);
}

SecretPatterns::~SecretPatterns() = default;

std::optional<std::string> SecretPatterns::without_secrets(std::string text) const {
  for (const Code& code : compiled_->codes) {
    if (!compiled_->replace_all(code.get(), text)) return std::nullopt;
  }
  return text;
}

}  // namespace retry_exec

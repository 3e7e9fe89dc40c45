#include "redact/secret_patterns.hpp"

#include "text/pcre2.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace retry_exec::redact {

namespace {

// What several patterns have in common; each is written {so} there. White space means nothing.
struct Piece {
  std::string_view name;
  std::string_view pattern;
};
constexpr std::array pieces = {
    // Where one option or name may begin.
    Piece{"{start}", R"re((?<![^\s"'`(\[{,;=]))re"},

    // What the name of a secret ends with: db_password, clientSecret, X-Api-Key; not PWD=/work.
    Piece{"{named}", R"re((?:
          pass(?:word|wd|[_-]?phrase|code) | sshpass | client-key-data | pwd(?!\s*[:=]\s*["']?[~/]) | (?<!unexpected\s)token
        | secret | credentials? | jwt
        | (?:api|access|account|auth|deploy|encryption|master|private|secret|shared|signing|ssh
          |recovery|session|unseal) [ _-]?key(?:\s\d)?+ | secret_?string | (?<![a-z])psk))re"},

    // A value that is the name of a file stays: errors are about the file.
    Piece{"{not a file}", R"re((?!
          ["']?
          (?: (?:~|\.{1,2})?/[\w./@+-]*\.[a-z0-9]{1,8}
            | [\w-]{1,60}\.(?:json|pem|key|txt|ya?ml|cfg|conf|crt|p12|env) )
          (?:[\s"',;:)]|$)))re"},

    // An argument: in quotes, in quotes inside a quoted text, or without.
    Piece{"{argument}", R"re((?:
          (?: "(?:[^"\\]|\\.)*+" | '[^']*+' | (\\+)"(?:(?!\g{-1}").)*+\g{-1}" )[^\s"',;)\]}]*
        | \[redacted\] | \S+))re"},

    // A quoted value, also one inside a quoted text: {\"password\":\"X\"}.
    Piece{"{quoted}", R"re((\\*)(["'])\K(?:(?!(?<!\\)\g{-2}\g{-1}).)++)re"},

    // A value without quotes. A password may hold what separates values, so that only ends it where
    // nothing or a new name follows.
    Piece{"{bare}", R"re((?:
          \[redacted\]
        | [^\s"',;&)\]}] | ["',;&)\]}](?![\s"',;&)\]}\\]|$|[\w.-]{0,40}[:=]))++)re"},

    // Not what an error says after a colon, as in "failed to fetch token: EOF": one of these words,
    // a status, something with a colon of its own, a digest, an address.
    Piece{"{not prose}", R"re((?!
          (?: <?nil>? | null | none | undefined | true | false | yes | no | eof | empty | missing
            | required | invalid\w* | incorrect | wrong | bad | malformed | denied | refused
            | rejected | revoked | expired | forbidden | un[a-z]+ed | unknown | unavailable
            | fail\w* | error | time-?(?:d-?)?out | cancell?ed | aborted | closed | mismatch | ok
            | open | read | stat | not | hidden | optional | disabled | enabled )(?![\w-])
        | \d{3}(?![\w-]) | \S*:(?!\S) | sha\d+: | \w+://))re"},

    // What follows a value in a line of several. Before a colon it may just as well be an error.
    Piece{"{next name}", R"re((?:
          [\w.-]{1,40}(?:\s?=|:[^\s:/])
        | [\w.-]{0,20}?(?:user|name|host|port|url|server|registry|e-?mail|database|db|type|scope
            |account|region|secret|token|key|id)\s?:(?:\s|$)))re"},

    // What stands where there is no secret.
    Piece{"{nothing}", R"re((?:none|null|nil|undefined|missing|required|failed|invalid|expired|true
          |false|yes|no|header)(?![\w-]))re"},

    // Where an address ends, but for the punctuation of a sentence.
    Piece{"{end of address}", R"re([^\s"'<>:.,;)\]}])re"},

    // Authentication schemes: with a secret of one word, and with a list of parameters.
    Piece{"{scheme}", R"re((?:bearer|basic|token|jwt|oauth|api-?key|bot|splunk|ssws
          |sharedkey(?:lite)?))re"},
    Piece{"{listing scheme}", R"re((?:digest|negotiate|ntlm|hawk|signature|aws4-hmac-sha256))re"},
};

// Each pattern matches the secret alone: \K leaves what stands before it in place, so that a person
// sees which secret it was. None begins with a repetition, unless only the start of a word can be
// its start: a line is read once, not once for each of its bytes.
constexpr std::array patterns = {
    // ---- headers in text ----

    // Authorization: X, "Authorization": ["Bearer X"], map[Authorization:[Bearer X]]
    R"re((?i)\bauthorization\\*["']?\s*(?:=>|:|=(?!>))\s*\\*["']?{listing scheme}\s \K[^']+)re",
    R"re((?i)(?<!require\s)\bauthorization\\*["']?\s*(?:=>|:|=(?!>))\s*(?!\[redacted\])\[?+\\*+["']?+(?:{scheme}\s+)?+
         \K(?!(?:{scheme}|{listing scheme}|{nothing})\b|\[redacted\])[^\s"',;\]\\]+)re",
    // The authorization header "Bearer X", but not "authorization: bearer token missing".
    R"re((?i)\bauthorization\b[^\w]{0,4}(?:header\b[^\w]{1,4})?(?:bearer|basic)\s+
         \K(?!(?:realm|token|auth\w*|scheme|header|credentials?|is|was|not|required|missing|error
         |failed)\b|\[redacted\])[^\s"',;\]\\]+)re",
    // X-Api-Key: X, Private-Token: X, "X-Vault-Token": ["X"]
    R"re((?i)\b
         (?: x-[\w-]{0,40}?(?:key|token|secret|password|signature|auth|credentials?)
           | (?:private|job|deploy|auth|access|csrf|security|api|subscription)-(?:token|key) )
         \\*["']?\s*(?:=>|:)\s*(?:\[(?!redacted)\s*)?+\\*["']?
         (?:(?:bearer|basic)\s+)?+ \K{bare})re",
    R"re((?i)\b(?:set-)?cookie["']?\s*:\s*+["']?+ \K(?!{nothing}\b)[^"']+)re",
    // Bearer X anywhere, when it looks like a token or is longer than words are.
    R"re((?i)\b(?:bearer|basic)\s+
         \K(?=[\w.~+/-]*(?:\d|=|(?-i:[a-z][A-Z]))|[a-z]{20})[\w.~+/-]{8,}=*(?!["=]))re",

    // ---- addresses ----

    // User and password, first with a password that should have been escaped. Not a port,
    // https://localhost:4873/@scope/name, and not what an image's @sha256: follows.
    R"re(://\K[^\s/?\#@:"'<>[]{1,200}+:(?!\d{1,5}(?:[/?\#]|$))[^\s"'<>]{1,500}
         (?<!/)(?=@(?!sha\d)))re",
    R"re(://\K[^\s/?\#"'<>]+(?=@))re",
    // user:X@host without a scheme: a host with a dot or a port, or a Go driver's tcp(…). Not an
    // image's name:tag@sha256:…, not mailto:me@example.org, not npm:name@1.2.3.
    R"re((?i){start}
         (?!(?:mailto|e-?mail|from|to|cc|acct|sips?|xmpp|author|by|error|npm|file):)
         [a-z_][\w.+-]{0,63}+:(?!//|git@) \K[^\s"'<>]{1,200}
         (?=@(?: (?:[a-z0-9][a-z0-9-]{0,62}+\.){1,8}[a-z]{2,24}\b | localhost\b
               | \d{1,3}(?:\.\d{1,3}){3}\b | \[[0-9a-f:]+\] | (?:tcp|unix)\(
               | (?!sha\d)[a-z][\w.-]{0,62}+:\d{1,5}\b )))re",
    // :pserver:me:X@host, jdbc:oracle:thin:me/X@//host
    R"re((?:^|[:\s"'d]):(?:pserver|kserver|ext):[^\s:@/]{1,64}:\K[^\s@]+(?=@))re",
    R"re((?i)\bjdbc:oracle:\w+:[^\s/@]{1,64}/\K[^\s@]+(?=@))re",
    // The query, where presigned addresses carry their signature.
    R"re(://[^\s?"'<>]*\?\K(?!\[redacted\])[^\s"'<>]*{end of address})re",
    R"re((?<=[\w/])\?\K(?=[\w.%-]+=)[^\s"'<>]*{end of address})re",
    // Webhooks, whose path is the secret: hooks.slack.com, discord, office, mattermost, telegram.
    R"re(://hooks\.[\w.-]+/(?:[\w-]+/)?+\K(?!\[redacted\])[^\s"'<>]*{end of address})re",
    R"re(://[^\s"'<>]{1,200}?/(?:(?:incoming-?)?webhooks?(?:b2)?|hooks)/
         \K(?=[^\s"'<>]*?(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[\w.-]{8})[^\s"'<>]*{end of address})re",
    R"re(://api\.telegram\.org/bot\K[^\s/"'<>]+)re",

    // ---- names and values ----

    // password=X, password="two X", SIGNING_KEY=X; not pass=3 in a count of tests.
    R"re((?i)
         (?: {named} | (?<![a-z])bearer | sess(?:ion)?_?id | assertion | (?<=_)pw | cookie | webhook(?:_url)? | (?<=_)pat
           | (?<=[_-])pass | (?<![a-z_-])pass(?!=\d{1,5}(?![^\s,;)]))
           | (?-i:(?<!PUBLIC)(?<!PUB)(?<!CACHE)_KEY(?:_BASE64|_B64|_PEM)?) )
         =(?!=|id=|type=|{nothing}){not a file} (?:{quoted}|["']?+\K{bare}))re",
    // "password":"X" in JSON, 'password': 'X' in Python, both also inside a quoted text.
    R"re((?i)(["'])[\w.-]{0,40}?(?:{named}|(?<![a-z])(?:auth|pass|pw|bearer))\\*\g{-1}
         \s*(?:=>|:|=(?!>))\s*(?:\[(?!redacted)\s*)?+
         (?:{quoted}|(?!null|true|false|none|nil|[[{"'\\])\K[^\s,}\]]+(?=\s*[,}\]]|$)))re",
    // {"name": "API_TOKEN", "value": "X"}, <add key="Password" value="X"/>
    R"re((?i)\b(?:name|key)\\*["']?\s*[:=]\s*\\*["'][\w.-]{0,60}?(?:{named}|_pw|_pass|_auth|_key)
         \w{0,20}\\*["']\s*,?\s*\\*["']?value\\*["']?\s*[:=]\s*{quoted})re",
    // os.environ['API_TOKEN'] = 'X'
    R"re((?i)\[\\*["'][\w.-]{0,60}?(?:{named}|_pw|_pass|_auth|_key)\w{0,20}\\*["']\]\s*={1}(?!=)\s*{quoted})re",
    // <property name="password">X</property>, <input type="password" value="X">
    R"re((?i)<\w+\s[^<>]{0,100}?(?:name|key)=\\*["'][\w.:-]{0,60}?{named}\\*["'][^<>]{0,100}>\s*+(?!\[redacted)
         \K[^<>\s][^<>]*(?=<))re",
    R"re((?i)<input\s[^<>]{0,200}?type=\\*["']password\\*["'][^<>]{0,200}?value={quoted})re",
    // password: X and password = X in configurations and errors: a value that is in quotes, has
    // letters and digits, or stands alone. Else it is the first word of a sentence.
    R"re((?i)(?<![\w./-])[\w.-]{0,40}?(?:{named}|[_-]pass|[_-]auth)(?:\s(?:provided|is))?
         \s*(?:=(?![=~]|id=|type=)>?|:(?!:))\s*(?:!!?\w*\s+)?+{not a file}
         (?: {quoted}
           | {not prose}\K(?:
               (?=\S{6})(?=[^\s\d]*\d)(?=[^\sa-z]*[a-z]){bare}
             | {bare}(?=[\s"',;)}\]]*$|[,;)}\]]|\s+{next name}) )))re",
    // child.sendline('X'), as pexpect is told, where X is not a word.
    R"re(\bsendline\(\s*[brf]{0,2}(?=["']?[^\s"'\d]*\d)(?=["']?[^\s"'(){}]{6,}["']){quoted})re",
    // The password "X" is wrong; not the secret "X", which is a name in Kubernetes.
    R"re((?i)\bpass(?:word|wd|phrase)\s+(?:is\s+)?{quoted})re",
    // password X of .netrc and of tables, where X is not a word.
    R"re((?i)\b(?:pass(?:word|wd|phrase)|requirepass)\s+(?:is\s+)?
         \K(?=[^\s/:]*\d)(?=[^\s/:]*[a-z])(?!sha\d|md5|v\d)[^\s/:"',;]{6,}(?=[\s"',;.)]|$))re",
    // The token "X", an api key X: where X is long and not a word.
    R"re((?i)(?<!unexpected\s)\b(?:token|api[ _-]?key)\s+(?:is\s+)?["'`]?
         \K(?=[^\s"'`]*\d)(?=[^\s"'`]*[a-z])(?!sha\d)[\w+/=~-]{12,}(?=["'`\s.,;)]|$))re",
    R"re((?i)\b(?:machine\s\S+|default)\s+(?:login|account)\s\S+\s+password\s+\K\S+)re",
    R"re((?i)\bpassword\s+(?:is\s+generated\s+)?for\s+[^\s:]{1,80}:(?!//)\s*{not prose}\K{bare}(?=\s*$))re",
    // SQL, and what redis shows of its clients.
    R"re((?i)\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?{quoted})re",
    R"re((?i)\bset\s+password\b[^=\n]{0,80}=\s*{quoted})re",
    R"re((?i)"auth"\s+"\K[^"]+)re",
    // <password>X</password>, but not the <password> of a usage.
    R"re((?i)<[\w:.-]{0,40}?{named}(?:\s[^<>]{0,200})?>\s*+(?:<!\[CDATA\[)?
         (?!\[redacted) \K(?:[^<\]]+(?=[<\]])|[^<\s]++$))re",

    // ---- what can be told by its shape ----

    R"re(\b(?:gh[pousr]_\w{16,}|github_pat_\w{20,}|gl[a-z]{1,5}-[\w-]{18,}|xox[a-z]-[\w-]{10,}
         |xapp-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|npm_\w{30,}|pypi-Ag[\w-]{16,}
         |dckr_[po]at_[\w-]{16,}|hf_[A-Za-z]{30,}|AIza[\w-]{35}|ya29\.[\w-]{16,}|hv[sb]\.[\w-]{20,}
         |dop_v1_\w{32,}|sk-[\w-]{32,}|[sr]k_(?:live|test)_\w{16,}|SG\.[\w-]{16,}\.[\w-]{16,}
         |rubygems_\w{32,}|shp(?:at|ss|ca|pa)_\w{16,}|glsa_\w{24,}|tskey-[\w-]{16,}|dapi[0-9a-f]{32}
         |pul-[0-9a-f]{40}|AGE-SECRET-KEY-1\w{32,}|sntrys_\w{16,}|whsec_\w{16,}|sbp_\w{32,}
         |nvapi-[\w-]{32,}|gsk_\w{32,}|lin_api_\w{16,}|figd_[\w-]{16,}|PMAK-[\w-]{24,}|ATATT3[\w=-]{24,}
         |eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}))re",
};

// What goes over several lines, where the text has any.
constexpr std::array across_lines = {
    // An armour line that base64 follows, not one that a text only speaks of.
    R"re((?s)-----BEGIN[ ][A-Z ]{0,30}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----
         \K(?=(?:\s|\\+[nrt]|["'+,])*
            (?: (?:Proc-Type|DEK-Info):[ ]?\S+(?:\s|\\+[nrt])+
              | (?:Version|Comment|Hash|Charset):[ ][^\n\\]{0,80}?(?:\s|\\+[nrt])+)*+
            (?: M(?:II|IG|IH|IE|C4|Hc|HQ|HU|Dc|FM|FE|EE) | b3B | [lx][A-Z0-9][A-Za-z0-9+/]{2}
              | [A-Za-z0-9+/]{20}))
         (?: .{1,20000}?(?=-----END)
           | (?:(?:\s|\\+[nrt])*[A-Z][A-Za-z-]{2,20}:[ ]?[^\s\\]+)*
             (?:\s|\\+[nrt]|["'+,])*+[A-Za-z0-9+/]+=*
             (?:(?:\s|\\+[nrt]|["'+,])++(?:[A-Za-z0-9+/]{40,}=*|(?=[A-Za-z0-9+/]*+=)[A-Za-z0-9+/]+=+))*
             (?:(?:\s|\\+[nrt])++(?=[A-Za-z0-9+/]*(?:[a-z][A-Z]|[A-Za-z]\d|\d[A-Za-z]))
                [A-Za-z0-9+/]{8,}+(?![\w.:-]))? ))re",
    // The inside of one whose first line was cut off, with its last line, which is shorter; no
    // hexadecimal digits, no path.
    R"re((?<!\S)(?=[a-z0-9+/]{0,75}[A-Z])(?=[A-Z0-9+/]{0,75}[a-z])(?=[A-Za-z+/]{0,75}\d)
         (?=[0-9a-fA-F+/]{0,75}[g-zG-Z])(?!/\w+/\w+/)[A-Za-z0-9+/]{60,76}={0,2}(?:\s+[A-Za-z0-9+/]{60,76}(?=\s|$))*
         (?:\s+(?=[A-Za-z+/]{0,75}[\d=])[A-Za-z0-9+/]{2,76}={0,2}(?=\s|$))?+(?!\S))re",
    // docker login --password-stdin <<EOF
    R"re((?s)(?:stdin|with-token)\b[^\n]{0,200}?(?<!<)<<(?!<)-?\s*(\\*["']?)(\w{1,30})\g{-2}
         \K(?:.{1,1000}?(?=\s\g{-1}(?:\s|$)|\z)|[^\n]{0,200}\n[^\n]++))re",
};

// Secrets that a line above them names: on one line, nothing shows where they end.
constexpr std::array below_names = {
    // password: | of YAML, also behind a word of ours, and the lines below that are indented
    // deeper.
    R"re((?im)(?|^([^\S\n]*+)|(?<=:[ ])())(?:-[^\S\n]+)?["']?[\w.-]{0,40}?{named}["']?[^\S\n]*:[^\S\n]*(?:!!?\w*[^\S\n]+)?
         [|>][-+\d]{0,2}[^\S\n]*(?:\#[^\n]*)?\n
         \K(?:[^\S\n]*\n)*+\g{1}[^\S\n]+\S[^\n]*(?:\n(?:[^\S\n]*\n)*+\g{1}[^\S\n]+\S[^\n]*){0,400}+)re",
    // The value on the next line: in quotes, or indented and alone there.
    R"re((?i){named}\\*["']?[^\S\n]*(?:=>|[:=])[^\S\n]*\n\s*{quoted})re",
    R"re((?im)(?:^[^\S\n]*+|(?<=:[ ]))(?:-[^\S\n]+)?["']?[\w.-]{0,40}?{named}["']?[^\S\n]*[:=][^\S\n]*\n[^\S\n]+{not a file}
         {not prose}\K[^\s"'{}[\]]{3,}(?=,?[^\S\n]*$))re",
    R"re((?i)\bauthorization\\*["']?[^\S\n]*[:=][^\S\n]*["']?
         (?:{scheme}[^\S\n]*\n\s*|\n[^\S\n]+(?:{scheme}[^\S\n]+)?+){not prose}\K[^\s"',;\\]{3,})re",
    // token = """X""" of TOML and Python
    R"re((?is){named}["']?\s*[:=]\s*[rbuf]{0,2}("""|''')
         \K(?:.{1,20000}?(?=\g{1})|.+))re",
};

// `pattern` with the pieces in their places; a piece has none of its own.
std::string expanded(std::string pattern) {
  for (const Piece& piece : pieces) {
    for (std::size_t at = pattern.find(piece.name); at != std::string::npos;
         at = pattern.find(piece.name, at + piece.pattern.size())) {
      pattern.replace(at, piece.name.size(), piece.pattern);
    }
  }
  return pattern;
}

using Code = text::Pcre2<pcre2_code>;

Code compiled(const std::string& pattern) {
  text::Pcre2Error error;
  Code code = text::compile(pattern, PCRE2_EXTENDED, nullptr, error);
  assert(code != nullptr);
  return code;
}

// Where the mark begins that `at` stands inside; `at` itself where there is none.
std::size_t mark_around(std::string_view text, std::size_t at) {
  for (std::size_t begin = at - std::min(at, redacted.size() - 1); begin < at; ++begin) {
    if (text.substr(begin).starts_with(redacted)) return begin;
  }
  return at;
}

// `text` as it is replaced: a line by a line.
std::string in_place_of(std::string_view text) {
  if (text.find('\n') == std::string_view::npos) return std::string(redacted);
  std::string lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines += redacted;
    if (end < text.size()) lines += '\n';
    at = end + 1;
  }
  return lines;
}

}  // namespace

void take_whole_marks(std::string_view text, std::size_t& begin, std::size_t& end) {
  begin = mark_around(text, begin);
  if (const std::size_t mark = mark_around(text, end); mark != end) end = mark + redacted.size();
}

struct SecretPatterns::Compiled {
  std::array<Code, patterns.size()> codes;
  std::array<Code, across_lines.size()> across;
  std::array<Code, below_names.size()> below;
  text::Pcre2<pcre2_match_data> match{pcre2_match_data_create(1, nullptr)};
  text::Pcre2<pcre2_match_context> context{pcre2_match_context_create(nullptr)};

  // Replaces what `code` finds; false when a limit was reached.
  bool replace_all(const pcre2_code* code, std::string& text, const Found& tell) const {
    std::string result;
    std::size_t done = 0;
    while (done < text.size()) {
      const int found = pcre2_match(code, text::pcre2_bytes(text), text.size(), done,
                                    PCRE2_NOTEMPTY, match.get(), context.get());
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) return false;
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
      std::size_t begin = range[0];
      std::size_t end = range[1];
      const std::string_view whole = text;
      if (tell) tell(whole.substr(0, begin), whole.substr(begin, end - begin));
      take_whole_marks(text, begin, end);
      result.append(text, done, begin - done);
      result += in_place_of(whole.substr(begin, end - begin));
      done = end;
    }
    if (done == 0) return true;
    text = result.append(text, done);
    return true;
  }
};

SecretPatterns::SecretPatterns() : compiled_(std::make_unique<Compiled>()) {
  for (std::size_t i = 0; i < patterns.size(); ++i)
    compiled_->codes[i] = compiled(expanded(patterns[i]));
  for (std::size_t i = 0; i < across_lines.size(); ++i)
    compiled_->across[i] = compiled(expanded(across_lines[i]));
  for (std::size_t i = 0; i < below_names.size(); ++i)
    compiled_->below[i] = compiled(expanded(below_names[i]));
  pcre2_set_match_limit(compiled_->context.get(), 200'000);
  pcre2_set_depth_limit(compiled_->context.get(), 20'000);
}

SecretPatterns::~SecretPatterns() = default;

bool SecretPatterns::take_out_of(std::string& text, const Found& found) const {
  return std::all_of(compiled_->codes.begin(), compiled_->codes.end(), [&](const Code& code) {
    return compiled_->replace_all(code.get(), text, found);
  });
}

bool SecretPatterns::take_out_below_names(std::string& text, const Found& found) const {
  const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (!has("\n") && !has("\"\"\"") && !has("'''")) return true;
  return std::all_of(compiled_->below.begin(), compiled_->below.end(), [&](const Code& code) {
    return compiled_->replace_all(code.get(), text, found);
  });
}

bool SecretPatterns::take_out_of_lines(std::string& text, const Found& found) const {
  return take_out_below_names(text, found) &&
         std::all_of(compiled_->across.begin(), compiled_->across.end(), [&](const Code& code) {
           return compiled_->replace_all(code.get(), text, found);
         });
}

}  // namespace retry_exec::redact

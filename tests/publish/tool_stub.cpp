// oras without registries, for runs of a thousand targets: linked as `oras`, it says what oras 1.3
// says and keeps tags and indexes as files in $STUB_STATE. Each command takes $STUB_DELAY ms.
// With $TIMED_ORAS (and linked as `soci`: $TIMED_SOCI) it runs that tool instead.
// In both cases each command leaves a line in $STUB_LOG: start, end (ns, CLOCK_MONOTONIC), words.
#include "sha256.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Words = std::vector<std::string>;

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

long long now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void log(long long started, const Words& words) {
  std::string line = std::to_string(started) + ' ' + std::to_string(now());
  for (const std::string& word : words) line += ' ' + word;
  line += '\n';
  const int fd = ::open(variable("STUB_LOG").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0) return;
  [[maybe_unused]] const auto n = ::write(fd, line.data(), line.size());
  ::close(fd);
}

// ---- state ---------------------------------------------------------------------------------

std::string file_of(std::string reference) {
  for (char& c : reference) {
    if (c == '/') c = '_';
  }
  return variable("STUB_STATE") + '/' + reference;
}

void remember(const std::string& reference, const std::string& text) {
  const std::string file = file_of(reference);
  const std::string part = file + '.' + std::to_string(::getpid());
  if (FILE* out = std::fopen(part.c_str(), "w")) {
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
    std::rename(part.c_str(), file.c_str());
  }
}

std::string recall(const std::string& reference) {
  char text[4096];
  FILE* in = std::fopen(file_of(reference).c_str(), "r");
  if (in == nullptr) return {};
  const std::size_t n = std::fread(text, 1, sizeof text, in);
  std::fclose(in);
  return {text, n};
}

std::string digest_in(const std::string& reference) {
  const auto at = reference.find('@');
  return at == std::string::npos ? recall(reference) : reference.substr(at + 1);
}

// ---- what it says --------------------------------------------------------------------------

constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

std::string descriptor_of(const std::string& digest, const std::string& platform) {
  const std::string index = recall(digest);
  const bool is_index = !index.empty();
  return "{\"mediaType\":\"" + std::string(is_index ? index_type : manifest_type) +
         "\",\"digest\":\"" + digest +
         "\",\"size\":" + std::to_string(is_index ? index.size() : 500) + platform + '}';
}

// An image's digest says what it runs on.
std::string architecture_of(const std::string& digest) {
  return digest.back() % 2 == 0 ? "amd64" : "arm64";
}

int not_found(const std::string& reference) {
  std::fprintf(stderr, "Error response from registry: failed to find \"%s\": %s: not found\n",
               reference.c_str(), reference.c_str());
  return 1;
}

// "REPOSITORY:TAG,TAG…" puts one manifest at several tags.
std::vector<std::string> each_tag(const std::string& reference) {
  const std::size_t colon = reference.rfind(':');
  std::vector<std::string> tagged;
  for (std::size_t begin = colon + 1; begin <= reference.size();) {
    const std::size_t end = std::min(reference.find(',', begin), reference.size());
    tagged.push_back(reference.substr(0, colon + 1) + reference.substr(begin, end - begin));
    begin = end + 1;
  }
  return tagged;
}

int push(const Words& operands) {
  std::string json;
  char text[4096];
  FILE* in = std::fopen(operands.at(1).c_str(), "r");
  if (in == nullptr) return not_found(operands[1]);
  for (std::size_t n = 0; (n = std::fread(text, 1, sizeof text, in)) > 0;) json.append(text, n);
  std::fclose(in);
  const std::string digest = test::digest_of(json);
  remember(digest, json);
  if (operands[0].find('@') == std::string::npos) {
    for (const std::string& tagged : each_tag(operands[0])) remember(tagged, digest);
  }
  std::printf("%s", descriptor_of(digest, "").c_str());
  return 0;
}

// The first operand is a repository, the others are names in it.
int describe(const Words& operands) {
  std::string index = "{\"schemaVersion\":2,\"manifests\":[";
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const bool by_digest = operands[i].starts_with("sha256:");
    const std::string digest = by_digest ? operands[i] : recall(operands[0] + ":" + operands[i]);
    if (digest.empty()) return not_found(operands[i]);
    index += (i > 1 ? "," : "") +
             descriptor_of(digest, ",\"platform\":{\"architecture\":\"" + architecture_of(digest) +
                                       "\",\"os\":\"linux\"}");
  }
  std::printf("%s]}", index.c_str());
  return 0;
}

int copy(const Words& operands) {
  const std::string digest = digest_in(operands.at(0));
  if (digest.empty()) return not_found(operands[0]);
  if (operands.at(1).find('@') == std::string::npos) remember(operands[1], digest);
  std::printf("Copied [registry] %s => [registry] %s\nDigest: %s\n", operands[0].c_str(),
              operands[1].c_str(), digest.c_str());
  return 0;
}

int be_oras(const Words& words) {
  Words commands;
  Words operands;
  bool descriptor = false;
  bool value = false;
  for (const std::string& word : words) {
    if (word == "--descriptor") descriptor = true;
    const bool of_option = std::exchange(
        value, word == "--media-type" || word == "--concurrency" || word == "--output");
    if (of_option || word.starts_with("--")) continue;
    const bool names_something = word.find_first_of("/@:") != std::string::npos;
    (names_something ? operands : commands).push_back(word);
  }
  const std::string& last = commands.back();
  if (last == "version") return std::printf("Version:        1.3.6\n"), 0;
  if (last == "push") return push(operands);
  if (last == "create") return describe(operands);
  if (last == "cp") return copy(operands);
  const std::string digest = digest_in(operands.at(0));
  if (digest.empty()) return not_found(operands[0]);
  if (last == "fetch-config") {
    std::printf("{\"architecture\":\"%s\",\"os\":\"linux\"}", architecture_of(digest).c_str());
  } else {
    const std::string index = recall(digest);
    std::printf("%s",
                descriptor || index.empty() ? descriptor_of(digest, "").c_str() : index.c_str());
  }
  return 0;
}

int run_timed(const std::string& tool, char** argv) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(tool.c_str(), argv);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  const long long started = now();
  const std::string name = argv[0];
  const bool soci = name.ends_with("soci");
  const Words words(argv + 1, argv + argc);
  const std::string tool = variable(soci ? "TIMED_SOCI" : "TIMED_ORAS");
  int code = 0;
  if (!tool.empty()) {
    code = run_timed(tool, argv);
  } else {
    if (const std::string delay = variable("STUB_DELAY"); !delay.empty()) {
      ::usleep(static_cast<useconds_t>(std::stoi(delay) * 1000));
    }
    code = be_oras(words);
  }
  log(started, words);
  return code;
}

// What goes into a pipe at once, so that nobody else's output comes between.
#include "process/output/sink.hpp"

#include "catch_shim.hpp"
#include "process/output/pump.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <string>
#include <string_view>

using namespace retry_exec;

namespace {

struct Pipe {
  UniqueFd source;
  UniqueFd target;
};

Pipe make_pipe(int size) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, size) >= size);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string line_of(std::size_t size) {
  return std::string(size - 1, 'x') + '\n';
}

// How much of `text` is written at once.
std::size_t written_at_once(const std::string& text) {
  const Pipe pipe = make_pipe(1 << 20);
  boost::asio::io_context context;
  Sink sink(context, pipe.target.get());
  std::string_view bytes = text;
  REQUIRE(sink.write_some(bytes) == Sink::Result::wrote);
  return text.size() - bytes.size();
}

// All that lies in the pipe.
std::string taken_from(const Pipe& pipe) {
  std::string text;
  std::array<char, PIPE_BUF> buffer{};
  for (ssize_t got = 0; (got = ::read(pipe.source.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

TEST_CASE("into a pipe go whole lines, as many as it keeps together", "[stream]") {
  constexpr std::size_t most = PIPE_BUF;
  const std::string more = line_of(most);
  CHECK(written_at_once(line_of(10) + line_of(most - 10) + more) == most);
  CHECK(written_at_once(line_of(10) + line_of(most - 11) + more) == most - 1);
  CHECK(written_at_once(line_of(10) + line_of(most - 9) + more) == 10);
  CHECK(written_at_once(line_of(10) + std::string(most, 'x')) == 10);
}

TEST_CASE("a line that no pipe keeps whole goes as far as it goes", "[stream]") {
  constexpr std::size_t most = PIPE_BUF;
  CHECK(written_at_once(line_of(most + 1) + line_of(10)) == most + 1);
  CHECK(written_at_once(line_of(2 * most) + line_of(10)) == 2 * most);
  CHECK(written_at_once(std::string(2 * most, 'x')) == 2 * most);
}

TEST_CASE("no line is torn where a flood of them begins to be moved without a copy", "[stream]") {
  const Pipe command = make_pipe(1 << 16);
  // Room for one write: what the reader finds has gone in at once, or fitted behind that.
  const Pipe reader = make_pipe(PIPE_BUF);
  boost::asio::io_context context;
  Sink sink(context, reader.target.get());
  Pump pump(context, UniqueFd(::fcntl(command.source.get(), F_DUPFD_CLOEXEC, 0)),
            {.sink = &sink, .held = nullptr}, std::size_t{1} << 20,
            {.bytes = {}, .activity = {}, .ended = [] {}});
  pump.start();
  std::size_t torn = 0;
  for (std::size_t passed = 0; passed < std::size_t{4} << 20;) {
    // As long as the pipe has its first size, lines that fill its pages make reads that fill the
    // buffer; behind that, lines that do not make reads that end within one.
    const bool is_large = ::fcntl(command.target.get(), F_GETPIPE_SZ) >= 1 << 20;
    const std::string line = line_of(is_large ? 100 : 128);
    while (::write(command.target.get(), line.data(), line.size()) > 0) continue;
    context.restart();
    REQUIRE(context.run_one_for(std::chrono::seconds(20)) == 1);
    const std::string taken = taken_from(reader);
    passed += taken.size();
    torn += taken.empty() || taken.ends_with('\n') ? 0 : 1;
  }
  CHECK(torn == 0);
  pump.close();
}

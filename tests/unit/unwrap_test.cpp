// Which line breaks a tool put into a text for want of room, and which it meant.
#include "catch_shim.hpp"
#include "rules/evidence/evidence.hpp"

using namespace retry_exec::rules;

namespace {

// A line of 72 columns, behind which a longer word finds no room.
const std::string full_line =
    "pushing the image to its registry, layer by layer, and one of them gives";

std::string unwrapped(const std::string& next) {
  std::string text = full_line + "\n" + next + "\nthe end\n";
  unwrap(text);
  return text;
}

}  // namespace

TEST_CASE("A line that a tool broke at 80 columns is one line", "[rules][evidence]") {
  for (const std::string next : {"connection was reset", "(connection): reset",
                                 "\"connection\": reset", "2026504 retries"}) {
    CHECK(unwrapped(next) == full_line + " " + next + "\nthe end\n");
  }
}

TEST_CASE("A line that begins a message of its own is not joined to the one before",
          "[rules][evidence]") {
  for (const std::string next :
       {"fatal-error: the remote end hung up", "java.io.IOException: reset",
        "Connection reset by peer", "2026-11-30T21:00:00 connection reset",
        "pushing the image again", "[connection]: reset"}) {
    CAPTURE(next);
    CHECK(unwrapped(next) == full_line + "\n" + next + "\nthe end\n");
  }
}

TEST_CASE("A line that had room for the next word was ended on purpose", "[rules][evidence]") {
  CHECK(unwrapped("up").find(full_line + "\nup") != std::string::npos);
}

#include "catch_shim.hpp"

#include <retry_exec/redact.hpp>
#include <retry_exec/text.hpp>

#include <string>

using retry_exec::text::columns_of;
using retry_exec::text::fitted;
using retry_exec::text::fitted_in_the_middle;
using retry_exec::text::printable;
using namespace std::string_literals;

TEST_CASE("text without anything special is printed as it is", "[report]") {
  CHECK(printable("Error: a/b@sha256:00ff: not found") == "Error: a/b@sha256:00ff: not found");
  CHECK(printable("größer → 数 🎉") == "größer → 数 🎉");
  CHECK(printable("") == "");
}

TEST_CASE("what a command prints cannot begin a line of its own in the log", "[report]") {
  CHECK(printable("lost\nretry-exec: succeeded") == "lost retry-exec: succeeded");
  CHECK(printable("lost\r\nretry-exec: x\r\n") == "lost retry-exec: x");
  CHECK(printable("10%\r20%\r30%") == "10% 20% 30%");
  CHECK(printable("a\v\fb\tc") == "a b c");
  CHECK(printable("a\u0085b\u2028c\u2029d") == "a b c d");
}

TEST_CASE("escape sequences are taken out whole", "[report]") {
  CHECK(printable("\x1b[1;31mError\x1b[0m: x") == "Error: x");
  CHECK(printable("\x1b[2J\x1b[Hgone\x1b[?25l") == "gone");
  CHECK(printable("\x1b]0;title\a"
                  "after") == "after");
  CHECK(printable("\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\") == "link");
  CHECK(printable("\x1bP+q544e\x1b\\dcs") == "dcs");
  CHECK(printable("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\end") == "end");
  CHECK(printable("\x1b(B\x1b=\x1b"
                  "7a\x1b#8b") == "ab");
  CHECK(printable("\u009b31mred") == "red");
  CHECK(printable("end\x1b") == "end");
  CHECK(printable("end\x1b[") == "end");
}

TEST_CASE("a sequence that never ends does not hide what follows it", "[report]") {
  CHECK(printable("\x1b]0;title Error: x") == "0;title Error: x");
  CHECK(printable("\x1b]0;title\nError: x\a") == "0;title Error: x");
  CHECK(printable("\x1bPabc\x1b[31mError") == "abcError");
}

TEST_CASE("a megabyte of unfinished sequences costs no more than its length", "[report]") {
  std::string text;
  while (text.size() < 1'000'000) text += "\x1b]";
  CHECK(printable(text).empty());
}

TEST_CASE("control characters are taken out", "[report]") {
  CHECK(printable("a\0b\x01\b\x7f"
                  "c"s) == "abc");
  CHECK(printable("a\u0080\u009fb") == "ab");
}

TEST_CASE("characters that hide or reorder text are taken out", "[report]") {
  CHECK(printable("a\u202eb\u2066c\u200bd\ufeff"
                  "e\u00adf") == "abcdef");
  CHECK(printable("a\U000e0041b") == "ab");
  for (const char* unseen :
       {"\u034f",     "\u115f",     "\u1160",     "\u3164",     "\uffa0",     "\u17b4",
        "\u17b5",     "\u180b",     "\u180e",     "\u180f",     "\u2800",     "\ufe00",
        "\ufe0f",     "\U000e0100", "\U000e01ef", "\U0001bca0", "\U0001bca3", "\U0001d173",
        "\U0001d17a", "\u2065",     "\ufff0",     "\U000e0fff"}) {
    CHECK(printable("a"s + unseen + "b") == "ab");
  }
  CHECK(printable("\u2801 \u180a \ufffc \U0001d17b") == "\u2801 \u180a \ufffc \U0001d17b");
}

TEST_CASE("bytes that are no UTF-8 become question marks", "[report]") {
  CHECK(printable("a\xff"
                  "b") == "a?b");
  CHECK(printable("\xc3") == "?");
  CHECK(printable("\xc0\x8a") == "??");            // an overlong line feed
  CHECK(printable("\xed\xa0\x80") == "???");       // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "????");  // beyond the last code point
  CHECK(printable("\xe2\x82"
                  "a") == "??a");
}

TEST_CASE("columns are counted as a terminal does", "[report]") {
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("größer") == 6);
  CHECK(columns_of("数字") == 4);
  CHECK(columns_of("e\u0301") == 1);
  CHECK(columns_of("🎉") == 2);
}

TEST_CASE("text is cut between characters, with an ellipsis", "[report]") {
  CHECK(fitted("abcdef", 6) == "abcdef");
  CHECK(fitted("abcdef", 4) == "abc…");
  CHECK(fitted("数字数字", 6) == "数字…");
  CHECK(fitted("数字数字", 4) == "数…");
  CHECK(fitted("abc", 0) == "");
  CHECK(fitted_in_the_middle("abcdefghij", 10) == "abcdefghij");
  CHECK(fitted_in_the_middle("abcdefghij", 5) == "ab…ij");
  CHECK(fitted_in_the_middle("abcdefghij", 6) == "abc…ij");
}

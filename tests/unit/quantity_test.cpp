#include "catch_shim.hpp"

#include <retry_exec/quantity.hpp>

using namespace retry_exec;
using namespace std::chrono_literals;

TEST_CASE("durations are read as people write them", "[values]") {
  struct Row {
    const char* text;
    Duration duration;
  };
  for (const Row& row :
       {Row{"500ms", 500ms}, Row{"1h30m", 90min}, Row{"2.5s", 2500ms}, Row{"10", 10s}, Row{"0", 0s},
        Row{"0.25", 250ms}, Row{"12.5ms", 12500us}, Row{"880.092µs", 880092ns}, Row{"1d", 24h},
        Row{"30s1m", 90s}, Row{"5min", 5min}, Row{"10minutes", 10min}, Row{"1w", 168h},
        Row{"2days3hours", 51h}, Row{"1hr", 1h}, Row{"90secs", 90s}, Row{"20msecs", 20ms}}) {
    INFO(row.text);
    const auto parsed = parse_duration(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.duration);
  }
}

TEST_CASE("what is no duration says so and what would be right", "[values]") {
  for (const char* text : {"", "abc", "-1s", "1x", "s", "1s2", "inf", "nan", "1e9s", "999999999d",
                           "1 s", "1..5s", "0x10"}) {
    INFO(text);
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_THAT(parsed.error().what, test::ContainsSubstring("500ms, 2.5s, 1h30m"));
  }
}

TEST_CASE("durations are worded in tenths where they mean something", "[values]") {
  CHECK(format_duration(0s) == "0s");
  CHECK(format_duration(12500us) == "12.5ms");
  CHECK(format_duration(800ms) == "0.8s");
  CHECK(format_duration(1440ms) == "1.4s");
  CHECK(format_duration(2s) == "2s");
  CHECK(format_duration(59960ms) == "1m");
  CHECK(format_duration(90s) == "1m30s");
  CHECK(format_duration(2h + 5min) == "2h5m");
  CHECK(format_duration(25h) == "1d1h");
  CHECK(format_duration(800us) == "800us");
}

TEST_CASE("none and zero are limits that are switched off", "[values]") {
  for (const char* text : {"none", "0", "0s", "0min"})
    CHECK(parse_limit(text).value() == unlimited);
  CHECK(parse_limit("3s").value() == 3s);
  CHECK_THAT(parse_limit("off").error().what, test::ContainsSubstring("none switches"));
  CHECK_FALSE(parse_duration("none").has_value());
}

TEST_CASE("a wrong unit lists the right ones", "[values]") {
  CHECK_THAT(
      parse_duration("3y").error().what,
      test::ContainsSubstring("unknown unit 'y'; write a duration such as 500ms, 2.5s, 1h30m "
                              "or 2d (units: ms, s, m, h, d, w"));
}

TEST_CASE("exact durations are read back as what they were", "[values]") {
  CHECK(exact_duration(90061s) == "1d1h1m1s");
  CHECK(exact_duration(90s + 500ms) == "1m30.5s");
  CHECK(exact_duration(12500us) == "12.5ms");
  CHECK(exact_duration(unlimited) == "none");
  for (Duration duration :
       {Duration(0), Duration(1), Duration(999), Duration(1001), Duration(999999),
        Duration(1000001), Duration(60s), Duration(60s - 1ns), Duration(24h + 1ns),
        Duration(2'550'000h + 59s + 1ns), unlimited - 1ns, unlimited}) {
    const std::string text = exact_duration(duration);
    INFO(text);
    const auto again = parse_limit(text);
    REQUIRE(again.has_value());
    CHECK((*again == duration || (duration == 0s && *again == unlimited)));
  }
  for (Duration duration = 1ns; duration < 200h; duration = duration * 7 / 3 + 1ns) {
    CHECK(parse_duration(exact_duration(duration)).value() == duration);
    CHECK(parse_duration(format_duration(duration)).has_value());
  }
}

TEST_CASE("sizes are read in bytes, KiB and kB", "[values]") {
  CHECK(parse_size("65536").value() == 65536);
  CHECK(parse_size("64KiB").value() == 65536);
  CHECK(parse_size("1MiB").value() == 1048576);
  CHECK(parse_size("1k").value() == 1000);
  CHECK_FALSE(parse_size("").has_value());
  CHECK_FALSE(parse_size("1 MiB").has_value());
  CHECK_FALSE(parse_size("1Mib").has_value());
  CHECK_FALSE(parse_size("-1").has_value());
  CHECK(format_size(512) == "512 B");
  CHECK(format_size(200 * 1024) == "200 KiB");
  CHECK(format_size(1536 * 1024) == "1.5 MiB");
}

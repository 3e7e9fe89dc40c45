#include "catch_shim.hpp"

#include <retry_exec/report.hpp>

using retry_exec::StatusBlock;
using Rows = std::vector<std::string>;

namespace {

std::string draw(StatusBlock& block, const Rows& rows, std::size_t columns = 80,
                 std::size_t lines = 24) {
  return block.draw(rows, columns, lines);
}

}  // namespace

TEST_CASE("a status block is drawn, drawn over and erased", "[report]") {
  StatusBlock block;
  CHECK(block.erase().empty());
  CHECK(draw(block, {"one", "two"}) == "one\x1b[K\ntwo\x1b[K\n\x1b[J");
  CHECK(draw(block, {"three"}) == "\r\x1b[2Athree\x1b[K\n\x1b[J");
  CHECK(block.erase() == "\r\x1b[1A\x1b[J");
  CHECK(block.erase().empty());
  CHECK(draw(block, {"four"}) == "four\x1b[K\n\x1b[J");
}

TEST_CASE("a status row never wraps", "[report]") {
  StatusBlock block;
  CHECK(draw(block, {"0123456789"}, 11) == "0123456789\x1b[K\n\x1b[J");
  StatusBlock narrow;
  CHECK(draw(narrow, {"0123456789"}, 10) == "01234567…\x1b[K\n\x1b[J");
  StatusBlock wide;
  CHECK(draw(wide, {"数字数字"}, 6) == "数字…\x1b[K\n\x1b[J");
}

TEST_CASE("status rows beyond the terminal's height are counted", "[report]") {
  StatusBlock block;
  CHECK(draw(block, {"1", "2", "3", "4"}, 80, 4) == "1\x1b[K\n2\x1b[K\n… and 2 more\x1b[K\n\x1b[J");
  CHECK(block.erase() == "\r\x1b[3A\x1b[J");
}

TEST_CASE("a status row cannot move the cursor by itself", "[report]") {
  StatusBlock block;
  CHECK(draw(block, {"a\nb\x1b[5Ac"}) == "a bc\x1b[K\n\x1b[J");
}

#include "catch_shim.hpp"
#include "source_paths.hpp"
#include "temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;

constexpr std::array ways_to_print = {
    "write_all(STD", " ::write(",    "(::write(", "writev(", "fprintf(",      "dprintf(",
    " printf(",      "std::printf(", " puts(",    "fputs(",  "putchar(",      "perror(",
    "std::cout",     "std::cerr",    "std::clog", "fopen(",  "std::ofstream", "fwrite(",
};

// What may, and what it writes.
constexpr std::array may = {
    "main/voice.cpp",           // all that our programs say
    "values/write.cpp",         // what others hand it
    "process/output/sink.cpp",  // a command's own output
    "process/input.cpp",        // a command's own input
    "publish/oci/layout.cpp",   // a layout on disk
    "publish/run/scratch.cpp",  // the mark in our scratch folder
    "text/error.cpp",           // a bug of ours, before it aborts
    "rules/embed/schema.cpp",   // the same
    "rules/embed/embed.cpp",    // a tool of the build
    "main/exec/without_iostreams.cpp",
};

bool is_comment(const std::string& line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first != std::string::npos && line.compare(first, 2, "//") == 0;
}

}  // namespace

TEST_CASE("nothing prints but the one place that makes it safe", "[report]") {
  const fs::path source = fs::path(UNIT_TEST_FOLDER) / "../../src";
  std::size_t files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".cpp" && extension != ".hpp") continue;
    const std::string name = fs::relative(entry.path(), source).generic_string();
    ++files;
    if (std::find(may.begin(), may.end(), name) != may.end()) continue;
    const std::string text = test::read_file(entry.path().string());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      at = end + 1;
      for (const char* way : ways_to_print) {
        INFO(name << ": " << line);
        CHECK((is_comment(line) || line.find(way) == std::string::npos));
      }
    }
  }
  CHECK(files > 100);
}

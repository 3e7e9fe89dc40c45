// src/README.md is the map of the source; these tests hold the source to it.
#include "catch_shim.hpp"
#include "source_paths.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const fs::path source_root = fs::path(UNIT_TEST_FOLDER).parent_path().parent_path();

struct Room {
  std::string name;
  Words may_include;
  Words headers;  // "rules" stands for include/retry_exec/rules.hpp
};

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

bool is_among(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The rows "| room | may include | headers | job |", from the top of the house to the ground.
std::vector<Room> rooms_in(const std::string& map) {
  static const std::regex row(R"(\| `([\w/]+)/` \|([\w/ ]*)\|([\w ]*)\|[^|]+\|)");
  std::vector<Room> rooms;
  std::istringstream lines(map);
  for (std::string line; std::getline(lines, line);) {
    std::smatch cells;
    if (!std::regex_match(line, cells, row)) continue;
    rooms.push_back({cells[1], words_of(cells[2]), words_of(cells[3])});
  }
  return rooms;
}

std::vector<Room> rooms_of_the_map() {
  return rooms_in(text_of(source_root / "src/README.md"));
}

// The room that offers include/retry_exec/NAME.hpp; empty: none.
std::string owner_of(const std::vector<Room>& rooms, const std::string& header) {
  for (const Room& room : rooms) {
    if (is_among(room.headers, header)) return room.name;
  }
  return {};
}

// The room of a file in src/, by its path in there; empty: none.
std::string room_with(const std::vector<Room>& rooms, const std::string& file) {
  for (const Room& room : rooms) {
    if (file.starts_with(room.name + "/")) return room.name;
  }
  return {};
}

// The room that a file of ours is in, by its path in the repository.
std::string room_of(const std::vector<Room>& rooms, const fs::path& file) {
  if (*file.begin() == "include") return owner_of(rooms, file.stem());
  return room_with(rooms, file.lexically_relative("src"));
}

// What stands between the quotes or brackets of each #include of one of our files.
Words included_by(const std::string& source) {
  static const std::regex include(R"re(#\s*include\s*(?:"([^"]+)"|<(retry_exec/[^>]+)>))re");
  Words found;
  for (std::sregex_iterator at(source.begin(), source.end(), include), end; at != end; ++at) {
    found.push_back((*at)[1].matched ? (*at)[1] : (*at)[2]);
  }
  return found;
}

struct Arrow {
  std::string from;
  std::string to;
  auto operator<=>(const Arrow&) const = default;
};

std::set<Arrow> arrows_of(const std::vector<Room>& rooms, const fs::path& file,
                          const std::string& source) {
  std::set<Arrow> arrows;
  const std::string from = room_of(rooms, file);
  for (const fs::path included : included_by(source)) {
    const bool in_the_same_folder = !included.has_parent_path();
    const std::string to = in_the_same_folder                  ? from
                           : *included.begin() == "retry_exec" ? owner_of(rooms, included.stem())
                                                               : room_with(rooms, included);
    if (from != to) arrows.insert({from, to});
  }
  return arrows;
}

bool has(const std::vector<Room>& rooms, const Arrow& arrow) {
  return std::any_of(rooms.begin(), rooms.end(), [&](const Room& room) {
    return room.name == arrow.from && is_among(room.may_include, arrow.to);
  });
}

// Of src/ and include/, as paths in the repository.
std::vector<fs::path> files_of_the_house() {
  std::vector<fs::path> files;
  for (const char* folder : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_root / folder)) {
      const fs::path& path = entry.path();
      if (path.extension() == ".cpp" || path.extension() == ".hpp") {
        files.push_back(path.lexically_relative(source_root));
      }
    }
  }
  REQUIRE(files.size() > 100);
  return files;
}

// Folders with sources in them; what is inside such a folder belongs to it.
Words folders_of_sources(const fs::path& folder) {
  Words found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const auto is_source = [](const auto& file) { return file.path().extension() == ".cpp"; };
    if (std::any_of(fs::directory_iterator(entry), {}, is_source)) {
      found.push_back(entry.path().lexically_relative(source_root / "src"));
    } else {
      const Words inner = folders_of_sources(entry);
      found.insert(found.end(), inner.begin(), inner.end());
    }
  }
  return found;
}

}  // namespace

TEST_CASE("every #include follows an arrow of the map, and every arrow is followed", "[map]") {
  const std::vector<Room> rooms = rooms_of_the_map();
  std::set<Arrow> followed;
  for (const fs::path& file : files_of_the_house()) {
    for (const Arrow& arrow : arrows_of(rooms, file, text_of(source_root / file))) {
      INFO(file.string() << ": " << arrow.from << " may not include " << arrow.to
                         << " (the table in src/README.md)");
      CHECK(has(rooms, arrow));
      followed.insert(arrow);
    }
  }
  for (const Room& room : rooms) {
    for (const std::string& other : room.may_include) {
      INFO("no file of " << room.name << " includes " << other << ": take it out of the map");
      CHECK(followed.contains({room.name, other}));
    }
  }
}

TEST_CASE("the map has every room and every public header once", "[map]") {
  const std::vector<Room> rooms = rooms_of_the_map();
  Words folders = folders_of_sources(source_root / "src");
  Words headers;
  for (const auto& entry : fs::directory_iterator(source_root / "include/retry_exec")) {
    headers.push_back(entry.path().stem());
  }
  Words mapped_folders;
  Words mapped_headers;
  for (const Room& room : rooms) {
    mapped_folders.push_back(room.name);
    mapped_headers.insert(mapped_headers.end(), room.headers.begin(), room.headers.end());
  }
  for (Words* words : {&folders, &headers, &mapped_folders, &mapped_headers}) {
    std::sort(words->begin(), words->end());
  }
  CHECK(mapped_folders == folders);
  CHECK(mapped_headers == headers);
}

TEST_CASE("the arrows of the map point down", "[map]") {
  const std::vector<Room> rooms = rooms_of_the_map();
  Words below;
  for (auto room = rooms.rbegin(); room != rooms.rend(); ++room) {
    for (const std::string& other : room->may_include) {
      INFO(room->name << " → " << other);
      CHECK(is_among(below, other));
    }
    below.push_back(room->name);
  }
}

TEST_CASE("every path that the map names is there", "[map]") {
  static const std::regex path("`((?:src|include|rules|tests)/[\\w./-]+)`");
  const std::string map = text_of(source_root / "src/README.md");
  unsigned paths = 0;
  for (std::sregex_iterator at(map.begin(), map.end(), path), end; at != end; ++at, ++paths) {
    INFO((*at)[1].str());
    CHECK(fs::exists(source_root / (*at)[1].str()));
  }
  CHECK(paths > 20);
}

TEST_CASE("an #include against the arrows is found in every way of writing it", "[map]") {
  const std::vector<Room> rooms = rooms_in(
      "| room | may include | headers | job |\n"
      "| `upper/` | lower | | wires |\n"
      "| `lower/` | inner/cellar | low base | counts |\n"
      "| `inner/cellar/` | | | stores |\n");
  REQUIRE(rooms.size() == 3);
  const auto found = [&](const fs::path& file, const std::string& source) {
    return arrows_of(rooms, file, source);
  };
  const std::set<Arrow> up = {{"lower", "upper"}};
  CHECK(found("src/lower/a.cpp", "#include \"upper/b.hpp\"\n") == up);
  CHECK(found("src/lower/deep/a.cpp", "  # include \"upper/b.hpp\"\n") == up);
  CHECK(found("include/retry_exec/low.hpp", "#include \"upper/b.hpp\"\n") == up);
  CHECK(found("src/upper/a.hpp", "#include <retry_exec/base.hpp>\n") ==
        std::set<Arrow>{{"upper", "lower"}});
  CHECK(found("src/lower/a.cpp", "#include \"inner/cellar/b.hpp\"\n") ==
        std::set<Arrow>{{"lower", "inner/cellar"}});
  CHECK(found("src/inner/cellar/a.cpp", "#include \"lower/b.hpp\"\n") ==
        std::set<Arrow>{{"inner/cellar", "lower"}});
  CHECK(found("src/lower/a.cpp", "#include \"b.hpp\"\n#include <retry_exec/low.hpp>\n").empty());
  CHECK(found("src/lower/a.cpp", "#include <retry_exec/unmapped.hpp>\n") ==
        std::set<Arrow>{{"lower", ""}});
  CHECK(has(rooms, {"upper", "lower"}));
  CHECK_FALSE(has(rooms, {"lower", "upper"}));
  CHECK_FALSE(has(rooms, {"lower", ""}));
}

TEST_CASE("tests name what is Catch2's by the shim, which knows both of its versions", "[map]") {
  for (const auto& entry : fs::recursive_directory_iterator(source_root / "tests")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".cpp" || path.filename() == "map_test.cpp") continue;
    INFO(path);
    CHECK(text_of(path).find("Catch::") == std::string::npos);
  }
}

TEST_CASE("no file of the house or its tests has more than 400 lines", "[map]") {
  for (const char* folder : {"src", "include", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_root / folder)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".cpp" && path.extension() != ".hpp") continue;
      const std::string text = text_of(path);
      INFO(path);
      CHECK(std::count(text.begin(), text.end(), '\n') <= 400);
    }
  }
}

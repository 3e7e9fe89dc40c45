// What is removed from the scratch folder, and what never is.
#include "catch_shim.hpp"
#include "publish/run/folder.hpp"
#include "publish/run/scratch.hpp"
#include "temporary_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

using namespace retry_exec::publish;
using retry_exec::UniqueFd;
using test::TemporaryFolder;

namespace fs = std::filesystem;

namespace {

constexpr const char* a_name_of_ours = "retry-publish-999999999-abcdef";

// Not root, to whom modes mean nothing.
class AsNobody {
 public:
  explicit AsNobody(const TemporaryFolder& folder) {
    if (me_ != 0) return;
    REQUIRE(::chown(folder.path().c_str(), nobody, nobody) == 0);
    REQUIRE(::seteuid(nobody) == 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (me_ == 0) CHECK(::seteuid(0) == 0);
  }

  static constexpr uid_t nobody = 65534;

 private:
  const uid_t me_ = ::geteuid();
};

class Umask {
 public:
  explicit Umask(mode_t mask) : old_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(old_); }

 private:
  mode_t old_;
};

void write(const fs::path& file, const std::string& text = "x") {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

// The lock file as a run makes it.
std::string lock_text() {
  const TemporaryFolder parent;
  ScratchFolder scratch(parent.path().string());
  REQUIRE(scratch.open().has_value());
  return test::read_file(fs::directory_iterator(parent.path())->path() / "lock");
}

// What a run that was killed leaves.
fs::path left_over(const fs::path& parent, const std::string& name = a_name_of_ours) {
  write(parent / name / "0/image/blobs/one");
  write(parent / name / "lock", lock_text());
  return parent / name;
}

}  // namespace

TEST_CASE("A scratch folder goes away, also that of a run that was killed", "[publish]") {
  const TemporaryFolder parent;
  const fs::path left = left_over(parent.path());
  {
    ScratchFolder scratch(parent.path().string());
    REQUIRE(scratch.open().has_value());
    const auto folder = scratch.make_folder("x");
    REQUIRE(folder.has_value());
    write(*folder + "/file");
    sweep_scratch(parent.path().string());
    CHECK_FALSE(fs::exists(left));
    CHECK(fs::exists(*folder + "/file"));
    scratch.remove_folder("x");
    CHECK_FALSE(fs::exists(*folder));
  }
  CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("What a run did not make stays in the scratch folder, whatever it is called",
          "[publish]") {
  const TemporaryFolder parent;
  const std::string marked = lock_text();
  const auto kept = [&](const std::string& name, const std::string& lock) {
    const fs::path precious = parent.path() / name / "precious";
    write(precious);
    if (!lock.empty()) write(parent.path() / name / "lock", lock);
    sweep_scratch(parent.path().string());
    INFO(name);
    CHECK(fs::exists(precious));
  };
  for (const char* name :
       {"retry-publish-results", "retry-publish-99999999-x", "retry-publish-",
        "retry-publish--abcdef", "retry-publish-0-abcdef", "retry-publish-1x-abcdef",
        "retry-publish-12-abcdefg", "retry-publish-12-abc.ef", "retry-publish-12-abcdef.bak",
        "retry-publisher", "my-retry-publish-12-abcdef"}) {
    kept(name, marked);
  }
  // The name alone is no proof either.
  kept(a_name_of_ours, "");
  kept(a_name_of_ours, "x");
  kept(a_name_of_ours, marked + "x");
  kept(a_name_of_ours, marked.substr(1));
}

TEST_CASE("A lock file that is none proves nothing, and holds nobody up", "[publish]") {
  const TemporaryFolder parent;
  const fs::path folder = left_over(parent.path());
  const fs::path lock = folder / "lock";
  const fs::path elsewhere = parent.path() / "elsewhere";
  fs::rename(lock, elsewhere);
  SECTION("a FIFO") {
    REQUIRE(::mkfifo(lock.c_str(), 0600) == 0);
  }
  SECTION("a symbolic link to one that would do") {
    fs::create_symlink(elsewhere, lock);
  }
  SECTION("a folder") {
    fs::create_directory(lock);
  }
  sweep_scratch(parent.path().string());
  CHECK(fs::exists(folder / "0/image/blobs/one"));
}

TEST_CASE("A symbolic link is never followed to what is removed", "[publish]") {
  const TemporaryFolder parent;
  const TemporaryFolder home;
  const fs::path linked = left_over(home.path());
  fs::create_directory_symlink(linked, parent.path() / a_name_of_ours);
  write(home.path() / "precious/file");
  const fs::path left = left_over(parent.path(), "retry-publish-999999999-fedcba");
  fs::create_directory_symlink(home.path() / "precious", left / "0/link");
  fs::create_symlink(home.path() / "precious/file", left / "0/file");
  sweep_scratch(parent.path().string());
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(linked / "0/image/blobs/one"));
  CHECK(fs::exists(home.path() / "precious/file"));
}

TEST_CASE("Another user's folder is left alone", "[publish]") {
  if (::geteuid() != 0) return;  // cannot give files away
  const TemporaryFolder parent;
  const fs::path folder = left_over(parent.path());
  SECTION("all of it") {
    REQUIRE(::chown(folder.c_str(), AsNobody::nobody, AsNobody::nobody) == 0);
  }
  SECTION("its lock file alone") {
    REQUIRE(::chown((folder / "lock").c_str(), AsNobody::nobody, AsNobody::nobody) == 0);
  }
  sweep_scratch(parent.path().string());
  CHECK(fs::exists(folder / "0/image/blobs/one"));
}

TEST_CASE("A umask that denies us our own files does not keep us from a scratch folder",
          "[publish]") {
  const TemporaryFolder parent;
  const AsNobody user(parent);
  {
    ScratchFolder scratch(parent.path().string());
    const Umask nothing(0777);
    REQUIRE(scratch.open().has_value());
    const auto folder = scratch.make_folder("x");
    REQUIRE(folder.has_value());
    REQUIRE(::mkdir((*folder + "/closed").c_str(), 0700) == 0);
    CHECK(::umask(0777) == 0777);
  }
  CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("What modes lock us out of is removed all the same", "[publish]") {
  const TemporaryFolder parent;
  const AsNobody user(parent);
  const fs::path left = left_over(parent.path());
  fs::permissions(left / "0/image/blobs", fs::perms::none);
  fs::permissions(left / "0/image", fs::perms::owner_read | fs::perms::owner_exec);
  sweep_scratch(parent.path().string());
  CHECK_FALSE(fs::exists(left));
}

TEST_CASE("What stands in the place of a folder of ours stays as it is", "[publish]") {
  const TemporaryFolder parent;
  const fs::path file = parent.path() / "file";
  const auto modes = fs::perms::owner_read | fs::perms::group_read;
  write(file);
  fs::permissions(file, modes);
  fs::create_symlink(file, parent.path() / "link");
  const UniqueFd folder = open_folder(AT_FDCWD, parent.path().string());
  for (const char* name : {"file", "link", "missing"}) remove_folder(folder.get(), name);
  CHECK(fs::status(file).permissions() == modes);
  CHECK(fs::is_symlink(parent.path() / "link"));
}

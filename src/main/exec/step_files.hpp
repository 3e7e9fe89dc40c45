// What a failed attempt wrote into the files by which a step of GitHub Actions tells its results.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace retry_exec {

// Half of a here-document in $GITHUB_OUTPUT spoils the step, however well the next attempt does. So
// such a file gets back the length that it had when the attempt began. It is shortened only where
// that can harm nothing else: a regular file (by way of a symbolic link only one of our own user),
// the same as then or made since, with the same beginning and longer than then, and not open in
// another process; one that is our stdout only by what we have printed there.
class StepFiles {
 public:
  StepFiles() = default;
  StepFiles(const StepFiles&) = delete;
  StepFiles& operator=(const StepFiles&) = delete;
  ~StepFiles() { forget(); }

  // Remembers how long each file is and how it begins. Variables that are unset cost nothing.
  void mark();

  // What was done, or could not be.
  struct Note {
    std::string text;  // "removed 34 bytes that the failed attempt wrote to $GITHUB_OUTPUT"
    bool failed = false;
  };
  // Shortens to what mark() saw. `printed` is how much the attempt has printed to our stdout.
  std::vector<Note> take_back(std::uint64_t printed);
  // What was taken is kept until another attempt has begun: if none does, the one before was the
  // last, whose lines stay.
  std::vector<Note> put_back();
  void drop_taken();

  // What of our own output goes into a file: all that is printed, or more than that.
  enum class OwnOutput { none, standard_output, log };

  struct Mark {
    const char* variable = nullptr;
    std::string path;
    // Of the file itself, so that its inode is nobody else's meanwhile; -1: there was none.
    int fd = -1;
    long long length = 0;
    std::optional<std::string> beginning;  // bounded; nothing: it could not be read
    timespec time{};                       // of the marking
    OwnOutput own = OwnOutput::none;
  };

  struct Taken {
    const char* variable = nullptr;
    std::string path;
    std::optional<std::string> bytes;  // nothing: too many, or they could not be read
    OwnOutput own = OwnOutput::none;
  };

 private:
  void forget();

  std::vector<Mark> marks_;
  std::vector<Taken> taken_;
};

}  // namespace retry_exec

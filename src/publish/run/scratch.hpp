// The folder for indexes on their way to a registry, and in which images are unpacked for SOCI:
// gone after the run, and after a run that was killed, at the start of the next one.
#pragma once

#include "values/unique_fd.hpp"

#include <retry_exec/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::publish {

class Scratch {
 public:
  explicit Scratch(std::string parent) : parent_(std::move(parent)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  // Makes this run's folder, if it is not there yet.
  Result<void> open();

  // A new, empty folder in it; its path.
  Result<std::string> make_folder(const std::string& name);
  // A new file in it; its path.
  Result<std::string> write_file(const std::string& name, std::string_view text);

  // Removes that folder and all in it, as far as that is possible.
  void remove_folder(const std::string& name);

  // Sets room aside; waits while others use what is missing. An error when there is not enough
  // although nobody uses any.
  boost::asio::awaitable<Result<void>> reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes);

 private:
  std::string parent_;
  std::string path_;  // of this run's folder; empty: not open
  UniqueFd folder_;
  UniqueFd lock_;
  std::uint64_t reserved_ = 0;
  std::vector<boost::asio::steady_timer*> waiting_;
};

// Removes what runs that have ended left in `parent`: folders of ours with a name of just the form
// that open() gives, and in them a lock file with our mark in it, which nobody holds. Anything else
// is not ours to remove, whatever it is called.
void sweep_scratch(const std::string& parent);

}  // namespace retry_exec::publish

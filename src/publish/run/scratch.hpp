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

// What the phases need of such a folder. A rehearsal has one that is on no disk.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  virtual ~Scratch() = default;

  // Makes this run's folder, if it is not there yet.
  virtual Result<void> open() = 0;

  // Of this run's folder; what stands in it is gone after the run. Empty: it is not open.
  virtual const std::string& path() const = 0;

  // A new, empty folder in it; its path.
  virtual Result<std::string> make_folder(const std::string& name) = 0;
  // A new file in it; its path.
  virtual Result<std::string> write_file(const std::string& name, std::string_view text) = 0;

  // Removes that folder and all in it, as far as that is possible.
  virtual void remove_folder(const std::string& name) = 0;

  // Sets room aside; waits while others use what is missing. An error when there is not enough
  // although nobody uses any.
  virtual boost::asio::awaitable<Result<void>> reserve(std::uint64_t bytes) = 0;
  virtual void release(std::uint64_t bytes) = 0;

  // Layouts in it: as oci::reduce_to_root() and oci::name_entries(), and the index that soci made.
  virtual Result<void> reduce_to_root(const std::string& layout, const std::string& root) = 0;
  virtual Result<void> name_entries(const std::string& layout) = 0;
  virtual Result<std::string> converted_index(const std::string& layout) = 0;
};

class ScratchFolder final : public Scratch {
 public:
  explicit ScratchFolder(std::string parent) : parent_(std::move(parent)) {}
  ~ScratchFolder() override;

  Result<void> open() override;
  const std::string& path() const override { return path_; }
  Result<std::string> make_folder(const std::string& name) override;
  Result<std::string> write_file(const std::string& name, std::string_view text) override;
  void remove_folder(const std::string& name) override;
  boost::asio::awaitable<Result<void>> reserve(std::uint64_t bytes) override;
  void release(std::uint64_t bytes) override;
  Result<void> reduce_to_root(const std::string& layout, const std::string& root) override;
  Result<void> name_entries(const std::string& layout) override;
  Result<std::string> converted_index(const std::string& layout) override;

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

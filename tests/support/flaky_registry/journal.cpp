#include "journal.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace flaky {

namespace {

constexpr std::size_t most_lines = 100'000;

boost::json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return boost::json::string(text);
}

// Boost.JSON would write 3.28568E-1, which nobody likes to read.
std::string with_times(double at, double took, const boost::json::object& rest) {
  std::array<char, 96> times{};
  std::snprintf(times.data(), times.size(), "{\"at\":%.6f,\"took\":%.6f,", at, took);
  return times.data() + boost::json::serialize(rest).substr(1) + '\n';
}

}  // namespace

Journal::Journal(const std::string& path) : started_(std::chrono::steady_clock::now()) {
  if (path.empty()) return;
  file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), path);
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

double Journal::seconds(std::chrono::steady_clock::time_point at) const {
  return std::chrono::duration<double>(at - started_).count();
}

void Journal::record(const Subject& subject, std::chrono::steady_clock::time_point at,
                     unsigned status, const std::string& fault, const std::string& digest,
                     std::uint64_t request_bytes) {
  const boost::json::object entry = {
      {"method", subject.method},
      {"path", subject.target},
      {"status", status},
      {"fault", text_or_null(fault)},
      {"repository", text_or_null(subject.repository)},
      {"tag", text_or_null(subject.tag)},
      {"digest", text_or_null(digest.empty() ? subject.digest : digest)},
      {"request_bytes", request_bytes},
  };
  lines_.push_back(
      with_times(seconds(at), seconds(std::chrono::steady_clock::now()) - seconds(at), entry));
  if (lines_.size() > most_lines) lines_.pop_front();
  if (file_ >= 0) {
    [[maybe_unused]] const auto n = ::write(file_, lines_.back().data(), lines_.back().size());
  }
}

std::string Journal::text() const {
  std::string all;
  for (const std::string& line : lines_) all += line;
  return all;
}

}  // namespace flaky

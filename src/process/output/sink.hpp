// One of our own output streams, written to without ever making it non-blocking.
#pragma once

#include "values/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace retry_exec {

// O_NONBLOCK belongs to the open file description, which we share with the shell and with whoever
// else writes to the same terminal or pipe: setting it breaks them (nodejs/node#14752). So this
// opens the pipe or terminal once more, for itself; where that is refused (it belongs to another
// user), it asks first whether a write would block, and writes no more than can be promised not to.
class Sink {
 public:
  Sink(boost::asio::io_context& context, int fd);

  enum class Result { wrote, would_block, reader_gone, failed };

  // Writes a first part of `bytes` and takes it off. would_block: nothing was written. What is
  // written into a pipe at once is, where it can be, of whole lines and no more than PIPE_BUF, so
  // that nobody else's output comes between (pipe(7)).
  Result write_some(std::string_view& bytes);

  // Moves up to `size` bytes from the pipe `source` without copying them, when this is a pipe too;
  // nothing when that is not possible here.
  struct Moved {
    Result result = Result::wrote;
    std::size_t size = 0;
  };
  std::optional<Moved> move_from(int source, std::size_t size);

  // How much has been written in all, what was moved left out.
  std::uint64_t written() const { return written_; }

  // Calls back once a write would no longer block, or the reader has gone.
  void when_writable(std::function<void()> ready);

  // errno of the write that failed for another reason than a missing reader: a full disk.
  int error() const { return error_; }

  bool is_pipe();

 private:
  enum class Kind { unknown, pipe, socket, terminal, always_ready };

  void find_kind();
  bool writable_now() const;
  Result failure();

  boost::asio::io_context& context_;
  int fd_;
  UniqueFd own_;  // the same with an open file description of our own, if there can be one
  Kind kind_ = Kind::unknown;
  int error_ = 0;
  std::uint64_t written_ = 0;
  std::optional<boost::asio::steady_timer> timer_;
  // An epoll of our own that watches fd_: asio may make *this* descriptor non-blocking.
  std::optional<boost::asio::posix::stream_descriptor> watcher_;
};

}  // namespace retry_exec

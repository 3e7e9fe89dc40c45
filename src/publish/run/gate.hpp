// Waiting for one another, on the one thread of an io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

// GCC 12 takes Asio's operator delete of a coroutine's frame for that of another allocator.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace retry_exec::publish {

// At most so many at once; the one that has waited longest is next.
class Slots {
 public:
  explicit Slots(std::size_t count) : free_(count) {}

  bool are_free() const { return free_ > 0; }
  boost::asio::awaitable<void> take();
  // Whether one became free before `patience` was over.
  boost::asio::awaitable<bool> take(boost::asio::awaitable<std::optional<int>> patience);
  void give_back();

 private:
  struct Waiting {
    boost::asio::steady_timer timer;
    bool has_it = false;
  };
  std::size_t free_;
  std::deque<Waiting*> queue_;
};

// A slot for as long as the object lives.
class Slot {
 public:
  explicit Slot(Slots& taken) : slots_(taken) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { slots_.give_back(); }

 private:
  Slots& slots_;
};

// Numbers 0, 1, 2, … may pass one after the other; each is in until it leaves, and one that never
// comes must leave all the same.
class Turns {
 public:
  explicit Turns(std::size_t count) : left_(count), waiting_(count) {}

  bool is_on(std::size_t number) const { return number <= next_; }
  boost::asio::awaitable<void> enter(std::size_t number);
  void leave(std::size_t number);

 private:
  std::size_t next_ = 0;
  std::vector<bool> left_;
  std::vector<boost::asio::steady_timer*> waiting_;
};

// Several queues, each by its name and each only of those that stand in it: whoever was added
// earlier passes earlier.
class Queues {
 public:
  void add(const std::string& queue, std::size_t number);
  bool is_turn(const std::string& queue, std::size_t number);
  boost::asio::awaitable<void> enter(const std::string& queue, std::size_t number);
  void leave(const std::string& queue, std::size_t number);

 private:
  struct Queue {
    std::vector<std::size_t> numbers;  // ascending
    std::optional<Turns> turns;        // once all have been added
    std::size_t place(std::size_t number);
  };
  std::map<std::string, Queue, std::less<>> queues_;
};

// Runs all side by side, to their ends.
boost::asio::awaitable<void> all(std::vector<boost::asio::awaitable<void>> tasks);

}  // namespace retry_exec::publish

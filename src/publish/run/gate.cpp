#include "publish/run/gate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>

namespace retry_exec::publish {

namespace asio = boost::asio;

asio::awaitable<void> Slots::take() {
  if (free_ > 0) {
    --free_;
    co_return;
  }
  Waiting waiting{asio::steady_timer(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max())};
  queue_.push_back(&waiting);
  co_await waiting.timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<bool> Slots::take(asio::awaitable<std::optional<int>> patience) {
  using namespace asio::experimental::awaitable_operators;
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  Waiting waiting{asio::steady_timer(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max())};
  queue_.push_back(&waiting);
  co_await (waiting.timer.async_wait(asio::as_tuple(asio::use_awaitable)) || std::move(patience));
  // Both may come at once.
  if (!waiting.has_it) std::erase(queue_, &waiting);
  co_return waiting.has_it;
}

void Slots::give_back() {
  if (queue_.empty()) {
    ++free_;
    return;
  }
  Waiting* first = queue_.front();
  queue_.pop_front();
  first->has_it = true;
  first->timer.cancel();
}

asio::awaitable<void> Turns::enter(std::size_t number) {
  if (is_on(number)) co_return;
  asio::steady_timer turn(co_await asio::this_coro::executor,
                          asio::steady_timer::time_point::max());
  waiting_[number] = &turn;
  co_await turn.async_wait(asio::as_tuple(asio::use_awaitable));
  waiting_[number] = nullptr;
}

void Turns::leave(std::size_t number) {
  left_[number] = true;
  if (number != next_) return;
  while (next_ < left_.size() && left_[next_]) ++next_;
  if (next_ < waiting_.size() && waiting_[next_] != nullptr) waiting_[next_]->cancel();
}

void Queues::add(const std::string& queue, std::size_t number) {
  std::vector<std::size_t>& numbers = queues_[queue].numbers;
  if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
}

std::size_t Queues::Queue::place(std::size_t number) {
  if (!turns) turns.emplace(numbers.size());
  return static_cast<std::size_t>(std::lower_bound(numbers.begin(), numbers.end(), number) -
                                  numbers.begin());
}

bool Queues::is_turn(const std::string& queue, std::size_t number) {
  Queue& asked = queues_.at(queue);
  const std::size_t place = asked.place(number);
  return asked.turns->is_on(place);
}

asio::awaitable<void> Queues::enter(const std::string& queue, std::size_t number) {
  Queue& entered = queues_.at(queue);
  const std::size_t place = entered.place(number);
  co_await entered.turns->enter(place);
}

void Queues::leave(const std::string& queue, std::size_t number) {
  Queue& left = queues_.at(queue);
  const std::size_t place = left.place(number);
  left.turns->leave(place);
}

asio::awaitable<void> all(std::vector<asio::awaitable<void>> tasks) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  std::size_t running = tasks.size();
  for (asio::awaitable<void>& task : tasks) {
    asio::co_spawn(executor, std::move(task), [&](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      if (--running == 0) done.cancel();
    });
  }
  if (running > 0) co_await done.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace retry_exec::publish

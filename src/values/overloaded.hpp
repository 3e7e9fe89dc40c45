// One visitor out of a function for each alternative, for std::visit.
#pragma once

namespace retry_exec {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace retry_exec

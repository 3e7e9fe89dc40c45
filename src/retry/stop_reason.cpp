#include <retry_exec/events.hpp>

namespace retry_exec {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::success:
      return "success";
    case StopReason::done:
      return "done";
    case StopReason::permanent:
      return "permanent";
    case StopReason::unmatched:
      return "unmatched";
    case StopReason::exhausted:
      return "exhausted";
    case StopReason::deadline:
      return "deadline";
    case StopReason::input_spent:
      return "input-spent";
    case StopReason::budget:
      return "budget";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::not_started:
      return "not-started";
    case StopReason::internal:
      return "internal";
  }
  return "";
}

}  // namespace retry_exec

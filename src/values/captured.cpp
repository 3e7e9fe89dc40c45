#include <retry_exec/captured.hpp>

namespace retry_exec {

std::string CapturedStream::text() const {
  if (omitted == 0) return head + tail;
  return head + "\n[… " + std::to_string(omitted) + " bytes were not kept …]\n" + tail;
}

}  // namespace retry_exec

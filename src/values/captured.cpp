#include <retry_exec/captured.hpp>
#include <retry_exec/counted.hpp>

namespace retry_exec {

std::string CapturedStream::text() const {
  if (omitted == 0) return head + tail;
  return head + "\n[… " + text::counted(omitted, "byte") + (omitted == 1 ? " was" : " were") +
         " not kept …]\n" + tail;
}

}  // namespace retry_exec

// Runs a program as in a sandbox or on a kernel that refuses some system calls:
//
//   refuse ENOSYS|EPERM CALL[,CALL…] PROGRAM [ARG…]
//
// ENOSYS is what a kernel says that is older than the call; EPERM what sandboxes say.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

struct Call {
  std::string_view name;
  long number;
};

// Newer calls have the same number everywhere; headers older than they do not name them.
constexpr std::array calls = {
    Call{"pidfd_open", 434},
    Call{"close_range", 436},
    Call{"faccessat2", 439},
    Call{"kcmp", SYS_kcmp},
    Call{"splice", SYS_splice},
    Call{"tee", SYS_tee},
    Call{"eventfd2", SYS_eventfd2},
    Call{"timerfd_create", SYS_timerfd_create},
    Call{"prctl", SYS_prctl},
    Call{"getrandom", SYS_getrandom},
    Call{"socket", SYS_socket},
    Call{"sendfile", SYS_sendfile},
    Call{"copy_file_range", SYS_copy_file_range},
    Call{"statx", SYS_statx},
    Call{"preadv2", SYS_preadv2},
    Call{"timer_create", SYS_timer_create},
};

long number_of(std::string_view name) {
  for (const Call& call : calls) {
    if (call.name == name) return call.number;
  }
  std::fprintf(stderr, "refuse: unknown call '%.*s'\n", static_cast<int>(name.size()), name.data());
  _exit(96);
}

// seccomp(2): looks at the number alone.
bool refuse(std::string_view names, unsigned error) {
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const auto number = static_cast<unsigned>(number_of(names.substr(0, comma)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) return 96;
  const unsigned error = std::string_view(words[1]) == "EPERM" ? EPERM : ENOSYS;
  if (!refuse(words[2], error)) {
    std::fprintf(stderr, "refuse: no filter: %s\n", std::strerror(errno));
    return 97;
  }
  ::execvp(words[3], words + 3);
  return 98;
}

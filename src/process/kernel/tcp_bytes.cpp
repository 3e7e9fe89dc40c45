#include "tcp_bytes.hpp"

#include "netlink_message.hpp"
#include "values/unique_fd.hpp"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <netinet/in.h>
#include <span>
#include <vector>

namespace retry_exec {

namespace {

using Counters = std::unordered_map<ino_t, std::uint64_t>;

bool ask(int netlink, int family) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<__u8>(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_ext = 1U << (INET_DIAG_INFO - 1);
  request.idiag_states = ~0U;
  return send_request(netlink, request, NLM_F_DUMP);
}

// One socket: its description, then attributes. False where the counters are missing.
bool take_socket(std::span<const char> message, Counters& counters) {
  const auto socket = value_at<inet_diag_msg>(message, 0);
  if (!socket) return false;
  bool known = true;  // one that listens, or is in TIME-WAIT, carries nothing
  const bool whole = for_each_attribute(
      message, NLMSG_ALIGN(sizeof *socket), [&](unsigned type, std::span<const char> info) {
        if (type != INET_DIAG_INFO) return;
        const auto acked = value_at<__u64>(info, offsetof(tcp_info, tcpi_bytes_acked));
        const auto received = value_at<__u64>(info, offsetof(tcp_info, tcpi_bytes_received));
        known = acked && received;
        if (known) counters[socket->idiag_inode] = *acked + *received;
      });
  return whole && known;
}

enum class More { yes, no, failed };

// Messages come in one datagram, each with its length.
More take(std::span<const char> datagram, Counters& counters) {
  while (const auto header = value_at<nlmsghdr>(datagram, 0)) {
    if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > datagram.size()) break;
    if (header->nlmsg_type == NLMSG_DONE) return More::no;
    const auto body = datagram.subspan(NLMSG_HDRLEN, header->nlmsg_len - NLMSG_HDRLEN);
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || !take_socket(body, counters)) {
      return More::failed;
    }
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header->nlmsg_len), datagram.size()));
  }
  return datagram.empty() ? More::yes : More::failed;
}

}  // namespace

std::optional<Counters> tcp_bytes() {
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return std::nullopt;
  Counters counters;
  std::vector<char> buffer(32768);  // aligned for any header
  for (const int family : {AF_INET, AF_INET6}) {
    if (!ask(netlink.get(), family)) return std::nullopt;
    for (More more = More::yes; more == More::yes;) {
      // The answer is made as it is read: there is nothing to wait for.
      const ssize_t got = ::recv(netlink.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      more =
          got > 0 ? take({buffer.data(), static_cast<std::size_t>(got)}, counters) : More::failed;
      // Where there is no IPv6 nobody has such a socket.
      if (more == More::failed && family == AF_INET) return std::nullopt;
    }
  }
  return counters;
}

}  // namespace retry_exec

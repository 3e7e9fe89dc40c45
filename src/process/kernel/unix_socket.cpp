#include "unix_socket.hpp"

#include "netlink_message.hpp"
#include "values/unique_fd.hpp"

#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <array>
#include <netinet/tcp.h>  // TCP_ESTABLISHED: UNIX sockets have the states of TCP

namespace retry_exec {

namespace {

bool ask(int netlink, ino_t socket) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = ~0U;
  request.udiag_ino = static_cast<__u32>(socket);
  request.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;
  request.udiag_cookie[0] = ~0U;  // INET_DIAG_NOCOOKIE
  request.udiag_cookie[1] = ~0U;
  return send_request(netlink, request, 0);
}

}  // namespace

std::optional<UnixSocket> unix_socket(ino_t socket) {
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink || !ask(netlink.get(), socket)) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 4096> buffer{};
  // The answer is there once it has been asked for.
  const ssize_t got = ::recv(netlink.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  const std::span<const char> answer(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto header = value_at<nlmsghdr>(answer, 0);
  const auto found = value_at<unix_diag_msg>(answer, NLMSG_HDRLEN);
  if (!header || !found || header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      found->udiag_state != TCP_ESTABLISHED) {
    return std::nullopt;
  }
  UnixSocket result;
  const bool whole = for_each_attribute(
      answer, NLMSG_HDRLEN + NLMSG_ALIGN(sizeof *found),
      [&](unsigned type, std::span<const char> value) {
        if (type == UNIX_DIAG_PEER) result.peer = value_at<__u32>(value, 0).value_or(0);
        if (type == UNIX_DIAG_RQLEN) {
          const auto queues = value_at<unix_diag_rqlen>(value, 0);
          result.has_input = result.has_input || (queues && queues->udiag_rqueue != 0);
        }
        if (type == UNIX_DIAG_SHUTDOWN) {
          constexpr __u8 receives_no_more = 1;  // RCV_SHUTDOWN of the kernel
          const auto shut = value_at<__u8>(value, 0);
          result.has_input = result.has_input || (shut && (*shut & receives_no_more) != 0);
        }
      });
  return whole ? std::optional(result) : std::nullopt;
}

}  // namespace retry_exec

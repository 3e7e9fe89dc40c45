// Asking sock_diag(7), and taking apart what it answers: fixed structs, then attributes.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace retry_exec {

// Sends `body` as a request. `flags`: those beside NLM_F_REQUEST.
template <class Body>
bool send_request(int netlink, const Body& body, unsigned flags) {
  struct {
    nlmsghdr header;
    Body body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = static_cast<__u16>(NLM_F_REQUEST | flags);
  request.body = body;
  return ::send(netlink, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

template <class T>
std::optional<T> value_at(std::span<const char> bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Calls `visit(type, value)` for each attribute from `offset` on. False where one is not whole.
template <class Visit>
bool for_each_attribute(std::span<const char> message, std::size_t offset, Visit visit) {
  while (const auto head = value_at<rtattr>(message, offset)) {
    if (head->rta_len < RTA_LENGTH(0) || head->rta_len > message.size() - offset) return false;
    visit(head->rta_type, message.subspan(offset + RTA_LENGTH(0), head->rta_len - RTA_LENGTH(0)));
    offset += RTA_ALIGN(head->rta_len);
  }
  return true;
}

}  // namespace retry_exec
